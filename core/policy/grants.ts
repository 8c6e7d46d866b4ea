import { PROTOCOL, type Protocol } from '#core/network/flow';
import type { AuthPolicy, Grant } from './model.ts';
import { type PortRange, subtractRanges } from './port-ranges.ts';
import { type FlowClass, icmpOf, portsOf, protocolOf } from './traffic.ts';

/** The ports of a protocol that the policies name, in a family. A loop, since a busy node asks often and of many policies. */
function rangesOf(policies: readonly AuthPolicy[], protocol: Protocol, family: 4 | 6): readonly PortRange[] {
  const ranges: PortRange[] = [];
  for (const policy of policies) {
    for (const traffic of policy.traffic) {
      const range = portsOf(traffic, protocol, family);
      if (range !== undefined) ranges.push(range);
    }
  }
  return ranges;
}

/** The protocols that grants are given for: those that an allow names; for `any`, TCP, UDP, the family's ICMP and the asked one. */
function protocolsOf(allows: readonly AuthPolicy[], asked: FlowClass): readonly Protocol[] {
  const found = new Set<Protocol>();
  for (const policy of allows) {
    for (const traffic of policy.traffic) {
      const protocol = protocolOf(traffic, asked.family);
      if (protocol !== undefined) found.add(protocol);
      else for (const each of [PROTOCOL.tcp, PROTOCOL.udp, icmpOf(asked.family), asked.protocol]) found.add(each);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Everything that these policies, which all name the two parties, allow between them in the asked flow's family: sorted, in the fewest ranges. */
export function grantsOf(policies: readonly AuthPolicy[], asked: FlowClass): readonly Grant[] {
  const allows = policies.filter((policy) => policy.action === 'allow');
  const denies = policies.filter((policy) => policy.action === 'deny');
  return protocolsOf(allows, asked).flatMap((protocol) => {
    const left = subtractRanges(rangesOf(allows, protocol, asked.family), rangesOf(denies, protocol, asked.family));
    return left.map(({ low, high }) => ({ protocol, lowPort: low, highPort: high }));
  });
}
