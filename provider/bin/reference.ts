import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { providerReference } from '../docs/reference.ts';
import { symbolonProvider } from '../symbolon-provider.ts';

/** Writes the provider's reference: `reference <folder of examples> <folder to write>`. What was in the folder goes. */
function main(examples: string | undefined, folder: string | undefined): void {
  if (examples === undefined || folder === undefined) throw new Error('usage: reference <folder of examples> <folder to write>');
  const pages = providerReference(symbolonProvider, (name) => readFileSync(join(examples, `${name}.tf`), 'utf8'));
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

main(process.argv[2], process.argv[3]);
