import { afterAll, beforeAll, expect } from '@jest/globals';
import { TCP, tcp } from './packets.ts';
import { ADDRESS, ENDPOINT, type PairRow, Scene } from './scene.ts';

export const NEXT = -1;
export const DROP = 2;
export const REDIRECT = 7;

/** Where a program sits, and by which interface the packet had come: `node` = from a local process. */
type Place = 'up' | 'a' | 'b' | 'tap' | 'node' | 'elsewhere';

/** A packet meets a program: the verdict and the one counter that names it (besides answers). */
export interface Step {
  readonly program: string;
  readonly at: Exclude<Place, 'node' | 'elsewhere'>;
  readonly from: Place;
  readonly packet: Buffer;
  readonly verdict: number;
  readonly counts: Readonly<Record<string, number>>;
}

export const at = (program: string, on: Step['at'], fromWhere: Place) => (packet: Buffer, verdict: number, counts: Step['counts']) =>
  ({ program, at: on, from: fromWhere, packet, verdict, counts }) satisfies Step;
export const aSends = at('sym_wl_in', 'a', 'a');
export const aLeaves = at('sym_up_out', 'up', 'a');
export const bLeaves = at('sym_up_out', 'up', 'b');
export const arrives = at('sym_up_in', 'up', 'up');
export const aToB = at('sym_wl_out', 'b', 'a');
export const bToA = at('sym_wl_out', 'a', 'b');
export const nodeToA = at('sym_wl_out', 'a', 'node');

export const refusedTcp = (reason: string) => ({ [reason]: 1, SENT_RST: 1 });
export const refused = (reason: string) => ({ [reason]: 1, SENT_ICMP: 1 });

/** One scene for all tests of a file; `ready` is given it, and may do more before the first test. */
export function useScene(ready: (scene: Scene) => void | Promise<void>): void {
  let scene: Scene | undefined;
  beforeAll(async () => {
    scene = await Scene.create();
    await ready(scene);
  }, 60_000);
  afterAll(async () => scene?.close());
}

/** Takes the steps one after the other; the last packet as its program left it. */
export async function meet(scene: Scene, steps: readonly Step[]): Promise<Buffer> {
  let last: Buffer = Buffer.alloc(0);
  for (const [i, step] of steps.entries()) {
    const indices: Readonly<Record<Place, number>> = { ...scene.index, node: 0, elsewhere: 1 };
    const seen = await scene.gate.counted(async () => {
      const { verdict, packet } = await scene.gate.run(step.program, step.packet, {
        interface: indices[step.at],
        from: indices[step.from],
      });
      last = packet;
      expect({ step: i, verdict }).toEqual({ step: i, verdict: step.verdict });
    });
    expect({ step: i, ...seen }).toEqual({ step: i, ...step.counts });
  }
  return last;
}

/** Pairs that stand in one family (0 = IPv4, 1 = IPv6), and the packets of the connection that most tables are about. */
export function standingPairs(family: 0 | 1) {
  const icmpNumber = family ? 58 : 1;
  const a = ADDRESS.a[family];
  const b = ADDRESS.b[family];
  const remote = ADDRESS.remote[family];
  const out = { from: a, to: remote };
  const back = { from: remote, to: a };
  const aTcp: PairRow = { endpoint: ENDPOINT.a, local: a, remote, protocol: 6, role: 'CLIENT', port: 8443 };
  const bUdp: PairRow = { endpoint: ENDPOINT.b, local: b, remote, protocol: 17, role: 'SERVER', port: 5353 };
  const rows: readonly PairRow[] = [
    aTcp,
    { ...aTcp, protocol: 17, port: 5353 },
    { ...aTcp, protocol: icmpNumber, port: 0 },
    bUdp,
    { ...bUdp, protocol: 6, port: 8443 },
    { ...bUdp, protocol: icmpNumber, port: 0 },
    { ...aTcp, remote: b },
    { endpoint: ENDPOINT.b, local: b, remote: a, protocol: 6, role: 'SERVER', port: 8443 },
  ];
  const syn = tcp(out, [4000, 8443], TCP.syn);
  const segment = tcp(out, [4000, 8443], TCP.ack, Buffer.from('hello'));
  const synAck = tcp(back, [8443, 4000], TCP.syn | TCP.ack);
  const opened = aLeaves(syn, NEXT, { PASSED_OPEN: 1 });
  const accepted = arrives(synAck, NEXT, { PASSED_FLOW: 1 });
  return { a, b, remote, out, back, aTcp, bUdp, rows, syn, segment, synAck, opened, accepted };
}

/** As it is before each row of a table. */
export async function makeReady(scene: Scene, rows: readonly PairRow[]): Promise<void> {
  await scene.lease(1, true);
  await scene.heartbeat(true);
  await scene.mode('a', 'ALL');
  for (const row of rows) await scene.pair(row);
  await scene.gate.sweep(ENDPOINT.a);
  await scene.gate.sweep(ENDPOINT.b);
}
