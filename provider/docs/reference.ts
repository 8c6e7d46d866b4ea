import type { Provider } from '../plugin/resource.ts';
import type { Attributes } from '../plugin/schema/attribute.ts';
import { attributeTable } from './attribute-table.ts';

type Documented = Pick<Provider<Attributes, never>, 'description' | 'attributes' | 'resources' | 'dataSources'>;

function page(title: string, description: string, example: string, attributes: Attributes, rest = ''): string {
  return `<!-- generated from the provider's schema by \`npm run generate\`; do not edit -->\n# ${title}\n\n${description}\n\n\`\`\`terraform\n${example.trim()}\n\`\`\`\n\n## Attributes\n\n${attributeTable(attributes)}\n${rest}`;
}

/** The reference of a provider: Markdown by path. `exampleOf` gives the HCL of a type's example, or the provider's. Throws if one is missing. */
export function providerReference(provider: Documented, exampleOf: (name: string) => string): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  const lists: string[] = [];
  for (const resource of provider.resources) {
    const file = `resources/${resource.typeName.replace('symbolon_', '')}.md`;
    const commands = resource.importExamples.map((id) => `terraform import ${resource.typeName}.example ${id}`);
    const imports = `\n## Import\n\n\`\`\`sh\n${commands.join('\n')}\n\`\`\`\n`;
    pages.set(file, page(resource.typeName, resource.description, exampleOf(resource.typeName), resource.attributes, imports));
    lists.push(`- [${resource.typeName}](${file}): ${resource.description}`);
  }
  for (const source of provider.dataSources) {
    const file = `data-sources/${source.typeName.replace('symbolon_', '')}.md`;
    pages.set(file, page(`${source.typeName} (data source)`, source.description, exampleOf(source.typeName), source.attributes));
    lists.push(`- [${source.typeName}](${file}) (data source): ${source.description}`);
  }
  const install =
    '\n## Install\n\nIt is in no registry yet: [Install the provider and the construct library](../../how-to/install-the-provider.md).\n';
  const list = `${install}\n## What it offers\n\n${lists.join('\n')}\n`;
  pages.set('index.md', page('The provider symbolon', provider.description, exampleOf('provider'), provider.attributes, list));
  return pages;
}
