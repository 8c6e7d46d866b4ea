import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { App, TerraformStack, Testing } from 'cdktf';

/** The Terraform configuration of a stack that `declare` fills, without what cdktf says about its own version and tree. */
export function synth(declare: (stack: TerraformStack) => void, id = 'stack'): Record<string, unknown> {
  const stack = new TerraformStack(new App(), id);
  declare(stack);
  return JSON.parse(Testing.synth(stack, true), (key, value: unknown) => (key === '//' ? undefined : value)) as Record<string, unknown>;
}

/** The rows of one type, by their logical IDs. */
export function rowsOf(configuration: Record<string, unknown>, type: string): Record<string, Record<string, unknown>> {
  const resources = configuration['resource'] as Record<string, Record<string, Record<string, unknown>>> | undefined;
  return resources?.[type] ?? {};
}

/** The golden text beside the tests. With UPDATE_GOLDEN=1 it is written first. */
export function golden(name: string, value: unknown): string {
  const file = join(__dirname, '../golden', `${name}.json`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
  }
  if (!existsSync(file)) throw new Error(`${file} is missing; run npm run golden and look at what it wrote`);
  return readFileSync(file, 'utf8');
}
