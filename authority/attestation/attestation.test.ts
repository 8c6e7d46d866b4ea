import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instantFromMs } from '#core/time/instant';
import { systemClock } from '#daemon/clock';
import { callUnary } from '#daemon/grpc/call';
import { type Logger, silentLogger } from '#daemon/log';
import type { TlsCredential } from '#daemon/tls/credential';
import { AgentService } from '#proto/gen/spire/server/agent';
import { EntryService } from '#proto/gen/spire/server/entry';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { anyCsr, idParts, newKey, nodeId, TestAuthority } from '../testing/test-authority.ts';

let authority: TestAuthority;
/** The clock of the authority, ahead of the machine's. */
let aheadMs = 0;
/** What the authority logs at level info, as JSON. */
const logged: string[] = [];
const log: Logger = {
  ...silentLogger,
  info: (fields, event) => logged.push(JSON.stringify({ ...fields, event })),
  scoped: () => log,
};
beforeEach(async () => {
  aheadMs = 0;
  logged.length = 0;
  authority = await TestAuthority.start({ ...systemClock, now: () => instantFromMs(Date.now() + aheadMs) }, log);
});
afterEach(() => authority.close());

/** Any call that only an attested node may make. */
const asNode = async (credential: TlsCredential): Promise<unknown> =>
  callUnary(await authority.overTls(credential), EntryService.getAuthorizedEntries, { outputMask: undefined });

const DENIED = { code: 'PERMISSION_DENIED' };
const REFUSED = { code: 'TOKEN_REFUSED', message: 'the join token is not valid: unknown, used already or expired; make a new one' };

