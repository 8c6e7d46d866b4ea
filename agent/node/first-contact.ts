import type { Flow } from '#core/network/flow';
import type { Clock } from '#daemon/clock';
import type { Datapath, EndpointId, HeldFlow } from '../datapath/contract.ts';
import { mustWait, type WorkloadEndpoint } from './endpoints.ts';

/** A workload that is not attested (or has no SVID) by then gets an answer: refused. */
const PATIENCE_MS = 5000;
const REFUSAL_NS = 1_000_000_000n;

export interface FirstContactParts {
  readonly datapath: Pick<Datapath, 'onHeld' | 'retry' | 'refuse' | 'bootNs'>;
  readonly endpointOf: (endpoint: EndpointId) => WorkloadEndpoint | undefined;
  /** False where the policies refuse the flow whoever is at the other end. */
  readonly mayBeAllowed: (endpoint: WorkloadEndpoint, flow: Flow) => boolean;
  /** Looks at the workload's processes again. */
  readonly attestAgain: (interfaceIndex: number) => void;
  readonly clock: Clock;
}

/**
 * What happens to a held flow before its pair: a workload that is not attested yet is attested first. When that is done, `settle` sends the flow on: to the
 * pairs if the workload is managed, through the gate again if it is not.
 */
export class FirstContact {
  private readonly waiting = new Map<EndpointId, Set<HeldFlow>>();
  private listener: ((held: HeldFlow) => void) | undefined;

  constructor(private readonly parts: FirstContactParts) {
    parts.datapath.onHeld((held) => this.take(held));
  }

  /** The listener for flows of attested, managed workloads. */
  onAttested(listener: (held: HeldFlow) => void): void {
    this.listener = listener;
  }

  private take(held: HeldFlow): void {
    const endpoint = this.parts.endpointOf(held.key.endpoint);
    if (endpoint && !mustWait(endpoint)) return this.pass(held, endpoint);
    const flows = this.waiting.get(held.key.endpoint) ?? new Set();
    flows.add(held);
    this.waiting.set(held.key.endpoint, flows);
    this.parts.clock.after(PATIENCE_MS, () => {
      if (!this.waiting.get(held.key.endpoint)?.delete(held)) return;
      this.parts.datapath.refuse(held.key, 'unattested', this.parts.datapath.bootNs() + REFUSAL_NS);
    });
    if (endpoint) this.parts.attestAgain(endpoint.interfaceIndex);
  }

  private pass(held: HeldFlow, endpoint: WorkloadEndpoint): void {
    const { datapath, mayBeAllowed } = this.parts;
    if (endpoint.gate === 'unmanaged') datapath.retry(held.key);
    else if (mayBeAllowed(endpoint, held.flow)) this.listener?.(held);
    else datapath.refuse(held.key, 'denied-by-policy', datapath.bootNs() + REFUSAL_NS);
  }

  /** Call after every change of the endpoints. */
  settle(): void {
    for (const [id, flows] of this.waiting) {
      const endpoint = this.parts.endpointOf(id);
      if (endpoint && mustWait(endpoint)) continue;
      this.waiting.delete(id);
      if (endpoint) for (const held of flows) this.pass(held, endpoint);
    }
  }
}
