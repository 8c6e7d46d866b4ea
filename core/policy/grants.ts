import { PROTOCOL, type Protocol } from '#core/network/flow';
import type { AuthPolicy, Grant } from './model.ts';
import { mergeRanges, type PortRange, subtractRanges } from './port-ranges.ts';
import { type FlowClass, icmpOf, portsOf, protocolOf } from './traffic.ts';

function rangesOf(policies: readonly AuthPolicy[], protocol: Protocol, family: 4 | 6): readonly PortRange[] {
  return policies.flatMap((policy) =>
    policy.traffic.flatMap((traffic) => {
      const range = portsOf(traffic, protocol, family);
      return range === undefined ? [] : [range];
    }),
  );
}

/** The protocols that grants are given for: those that an allow names; for `any`, TCP, UDP, the family's ICMP and the asked one. */
function protocolsOf(allows: readonly AuthPolicy[], asked: FlowClass): readonly Protocol[] {
  const ofAny = [PROTOCOL.tcp, PROTOCOL.udp, icmpOf(asked.family), asked.protocol];
  const named = allows.flatMap((policy) =>
    policy.traffic.flatMap((traffic) => {
      const protocol = protocolOf(traffic, asked.family);
      return protocol === undefined ? ofAny : [protocol];
    }),
  );
  return [...new Set(named)].sort((a, b) => a - b);
}

/** Everything that these policies, which all name the two parties, allow between them in the asked flow's family: sorted, in the fewest ranges. */
export function grantsOf(policies: readonly AuthPolicy[], asked: FlowClass): readonly Grant[] {
  const allows = policies.filter((policy) => policy.action === 'allow');
  const denies = policies.filter((policy) => policy.action === 'deny');
  return protocolsOf(allows, asked).flatMap((protocol) => {
    const allowed = mergeRanges(rangesOf(allows, protocol, asked.family));
    const left = subtractRanges(allowed, rangesOf(denies, protocol, asked.family));
    return left.map(({ low, high }) => ({ protocol, lowPort: low, highPort: high }));
  });
}
