import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { TestAuthority, testIdentity, testPolicy } from '../testing/test-authority.ts';

let authority: TestAuthority;
beforeEach(async () => {
  authority = await TestAuthority.start();
});
afterEach(() => authority.close());

const createPolicy = (name: string) => callUnary(authority.admin, ControlService.createAuthPolicy, { policy: testPolicy(name) });
const watch = (revision: bigint, timeoutMs: number) => callUnary(authority.admin, ControlService.watchEnforcement, { revision, timeoutMs });

test('a node is told everything at once: its own identities, all nodes, policies and the bundle', async () => {
  const credential = await authority.join('east-1', '10.1.0.0/16');
  await authority.declareNode('east-2', '10.2.0.0/16');
  await callUnary(authority.admin, ControlService.createIdentity, { identity: testIdentity('/web', 'east-1') });
  await callUnary(authority.admin, ControlService.createIdentity, { identity: testIdentity('/payments', 'east-2') });
  const { revision } = await createPolicy('p');
  const state = await (await authority.synchronize(credential)).next();
  expect(state).toMatchObject({
    revision,
    settings: { trustDomain: 'east.example', adopted: false },
    identities: [{ spiffeId: 'spiffe://east.example/web' }],
    policies: [{ name: 'p' }],
    nodes: [{ name: 'east-1' }, { name: 'east-2' }],
    bundles: [{ trustDomain: 'east.example', x509Authorities: [expect.any(Buffer)] }],
  });
});

test('each change reaches a connected node, as a whole state of its revision', async () => {
  const stream = await authority.synchronize(await authority.join('east-1', '10.1.0.0/16'));
  await stream.next();
  const { policy, revision } = await createPolicy('p');
  expect((await stream.next(revision)).policies).toHaveLength(1);
  const removed = await callUnary(authority.admin, ControlService.deleteAuthPolicy, { id: policy?.id ?? '' });
  expect((await stream.next(removed.revision)).policies).toEqual([]);
});

test('many changes at once arrive as few states, the last one complete', async () => {
  const stream = await authority.synchronize(await authority.join('east-1', '10.1.0.0/16'));
  const { revision } = await stream.next();
  const made = await Promise.all(Array.from({ length: 50 }, (_, i) => createPolicy(`p${i}`)));
  const last = made.map((m) => m.revision).reduce((a, b) => (a > b ? a : b));
  expect(last).toBe(revision + 50n);
  let states = 0;
  for (;;) {
    const state = await stream.next();
    states++;
    if (state.revision !== last) continue;
    expect(state.policies).toHaveLength(50);
    break;
  }
  expect(states).toBeLessThan(50);
});

test('enforcement is waited for: connected nodes that lag are named, others do not count', async () => {
  const [one, two] = [await authority.join('east-1', '10.1.0.0/16'), await authority.join('east-2', '10.2.0.0/16')];
  await authority.declareNode('east-3', '10.3.0.0/16');
  const { revision } = await createPolicy('p');
  expect(await watch(revision, 0)).toEqual({ enforced: true, connectedAgents: 0, laggingNodes: [] });
  const [first, second] = [await authority.synchronize(one), await authority.synchronize(two)];
  await Promise.all([first.next(revision), second.next(revision)]);
  first.report({ enforcedRevision: revision });
  second.report({ enforcedRevision: revision - 1n, problem: 'no room in a map' });
  expect(await watch(revision, 100)).toEqual({ enforced: false, connectedAgents: 2, laggingNodes: ['east-2'] });
  const { agents } = await callUnary(authority.admin, ControlService.getStatus, {});
  expect(agents).toMatchObject([
    { nodeName: 'east-1', connected: true, enforcedRevision: revision, agentVersion: '0.1.0', problem: '' },
    { nodeName: 'east-2', connected: true, problem: 'no room in a map' },
    { nodeName: 'east-3', connected: false, lastSeenAt: 0n },
  ]);
  const waiting = watch(revision, 5000);
  second.report({ enforcedRevision: revision });
  expect(await waiting).toEqual({ enforced: true, connectedAgents: 2, laggingNodes: [] });
});

test('a node that connects again replaces its older stream', async () => {
  const credential = await authority.join('east-1', '10.1.0.0/16');
  const old = await authority.synchronize(credential);
  await old.next();
  const fresh = await authority.synchronize(credential);
  await fresh.next();
  expect(await old.ended).toBeUndefined();
  const { revision } = await createPolicy('p');
  expect((await fresh.next(revision)).policies).toHaveLength(1);
});

test('a node whose stream breaks is not connected any more', async () => {
  const stream = await authority.synchronize(await authority.join('east-1', '10.1.0.0/16'));
  await stream.next();
  stream.cancel();
  await stream.ended;
  for (let tries = 0; ; tries++) {
    const { agents } = await callUnary(authority.admin, ControlService.getStatus, {});
    if (agents[0]?.connected === false) break;
    expect(tries).toBeLessThan(200);
  }
});
