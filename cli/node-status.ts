import { join } from 'node:path';
import { z } from 'zod';
import { SymbolonError } from '#core/errors/error';
import { getOverUnix } from '#daemon/unix/get-over-unix';
import { formatTable } from './output.ts';

const counts = z.record(z.string(), z.string());
/** What the command shows of an agent's /status; an agent may say more. */
const nodeStatus = z.looseObject({
  version: z.string(),
  nodeId: z.string(),
  state: z.string(),
  authority: z.looseObject({ connected: z.boolean(), revision: z.string().optional(), enforcedRevision: z.string() }),
  svidExpiresAt: z.string(),
  workloads: z.array(
    z.looseObject({
      interface: z.string(),
      addresses: z.array(z.string()),
      gate: z.string(),
      identity: z.string().optional(),
      problem: z.string().optional(),
    }),
  ),
  pairs: z.array(z.unknown()),
  packets: z.object({ refused: counts, passed: counts }),
  flowsRefused: counts,
  problems: z.array(z.string()),
  exemptions: z.array(z.string()),
});
export type NodeStatus = z.infer<typeof nodeStatus>;

/** Asks the agent whose sockets lie in the folder. Throws UNAVAILABLE if none answers. */
export async function readNodeStatus(runFolder: string): Promise<NodeStatus> {
  const socketPath = join(runFolder, 'status.sock');
  const { body } = await getOverUnix(socketPath, '/status').catch((error: unknown) => {
    throw new SymbolonError(
      'UNAVAILABLE',
      `no agent answers on ${socketPath}; is one running, with --run ${runFolder}?`,
      { what: socketPath },
      error,
    );
  });
  return nodeStatus.parse(JSON.parse(body));
}

const listed = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ') || 'none';

/** The status for people. */
export function describeNodeStatus(status: NodeStatus): readonly string[] {
  const { authority } = status;
  return [
    `${status.nodeId}, agent ${status.version}: ${status.state}, revision ${authority.enforcedRevision} of ${authority.revision ?? 'none'}`,
    `authority ${authority.connected ? 'connected' : 'not connected'}, node SVID until ${status.svidExpiresAt}, ${status.pairs.length} pairs`,
    formatTable(
      ['interface', 'addresses', 'gate', 'identity'],
      status.workloads.map((w) => [w.interface, w.addresses.join('\n'), w.gate, w.identity ?? w.problem ?? 'none']),
    ),
    `packets refused: ${listed(status.packets.refused)}`,
    `packets passed: ${listed(status.packets.passed)}`,
    `flows refused: ${listed(status.flowsRefused)}`,
    ...status.problems.map((problem) => `problem: ${problem}`),
    'passes without proof:',
    ...status.exemptions.map((exemption) => `  ${exemption}`),
  ];
}
