import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseIpAddress } from '#core/network/address';
import { type Flow, hasPorts, type Port, type Protocol } from '#core/network/flow';
import { parseSpiffeId } from '#core/spiffe/id';
import { compile } from './compile.ts';
import { decide, mayEverAllow, mayEverAllowSome } from './decide.ts';
import type { AuthPolicy, Party, Side } from './model.ts';
import { parseAuthPolicy } from './parse.ts';

// A small world, so that policies and flows often meet.
const DOMAINS = ['a.example', 'b.example'];
const PATHS = ['/x', '/x/y', '/x/y/z', '/xy', '/w'];
const IDS = DOMAINS.flatMap((domain) => PATHS.map((path) => `spiffe://${domain}${path}`));
const PORTS = [1, 2, 3, 4, 5, 65_534, 65_535];
const PROTOCOLS = [1, 6, 17, 58, 132, 200];

const subset = (values: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...values], { maxLength: 2 });
const parties = fc
  .record({ spiffeIds: subset(IDS), pathPrefixes: subset(IDS), trustDomains: subset(DOMAINS) })
  .filter((set) => Object.values(set).some((members) => members.length > 0));
const port = fc.constantFrom(...PORTS);
const ranges = fc.tuple(fc.constantFrom('tcp', 'udp'), port, port).map(([name, a, b]) => `${name}/${Math.min(a, b)}-${Math.max(a, b)}`);
const traffic = fc.oneof({ weight: 3, arbitrary: ranges }, { weight: 1, arbitrary: fc.constantFrom('icmp', 'any', 'protocol/132') });

function policyOf(action: fc.Arbitrary<string>): fc.Arbitrary<AuthPolicy> {
  return fc
    .record({
      name: fc.constantFrom('p', 'q', 'r', 's', 't'),
      trustDomain: fc.constantFrom(...DOMAINS),
      id: fc.uuid(),
      sources: parties,
      destinations: parties,
      traffic: fc.array(traffic, { minLength: 1, maxLength: 3 }),
      side: fc.constantFrom('both', 'egress', 'ingress'),
      action,
    })
    .map(parseAuthPolicy);
}
const policies = fc.array(policyOf(fc.constantFrom('allow', 'allow', 'deny')), { maxLength: 8 });
const party: fc.Arbitrary<Party> = fc.constantFrom(...IDS).map((text) => ({ kind: 'workload', id: parseSpiffeId(text) }));
const side = fc.constantFrom<Side>('egress', 'ingress');

function flowOf(protocol: number, servicePort: number, family: 4 | 6): Flow {
  const address = parseIpAddress(family === 4 ? '192.0.2.1' : '2001:db8::1');
  const base = { source: address, destination: address, protocol: protocol as Protocol };
  return hasPorts(base.protocol) ? { ...base, servicePort: servicePort as Port } : base;
}
const flow = fc.tuple(fc.constantFrom(...PROTOCOLS), port, fc.constantFrom<4 | 6>(4, 6)).map((parts) => flowOf(...parts));
const question = { side, from: party, to: party, flow };

const RUNS = { numRuns: 500 };

