import type { Command } from 'commander';
import { callUnary } from '#daemon/grpc/call';
import { EXIT } from '#daemon/exit';
import { type AuthorityStatus, ControlService } from '#proto/gen/symbolon/authority/control';
import { agentState, ENFORCES } from './agent-state.ts';
import { askAuthority, type AuthorityFlags, withAuthorityFlags } from './authority-access.ts';
import { describeNodeStatus, readNodeStatus } from './node-status.ts';
import { formatTable, printJson, printLines } from './output.ts';

interface StatusFlags extends AuthorityFlags {
  readonly run?: string;
  readonly json?: boolean;
}

/** `symbolon status`: of an authority and its agents, or with --run of the agent of a node. Exit code 1 if something is not as it should be. */
export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('the authority, and what its agents enforce; with --run, the agent of this node')
    .option('--run <FOLDER>', "the folder of an agent's sockets, like /run/symbolon")
    .option('--json', 'print JSON');
  withAuthorityFlags(command).action(async (flags: StatusFlags) => {
    if (flags.run !== undefined) {
      const status = await readNodeStatus(flags.run);
      if (flags.json) printJson(status);
      else printLines(...describeNodeStatus(status));
      process.exitCode = status.problems.length === 0 ? EXIT.ok : EXIT.failed;
      return;
    }
    const status = await askAuthority(flags, (client) => callUnary(client, ControlService.getStatus, {}));
    if (flags.json) printJson(status);
    else printLines(...describeAuthority(status));
    process.exitCode = status.agents.every((a) => agentState(a, status.revision) === ENFORCES) ? EXIT.ok : EXIT.failed;
  });
}

function describeAuthority(status: AuthorityStatus): readonly string[] {
  const when = (seconds: bigint): string => (seconds === 0n ? '-' : new Date(Number(seconds) * 1000).toISOString());
  return [
    `trust domain ${status.trustDomain}, authority ${status.version}, revision ${status.revision}, CA until ${when(status.caExpiresAt)}`,
    formatTable(
      ['node', 'agent', `revision ${status.revision}`, 'last seen'],
      status.agents.map((a) => [a.nodeName, a.agentVersion || '-', agentState(a, status.revision), when(a.lastSeenAt)]),
    ),
  ];
}
