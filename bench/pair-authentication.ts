// Pairs authenticated per second: exported authenticators over one node session, against one full mutual TLS 1.3 handshake for each pair.
// Both ends in this process; interleaved rounds. For one core: taskset -c 0.
//   node dist/bench/pair-authentication.js [rounds]
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { TestCa } from '#core/spiffe/testing/ca';
import type { Credential } from '../agent/proof/contract.ts';
import type { OwnedSession } from '../agent/session/hooks.ts';
import { dialAs, listenAs, tcpFlow } from '../agent/session/testing/links.ts';
import { linkNodes, TestNode } from '../agent/session/testing/test-node.ts';
import { SESSION_ALPN, sessionTlsOptions } from '../agent/session/tls.ts';
import { verifyNodePeer } from '../agent/session/verify-peer.ts';
import { report, reportRatio } from './report.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const WORKLOADS = 32;
const PAIRS_OF_ROUND = 1500;
const HANDSHAKES_OF_ROUND = 200;
const IN_FLIGHT = 32;

interface Arm {
  readonly name: string;
  readonly count: number;
  readonly run: (k: number) => Promise<void>;
  readonly rates: number[];
  readonly latenciesMs: number[];
}

async function measure(arm: Arm): Promise<void> {
  let left = arm.count;
  const start = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const began = performance.now();
      await arm.run(left);
      arm.latenciesMs.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  arm.rates.push((arm.count / (performance.now() - start)) * 1000);
}

function pairOver(session: OwnedSession): (k: number) => Promise<void> {
  return async (k) => {
    const flow = tcpFlow(`10.1.0.${2 + (k % WORKLOADS)}`, `10.2.0.${2 + ((k * 7) % WORKLOADS)}`, 8443);
    const outcome = await session.authenticate(flow);
    if (outcome.verdict !== 'accepted') throw new Error(`${outcome.reason}: ${outcome.detail}`);
  };
}

/** The baseline: both workloads' SVIDs in a TLS handshake of their own, verified by the same verifier at both ends. */
async function handshakes(
  client: TestNode,
  server: TestNode,
  from: Credential,
  to: Credential,
): Promise<{ run: () => Promise<void>; close: () => void }> {
  const check = (node: TestNode) => ({ verifySvid: (chain: readonly Uint8Array[]) => node.verifySvid(chain), accept: () => undefined });
  const common = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: [SESSION_ALPN] };
  const tls = createServer({ ...sessionTlsOptions(to), ...common }, (socket) => {
    socket.on('error', () => undefined);
    verifyNodePeer(socket, check(server));
    socket.end('k');
  });
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const { port } = tls.address() as AddressInfo;
  const options = { ...sessionTlsOptions(from), ...common, port, host: '127.0.0.1', checkServerIdentity: () => undefined };
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(options, () => verifyNodePeer(socket, check(client)));
      socket.once('error', reject);
      socket.once('data', () => {
        socket.destroy();
        resolve();
      });
    });
  return { run, close: () => tls.close() };
}

async function main(): Promise<void> {
  const ca = await TestCa.create();
  const [one, two] = [await TestNode.create(ca, 'one'), await TestNode.create(ca, 'two')];
  linkNodes([one, two]);
  for (let i = 0; i < WORKLOADS; i++) {
    await one.addWorkload(ca, `10.1.0.${2 + i}`, `/client/${i}`);
    await two.addWorkload(ca, `10.2.0.${2 + i}`, `/server/${i}`);
  }
  const server = await listenAs(two);
  const plain = await dialAs(one, server);
  const secret = await dialAs(one, server, { forwardSecrecy: true });
  const full = await handshakes(one, two, one.credential, two.credential);
  const arm = (name: string, count: number, run: Arm['run']): Arm => ({ name, count, run, rates: [], latenciesMs: [] });
  const arms = [
    arm('exported authenticators', PAIRS_OF_ROUND, pairOver(plain.session)),
    arm('exported authenticators, X25519 for each pair', PAIRS_OF_ROUND, pairOver(secret.session)),
    arm('one TLS handshake for each pair', HANDSHAKES_OF_ROUND, full.run),
  ];
  for (const each of arms) await measure({ ...each, rates: [], latenciesMs: [] });
  for (let round = 0; round < ROUNDS; round++) for (const each of arms) await measure(each);
  for (const { name, rates, latenciesMs } of arms) {
    report({ what: `${name}, ${IN_FLIGHT} in flight`, unit: 'pairs/s', samples: rates });
    report({ what: `${name}, from request to pair`, unit: 'ms', samples: latenciesMs });
  }
  const [plainArm, , fullArm] = arms;
  reportRatio(
    'exported authenticators to TLS handshakes, pairs/s',
    (plainArm?.rates ?? []).map((rate, i) => [rate, fullArm?.rates[i] ?? Number.NaN] as const),
  );
  full.close();
  plain.session.close();
  secret.session.close();
  await server.listener.close();
}

void main();