describe('a join token', () => {
  test('makes its bearer the node that it was minted for', async () => {
    const credential = await authority.join('east-1', '10.1.0.0/16');
    await expect(asNode(credential)).resolves.toEqual({ entries: [] });
  });

  test('is used once, also by many who try in the same instant', async () => {
    await authority.declareNode('east-1', '10.1.0.0/16');
    const token = await authority.token('east-1');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => authority.attest(token)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(REFUSED);
  });

  test('is refused alike if it is unknown, has expired, or its node is not declared any more', async () => {
    await expect(authority.attest('00'.repeat(32))).rejects.toMatchObject(REFUSED);
    const node = await authority.declareNode('east-1', '10.1.0.0/16');
    const [short, long] = [await authority.token('east-1', 60), await authority.token('east-1', 3600)];
    aheadMs = 61_000;
    await expect(authority.attest(short)).rejects.toMatchObject(REFUSED);
    await callUnary(authority.admin, ControlService.deleteNode, { id: node.id });
    await expect(authority.attest(long)).rejects.toMatchObject(REFUSED);
  });

  test('is refused for a reason that is logged and not sent, not even beside the text', async () => {
    await authority.declareNode('east-1', '10.1.0.0/16');
    const [expired, unknown] = [await authority.token('east-1', 60), '00'.repeat(32)];
    aheadMs = 61_000;
    const answers = [];
    for (const token of [expired, unknown]) {
      const { details, metadata } = await authority.refusalOf(token);
      metadata.remove('date');
      answers.push({ details, metadata: metadata.getMap(), sent: String(metadata.get('symbolon-error-bin')) });
    }
    expect(answers[0]?.sent).toBe('{"code":"TOKEN_REFUSED","context":{"what":"join token"}}');
    expect(answers[0]).toEqual(answers[1]);
    const reasons = logged
      .map((line) => JSON.parse(line) as { event: string; why: string })
      .filter(({ event }) => event === 'refused a call');
    expect(reasons.map(({ why }) => why.split(': ').at(-1))).toEqual(['expired', 'unknown']);
    for (const token of [expired, unknown]) expect(logged.join()).not.toContain(token);
  });

  test('is made only for a declared node, with a lifetime of at most a day, and not chosen by the caller', async () => {
    await expect(authority.token('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await authority.declareNode('east-1', '10.1.0.0/16');
    await expect(authority.token('east-1', 86_401)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const chosen = { ttl: 0, token: 'mine', agentId: idParts(nodeId('east-1')) };
    await expect(callUnary(authority.admin, AgentService.createJoinToken, chosen)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(callUnary(authority.admin, AgentService.createJoinToken, { ttl: 0, token: '', agentId: undefined })).rejects.toMatchObject(
      {
        code: 'REQUEST_INVALID',
      },
    );
  });

  test('is not in the store', async () => {
    await authority.declareNode('east-1', '10.1.0.0/16');
    const token = await authority.token('east-1');
    for (const file of ['authority.db', 'authority.db-wal']) expect(readFileSync(join(authority.folder, file)).includes(token)).toBe(false);
  });

  test('for a node that has attested revokes the SVID that the node had', async () => {
    const before = await authority.join('east-1', '10.1.0.0/16');
    const stream = await authority.synchronize(before);
    await stream.next();
    const after = await authority.attest(await authority.token('east-1'));
    await expect(asNode(before)).rejects.toMatchObject(DENIED);
    await expect(asNode(after)).resolves.toBeDefined();
    expect(await stream.ended).toMatchObject(DENIED);
  });
});

describe('an attested node', () => {
  const renew = async (credential: TlsCredential): Promise<TlsCredential> => {
    const privateKey = newKey();
    const client = await authority.overTls(credential);
    const { svid } = await callUnary(client, AgentService.renewAgent, { params: { csr: await anyCsr(privateKey) } });
    return { chain: svid?.certChain ?? [], privateKey };
  };

  test('renews its SVID; the old one is good until the new one is used', async () => {
    const old = await authority.join('east-1', '10.1.0.0/16');
    const renewed = await renew(old);
    await asNode(old);
    await asNode(renewed);
    await expect(asNode(old)).rejects.toMatchObject(DENIED);
  });

  test('keeps its stream when a renewed SVID comes into use', async () => {
    const old = await authority.join('east-1', '10.1.0.0/16');
    const stream = await authority.synchronize(old);
    const { revision } = await stream.next();
    await asNode(await renew(old));
    await authority.declareNode('east-2', '10.2.0.0/16');
    expect((await stream.next(revision + 1n)).nodes.map((node) => node.name)).toEqual(['east-1', 'east-2']);
  });

  test('is still one after a restart of the authority', async () => {
    const credential = await authority.join('east-1', '10.1.0.0/16');
    await authority.restart();
    await expect(asNode(credential)).resolves.toBeDefined();
  });

  test('is none any more once it is banned, and gets no token', async () => {
    const credential = await authority.join('east-1', '10.1.0.0/16');
    const early = await authority.token('east-1');
    const stream = await authority.synchronize(credential);
    await stream.next();
    await callUnary(authority.admin, AgentService.banAgent, { id: idParts(nodeId('east-1')) });
    expect(await stream.ended).toMatchObject(DENIED);
    await expect(asNode(credential)).rejects.toMatchObject(DENIED);
    await expect(authority.token('east-1')).rejects.toMatchObject(DENIED);
    await expect(authority.attest(early)).rejects.toMatchObject(REFUSED);
  });

  test('is none any more once it is evicted or not declared, and may join again', async () => {
    const first = await authority.join('east-1', '10.1.0.0/16');
    await callUnary(authority.admin, AgentService.deleteAgent, { id: idParts(nodeId('east-1')) });
    await expect(asNode(first)).rejects.toMatchObject(DENIED);
    const second = await authority.attest(await authority.token('east-1'));
    await asNode(second);
    const { id } = await callUnary(authority.admin, ControlService.getNode, { id: '', name: 'east-1' });
    await callUnary(authority.admin, ControlService.deleteNode, { id });
    await expect(asNode(second)).rejects.toMatchObject(DENIED);
    // Declared again, it is a new node: the old SVID does not come back to life.
    await authority.declareNode('east-1', '10.1.0.0/16');
    await expect(asNode(second)).rejects.toMatchObject(DENIED);
  });

  test('is let in until its SVID ends', async () => {
    const credential = await authority.join('east-1', '10.1.0.0/16');
    aheadMs = 3_600_500;
    await expect(asNode(credential)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
