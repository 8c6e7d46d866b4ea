import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { type Flow, PROTOCOL, parsePort } from '#core/network/flow';
import { parseSpiffeId } from '#core/spiffe/id';
import type { Clock } from '#daemon/clock';
import type { Datapath, EndpointId, HeldFlow } from '../datapath/contract.ts';
import type { WorkloadEndpoint } from './endpoints.ts';
import { FirstContact } from './first-contact.ts';

const flow: Flow = {
  source: parseIpAddress('10.1.0.10'),
  destination: parseIpAddress('10.2.0.10'),
  protocol: PROTOCOL.tcp,
  servicePort: parsePort(8443),
};
const held: HeldFlow = {
  key: {
    realm: 0,
    endpoint: 7 as EndpointId,
    local: flow.source,
    remote: flow.destination,
    protocol: PROTOCOL.tcp,
    role: 'client',
    servicePort: 8443,
  },
  flow,
  sinceBootNs: 0n,
};

/** A gate that writes down what it is told, and a clock that is turned by hand. */
function scene(gate: WorkloadEndpoint['gate'], allowed = true, more: Partial<WorkloadEndpoint> = {}) {
  const said: string[] = [];
  const timers: (() => void)[] = [];
  let endpoint: WorkloadEndpoint = {
    endpoint: 7 as EndpointId,
    interfaceIndex: 3,
    name: 'web0',
    namespace: 1n,
    addresses: [flow.source],
    gate,
    identity: { entryId: 'e', spiffeId: parseSpiffeId('spiffe://east.example/web') },
    ...more,
  };
  let hold: (flow: HeldFlow) => void = () => undefined;
  const datapath: Pick<Datapath, 'onHeld' | 'retry' | 'refuse' | 'bootNs'> = {
    onHeld: (listener) => {
      hold = listener;
    },
    retry: () => said.push('retry'),
    refuse: (_key, reason) => said.push(`refuse ${reason}`),
    bootNs: () => 0n,
  };
  const clock: Pick<Clock, 'after'> = {
    after: (_ms, run) => {
      timers.push(run);
      return { cancel: () => undefined };
    },
  };
  const contact = new FirstContact({
    datapath,
    endpointOf: (id) => (id === endpoint.endpoint ? endpoint : undefined),
    mayBeAllowed: () => allowed,
    attestAgain: () => said.push('attest'),
    clock: clock as Clock,
  });
  contact.onAttested(() => said.push('pair'));
  return {
    said,
    hold: () => hold(held),
    become: (next: WorkloadEndpoint['gate']) => {
      const { awaitsSvid: _, ...rest } = endpoint;
      endpoint = { ...rest, gate: next };
      contact.settle();
    },
    elapse: () => {
      for (const run of timers) run();
    },
  };
}

describe('FirstContact', () => {
  test.each([
    ['a managed workload’s flow asks for its pair', 'all', true, ['pair']],
    ['a flow that no policy allows whoever answers is refused at once', 'all', false, ['refuse denied-by-policy']],
    ['an unmanaged workload’s flow goes through the gate again', 'unmanaged', true, ['retry']],
    ['an unattested workload is attested first', 'unattested', true, ['attest']],
  ] as const)('%s', (_, gate, allowed, expected) => {
    const s = scene(gate, allowed);
    s.hold();
    expect(s.said).toEqual(expected);
  });

  test.each([
    ['managed', 'all', ['attest', 'pair']],
    ['unmanaged', 'unmanaged', ['attest', 'retry']],
    ['still unattested', 'unattested', ['attest']],
  ] as const)('a flow that waited goes on when its workload is found to be %s', (_, gate, expected) => {
    const s = scene('unattested');
    s.hold();
    s.become(gate);
    expect(s.said).toEqual(expected);
  });

  test('what is new to a workload that awaits its SVID waits with it', () => {
    const s = scene('all', true, { awaitsSvid: true });
    s.hold();
    expect(s.said).toEqual(['attest']);
    s.become('all');
    expect(s.said).toEqual(['attest', 'pair']);
  });

  test('patience ends: an answer, once', () => {
    const s = scene('unattested');
    s.hold();
    s.elapse();
    s.become('all');
    expect(s.said).toEqual(['attest', 'refuse unattested']);
  });

  test('patience does not refuse what has gone on', () => {
    const s = scene('unattested');
    s.hold();
    s.become('all');
    s.elapse();
    expect(s.said).toEqual(['attest', 'pair']);
  });
});
