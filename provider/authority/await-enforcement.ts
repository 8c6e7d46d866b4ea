import { describeError } from '#core/errors/error';
import { formatDurationMs } from '#core/time/duration';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { Operation } from '../plugin/resource.ts';
import type { AuthorityConnection } from './authority-connection.ts';
import type { Connections } from './connections.ts';

/** How long to wait once a wait has run out in this process. */
const IMPATIENT_MS = 500;
/** The authority answers at the end of the time that it was given; the call may take a little longer. */
const ANSWER_MS = 5000;

/**
 * Waits until every connected agent enforces a revision, if the provider is configured to. Agents that do not in time are named in a warning, or in
 * an error with `on_timeout = "error"`. An interrupt ends the wait.
 */
export async function awaitEnforcement(authority: AuthorityConnection, revision: bigint, operation: Operation<Connections>): Promise<void> {
  const wait = operation.connection.enforcementWait;
  if (!wait || operation.signal.aborted) return;
  const timeoutMs = authority.impatient ? Math.min(IMPATIENT_MS, wait.timeoutMs) : wait.timeoutMs;
  const unsure = (detail: string): void => {
    if (wait.onTimeout === 'error') operation.report.error('Not enforced everywhere', detail);
    else operation.report.warning('Not enforced everywhere yet', detail);
  };
  try {
    const answer = await authority.read(ControlService.watchEnforcement, { revision, timeoutMs }, operation.signal, timeoutMs + ANSWER_MS);
    if (answer.enforced) return;
    authority.impatient = true;
    const nodes = [...answer.laggingNodes].sort().join(', ');
    unsure(
      `The change is stored by the authority of ${authority.trustDomain}, but after ${formatDurationMs(timeoutMs)} not enforced by: ${nodes}. ` +
        'These agents are connected; "symbolon status" shows what keeps them.',
    );
  } catch (error) {
    // The change itself is done: it belongs into state whatever became of the question.
    if (!operation.signal.aborted) unsure(`The change is stored, but whether it is enforced could not be asked: ${describeError(error)}.`);
  }
}