describe('decide, for all policies and flows', () => {
  test('the order of policies never matters', () => {
    const shuffled = policies.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    fc.assert(
      fc.property(fc.record({ ...question, rows: shuffled }), (q) => {
        const [first, second] = q.rows.map((rows) => decide(compile(rows), q.side, q.from, q.to, q.flow));
        expect(second).toEqual(first);
      }),
      RUNS,
    );
  });

  test('adding an allow closes nothing, adding a deny opens nothing', () => {
    const added = policyOf(fc.constantFrom('allow', 'deny'));
    fc.assert(
      fc.property(fc.record({ ...question, rows: policies, added }), (q) => {
        const before = decide(compile(q.rows), q.side, q.from, q.to, q.flow).verdict;
        const after = decide(compile([...q.rows, q.added]), q.side, q.from, q.to, q.flow).verdict;
        if (before !== after) expect(after).toBe(q.added.action);
      }),
      RUNS,
    );
  });

  test('a deny that names both and the traffic wins', () => {
    fc.assert(
      fc.property(fc.record({ ...question, rows: policies }), (q) => {
        const [from, to] = [q.from, q.to].map((p) => (p.kind === 'workload' ? p.id : ''));
        const ends = { sources: { spiffeIds: [from ?? ''] }, destinations: { spiffeIds: [to ?? ''] } };
        const deny = parseAuthPolicy({ name: 'no', trustDomain: 'a.example', ...ends, traffic: ['any'], action: 'deny' });
        expect(decide(compile([...q.rows, deny]), q.side, q.from, q.to, q.flow).verdict).toBe('deny');
      }),
      RUNS,
    );
  });

  test('grants hold exactly the ports that decide allows, sorted and apart', () => {
    const other = fc.tuple(fc.constantFrom(...PROTOCOLS), port);
    fc.assert(
      fc.property(fc.record({ ...question, rows: policies, other }), (q) => {
        const compiled = compile(q.rows);
        const decision = decide(compiled, q.side, q.from, q.to, q.flow);
        fc.pre(decision.verdict === 'allow');
        const [protocol, otherPort] = q.other;
        const asked = flowOf(protocol, otherPort, q.flow.destination.family);
        const granted = decision.grants.some(
          (g) => g.protocol === protocol && g.lowPort <= (asked.servicePort ?? 0) && (asked.servicePort ?? 0) <= g.highPort,
        );
        const allowed = decide(compiled, q.side, q.from, q.to, asked).verdict === 'allow';
        // `any` grants TCP, UDP, ICMP and the asked protocol: another protocol is allowed when it is asked for itself.
        const representable = [6, 17, q.flow.protocol, q.flow.destination.family === 4 ? 1 : 58].includes(protocol);
        expect(granted).toBe(representable ? allowed : granted && allowed);
        decision.grants.forEach((grant, i) => {
          const next = decision.grants[i + 1];
          if (next === undefined) return;
          expect(grant.protocol < next.protocol || (grant.protocol === next.protocol && grant.highPort + 1 < next.lowPort)).toBe(true);
        });
      }),
      RUNS,
    );
  });

  test('mayEverAllow is true exactly if some peer is allowed', () => {
    // Every declared ID and one below each, so that a prefix with holes still finds a peer; a domain's IDs likewise.
    const peers = [...IDS, ...IDS.map((text) => `${text}/fresh`), ...DOMAINS.map((domain) => `spiffe://${domain}/fresh`)].map(
      parseSpiffeId,
    );
    fc.assert(
      fc.property(fc.record({ side, own: party, flow, rows: policies }), (q) => {
        const compiled = compile(q.rows);
        const somePeer = peers.some((id) => {
          const peer: Party = { kind: 'workload', id };
          const [from, to] = q.side === 'egress' ? [q.own, peer] : [peer, q.own];
          return decide(compiled, q.side, from, to, q.flow).verdict === 'allow';
        });
        expect(mayEverAllow(compiled, q.side, q.own, q.flow)).toBe(somePeer);
      }),
      RUNS,
    );
  });

  test('mayEverAllowSome is true exactly if some flow of a grant may ever be allowed', () => {
    const grant = fc
      .record({ protocol: fc.constantFrom(...PROTOCOLS), a: port, b: port })
      .map(({ protocol, a, b }) => ({ protocol, lowPort: Math.min(a, b), highPort: Math.max(a, b) }));
    const everyPort = [...PORTS, 6];
    fc.assert(
      fc.property(fc.record({ side, own: party, grants: fc.array(grant, { maxLength: 3 }), rows: policies }), (q) => {
        const compiled = compile(q.rows);
        const some = q.grants.some(({ protocol, lowPort, highPort }) =>
          everyPort.some((p) => lowPort <= p && p <= highPort && mayEverAllow(compiled, q.side, q.own, flowOf(protocol, p, 4))),
        );
        expect(mayEverAllowSome(compiled, q.side, q.own, 4, q.grants)).toBe(some);
      }),
      RUNS,
    );
  });
});
