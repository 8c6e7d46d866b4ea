import type { Command } from 'commander';
import { openLab } from '#lab/lab';
import type { LabStatus } from '#lab/status';
import { formatTable, printJson, printLines } from '../output.ts';
import { labChoice } from './choice.ts';

/** `symbolon lab status [--json]`. */
export function addLabStatus(lab: Command): void {
  lab
    .command('status')
    .description('what is there: authority, nodes, workloads, with their addresses and namespaces')
    .option('--json', 'print JSON')
    .action((options: { readonly json?: boolean }, command: Command) => {
      const status = openLab(labChoice(command)).status();
      if (options.json) return printJson(status);
      printLines(formatLabStatus(status));
    });
}

function formatLabStatus(status: LabStatus): string {
  const { authority } = status;
  const nodes = status.nodes.map((n) => [
    n.name,
    n.addresses.join('\n'),
    n.prefixes.join('\n'),
    n.agent.state,
    n.agent.pid?.toString() ?? '-',
  ]);
  const workloads = status.workloads.map((w) => [w.name, w.node, String(w.uid), w.addresses.join('\n'), w.hostInterface, w.cgroup]);
  return [
    `lab ${status.id}, ${status.owner === null ? 'until `lab down`' : `owned by process ${status.owner.pid}`}`,
    `authority of ${authority.trustDomain}: ${authority.pid === null ? 'not running' : `process ${authority.pid}`}, API ${authority.apiAddress}`,
    `admin socket ${authority.adminSocket}`,
    formatTable(['node', 'addresses', 'prefixes', 'agent', 'process'], nodes),
    formatTable(['workload', 'node', 'uid', 'addresses', 'interface', 'cgroup'], workloads),
  ].join('\n');
}
