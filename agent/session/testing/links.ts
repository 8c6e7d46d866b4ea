import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { type Flow, parsePort, PROTOCOL } from '#core/network/flow';
import type { X509Svid } from '#core/spiffe/svid';
import { silentLogger } from '#daemon/log';
import type { ProvenPair } from '../../proof/contract.ts';
import type { CloseReason } from '../contract.ts';
import { type DialOptions, dialNodeSession } from '../dial.ts';
import type { OwnedSession, SessionHooks } from '../hooks.ts';
import { listenNodeSessions, type ListenOptions, type SessionListener } from '../listen.ts';
import { testClock, type TestNode } from './test-node.ts';

/** What one end was told. */
export class RecordedHooks implements SessionHooks {
  readonly admitted: ProvenPair[] = [];
  readonly closedPairs: { readonly pairId: string; readonly reason: CloseReason }[] = [];
  readonly inventories: (readonly string[])[] = [];
  keepalives = 0;
  readonly acknowledged: bigint[] = [];
  refuse: SymbolonError | undefined;

  admit(pair: ProvenPair): void {
    if (this.refuse) throw this.refuse;
    this.admitted.push(pair);
  }
  pairClosed(pairId: string, reason: CloseReason): void {
    this.closedPairs.push({ pairId, reason });
  }
  inventory(pairIds: readonly string[]): void {
    this.inventories.push(pairIds);
  }
  keepalive(): void {
    this.keepalives++;
  }
  keepaliveAck(sequence: bigint): void {
    this.acknowledged.push(sequence);
  }
}

/** An agent that listens on loopback. */
export interface ListeningNode {
  readonly node: TestNode;
  readonly listener: SessionListener;
  readonly sessions: OwnedSession[];
  readonly hooks: RecordedHooks;
}

const inDirectory =
  (node: TestNode) =>
  (peer: X509Svid): void => {
    if (node.directory.nodes.has(peer.id)) return;
    throw new SymbolonError('SESSION_REFUSED', `${peer.id} is not in the node directory`, { rule: 'not-in-directory' });
  };

export async function listenAs(node: TestNode, options: Partial<ListenOptions> = {}): Promise<ListeningNode> {
  const sessions: OwnedSession[] = [];
  const hooks = new RecordedHooks();
  const listener = await listenNodeSessions({
    address: parseIpAddress('127.0.0.1'),
    port: 0,
    credential: () => node.credential,
    accept: inDirectory(node),
    judge: node,
    clock: testClock,
    log: silentLogger,
    hooks: (session) => {
      sessions.push(session);
      return hooks;
    },
    ...options,
  });
  return { node, listener, sessions, hooks };
}

export async function dialAs(
  node: TestNode,
  to: ListeningNode,
  options: Partial<DialOptions> = {},
): Promise<{ readonly session: OwnedSession; readonly hooks: RecordedHooks }> {
  const hooks = new RecordedHooks();
  const session = await dialNodeSession({
    endpoint: { address: parseIpAddress('127.0.0.1'), port: to.listener.port },
    expect: to.node.id,
    credential: node.credential,
    accept: inDirectory(node),
    judge: node,
    clock: testClock,
    log: silentLogger,
    hooks: () => hooks,
    ...options,
  });
  return { session, hooks };
}

export function tcpFlow(source: string, destination: string, port: number): Flow {
  return { source: parseIpAddress(source), destination: parseIpAddress(destination), protocol: PROTOCOL.tcp, servicePort: parsePort(port) };
}

/** Waits until something is so, for at most 15 seconds. */
export async function until(condition: () => boolean, what = 'the condition', ms = 15_000): Promise<void> {
  for (const deadline = Date.now() + ms; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`${what} did not come about within ${ms} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
