import { SymbolonError } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import type { Credential, PairJudge } from './contract.ts';

/** What the local workload at one end of a flow proves itself with. Throws PAIR_REFUSED: `no-such-workload`, or `not-ready` while it waits for its SVID. */
export function localCredential(judge: Pick<PairJudge, 'localWorkload'>, flow: Flow, end: 'source' | 'destination'): Credential {
  const local = judge.localWorkload(flow, end);
  const at = flow[end].text;
  if (local === undefined) throw new SymbolonError('PAIR_REFUSED', `no attested workload is at ${at}`, { reason: 'no-such-workload' });
  if (local === 'pending') throw new SymbolonError('PAIR_REFUSED', `the workload at ${at} waits for its SVID`, { reason: 'not-ready' });
  return local;
}
