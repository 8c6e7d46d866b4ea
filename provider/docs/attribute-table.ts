import type { Attribute, Attributes, Shape } from '../plugin/schema/attribute.ts';

function typeName(shape: Shape): string {
  return 'element' in shape ? `${shape.kind} of ${shape.element.kind}s` : shape.kind;
}

/** The attributes inside an attribute, if it has any. */
function membersOf(shape: Shape): Attributes | undefined {
  if (shape.kind === 'object') return shape.attributes;
  return 'element' in shape ? membersOf(shape.element) : undefined;
}

function notes(attribute: Attribute): string {
  const words: string[] = [];
  if (attribute.sensitive) words.push('sensitive');
  if (attribute.needsNew) words.push('a change may need a new object');
  return words.length === 0 ? '' : ` (${words.join('; ')})`;
}

function row(path: string, attribute: Attribute): string {
  const text = `${attribute.description}${notes(attribute)}`.replaceAll('|', '\\|');
  return `| \`${path}\` | ${typeName(attribute.shape)} | ${attribute.presence} | ${text} |`;
}

function rows(prefix: string, attributes: Attributes): readonly string[] {
  return Object.entries(attributes).flatMap(([name, attribute]) => {
    const path = `${prefix}${name}`;
    const members = membersOf(attribute.shape);
    return [row(path, attribute), ...(members ? rows(`${path}${attribute.shape.kind === 'map' ? '[*]' : ''}.`, members) : [])];
  });
}

/** A table of attributes in Markdown, members of objects after their object. */
export function attributeTable(attributes: Attributes): string {
  return ['| attribute | type | | meaning |', '|---|---|---|---|', ...rows('', attributes)].join('\n');
}
