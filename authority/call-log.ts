import { describeError } from '#core/errors/error';
import type { Clock } from '#daemon/clock';
import { describeCaller } from '#daemon/grpc/caller';
import type { CallHooks } from '#daemon/grpc/service';
import type { Logger } from '#daemon/log';
import { sparingLog } from '#daemon/sparing-log';

/** gRPC's INTERNAL: a fault of ours. */
const INTERNAL = 13;

/** Logs every call when it is over: faults of ours as errors, refusals with their reason (of strangers, a few of them), answers for debugging. */
export function callLog(log: Logger, clock: Clock): NonNullable<CallHooks['onDone']> {
  const ofKnown = log.info.bind(log);
  const ofStrangers = sparingLog(ofKnown, clock);
  return ({ path, caller }, { status, ms, error }) => {
    const fields = { method: path, caller: describeCaller(caller), status, ms: Math.round(ms) };
    const refused = caller.kind === 'anonymous' ? ofStrangers : ofKnown;
    if (status === INTERNAL) log.error({ ...fields, error }, 'a call failed');
    else if (error instanceof Error) refused({ ...fields, why: describeError(error) }, 'refused a call');
    else log.debug(fields, 'answered a call');
  };
}
