import type { GateProgram, NodeGate } from './node-gate.ts';

export type Attached = readonly [gate: NodeGate, program: GateProgram, direction: 'ingress' | 'egress', interfaceName: string];

const TRIES = 20;

/**
 * What `act` returns while these programs are off; `prepare` comes before they are taken off. An agent puts back what is missing whenever it configures its
 * gate, which it may do because a process has started: if one did so meanwhile, what was seen proves nothing, and everything is done again.
 */
export async function withoutPrograms<T>(
  programs: readonly Attached[],
  act: () => Promise<T>,
  prepare: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    await prepare();
    for (const [gate, ...link] of programs) if (await gate.isAttached(...link)) await gate.detach(...link);
    const seen = await act();
    const back = await Promise.all(programs.map(([gate, ...link]) => gate.isAttached(...link)));
    if (!back.includes(true)) return seen;
  }
  throw new Error(`the agents put their programs back, ${TRIES} times out of ${TRIES}`);
}
