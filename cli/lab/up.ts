import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SymbolonError } from '#core/errors/error';
import { refuseSecondLab } from '#lab/state';
import { findCheckout } from '#lab/executables';
import { startLab } from '#lab/lab';
import { parseLabFile } from '#lab/spec-file';
import { printJson, printLines } from '../output.ts';

const DEFAULT_FILE = 'examples/quickstart/lab.yaml';

interface UpOptions {
  readonly file?: string;
  readonly authority: boolean;
  readonly json?: boolean;
}

/** `symbolon lab up`: a lab that stays until `lab down`. */
export function addLabUp(lab: Command): void {
  lab
    .command('up')
    .description('put up nodes, workloads, a router and an authority as namespaces on this machine; they stay until `lab down`')
    .option('--file <lab.yaml>', `what the lab consists of (default: the checkout's ${DEFAULT_FILE})`)
    .option('--no-authority', 'do not start the authority')
    .option('--json', 'print the status as JSON')
    .action(async (options: UpOptions) => {
      const checkout = findCheckout();
      refuseSecondLab(checkout);
      const file = options.file ?? `${checkout}/${DEFAULT_FILE}`;
      const spec = parseLabFile(readLabFile(file), file);
      const started = Date.now();
      const up = await startLab(spec, { owner: 'none', authority: options.authority });
      if (options.json) return printJson(up.status());
      printLines(
        `lab ${up.id} is up after ${Date.now() - started} ms: ${spec.nodes.map((n) => n.name).join(', ')}`,
        `admin socket  ${up.authority.adminSocket}`,
        'try           npx symbolon lab status',
        `              npx symbolon lab exec ${spec.nodes[0]?.name ?? 'operator'} -- ip address`,
      );
    });
}

function readLabFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SymbolonError(
      'LAB_INVALID',
      `the lab file ${file} cannot be read; name one with --file`,
      { path: '--file', value: file },
      error,
    );
  }
}
