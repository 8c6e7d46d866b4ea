import { expect, test } from '@jest/globals';
import { SymbolonError } from '#core/errors/error';
import { systemClock } from '#daemon/clock';
import { ANONYMOUS, type Caller } from '#daemon/grpc/caller';
import type { CallContext } from '#daemon/grpc/service';
import { type Logger, silentLogger } from '#daemon/log';
import { callLog } from './call-log.ts';

const LOCAL = { kind: 'socket' } as Caller;
const refusal = new SymbolonError('TOKEN_REFUSED', 'the join token is not valid', { what: 'join token' }, 'expired');

function logged(
  caller: Caller,
  result: { readonly status: number; readonly error?: unknown },
  times = 1,
): readonly (readonly [string, object])[] {
  const lines: [string, object][] = [];
  const at = (level: string) => (fields: object) => void lines.push([level, fields]);
  const log: Logger = { ...silentLogger, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const onDone = callLog(log, systemClock);
  for (let i = 0; i < times; i++) onDone({ caller, path: '/x/Y' } as CallContext, { ms: 1.4, ...result });
  return lines;
}

test.each<[string, { status: number; error?: unknown }, string, object]>([
  ['an answer', { status: 0 }, 'debug', { method: '/x/Y', status: 0, ms: 1 }],
  ['a refusal, with its reason', { status: 7, error: refusal }, 'info', { status: 7, why: 'the join token is not valid: expired' }],
  ['a fault of ours', { status: 13, error: new TypeError('x') }, 'error', { status: 13, error: expect.any(TypeError) }],
])('%s is logged', (_what, result, level, fields) => {
  expect(logged(LOCAL, result)).toEqual([[level, expect.objectContaining(fields)]]);
  expect(logged(ANONYMOUS, result)).toEqual([[level, expect.objectContaining(fields)]]);
});

test('strangers do not fill the log, whatever they do; what others do is all there', () => {
  expect(logged(ANONYMOUS, { status: 7, error: refusal }, 1000).length).toBeLessThanOrEqual(60);
  expect(logged(LOCAL, { status: 7, error: refusal }, 1000)).toHaveLength(1000);
});
