import { expect, test } from '@jest/globals';
import { systemClock } from '#daemon/clock';
import type { CallContext } from '#daemon/grpc/service';
import type { AttestAgentRequest } from '#proto/gen/spire/server/agent';
import type { Store } from '../store/store.ts';
import { type ServiceContext, serviceContext } from './context.ts';
import { spireAgentService } from './spire-agent.ts';
import { TEST_DOMAIN } from '../testing/test-authority.ts';

/** An AttestAgent call by somebody without a token. Resolves with the code of its end. */
function stranger(context: ServiceContext): Promise<unknown> {
  async function* requests(): AsyncGenerator<AttestAgentRequest> {
    const value = { data: { type: 'join_token', payload: Buffer.from('no such token') }, params: { csr: Buffer.alloc(0) } };
    yield { step: { $case: 'params', value } };
  }
  const answers = spireAgentService(context).attestAgent?.(requests(), {} as CallContext);
  return (async () => {
    try {
      return await answers?.[Symbol.asyncIterator]().next();
    } catch (error) {
      return (error as { code: string }).code;
    }
  })();
}

/** How many of 100 strangers who come at once make the store work, and how they all are answered. */
async function crowd(limits?: ServiceContext['limits']): Promise<{ readonly looks: number; readonly answers: readonly unknown[] }> {
  let looks = 0;
  const store: Pick<Store, 'transact'> = {
    transact: async () => {
      looks++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined as never;
    },
  };
  const context = serviceContext({ trustDomain: TEST_DOMAIN, store, clock: systemClock } as unknown as ServiceContext);
  const answers = await Promise.all(Array.from({ length: 100 }, () => stranger({ ...context, ...(limits && { limits }) })));
  return { looks, answers };
}

test('a crowd of strangers is served a few at a time, and the others are told to come again', async () => {
  const { looks, answers } = await crowd();
  expect(looks).toBe(32);
  expect(answers.filter((code) => code === 'TOKEN_REFUSED')).toHaveLength(32);
  expect(answers.filter((code) => code === 'BUSY')).toHaveLength(68);
});

test('without the limit all of them would be served at once', async () => {
  const unlimited = { run: <T>(_method: string, _caller: string, work: () => Promise<T>) => work() };
  expect((await crowd({ joins: unlimited } as unknown as ServiceContext['limits'])).looks).toBe(100);
});
