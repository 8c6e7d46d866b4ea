import { type Flow, hasPorts, parsePort, parseProtocol } from '#core/network/flow';
import type { Grant } from '#core/policy/model';

/** What both grant: the ranges that lie in a grant of either list. */
export function intersectGrants(a: readonly Grant[], b: readonly Grant[]): readonly Grant[] {
  const out: Grant[] = [];
  for (const x of a) {
    for (const y of b) {
      const lowPort = Math.max(x.lowPort, y.lowPort);
      const highPort = Math.min(x.highPort, y.highPort);
      if (x.protocol === y.protocol && lowPort <= highPort) out.push({ protocol: x.protocol, lowPort, highPort });
    }
  }
  return out;
}

/** True if the flow lies in one of the grants. */
export function grantsCover(grants: readonly Grant[], flow: Flow): boolean {
  const port = flow.servicePort ?? 0;
  return grants.some((g) => g.protocol === flow.protocol && g.lowPort <= port && port <= g.highPort);
}

/** True if both lists have the same grants in the same order. */
export function sameGrants(a: readonly Grant[], b: readonly Grant[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => x.protocol === b[i]?.protocol && x.lowPort === b[i]?.lowPort && x.highPort === b[i]?.highPort)
  );
}

/** The flow to a grant's first port, between the same two. */
export function flowOfGrant({ source, destination }: Pick<Flow, 'source' | 'destination'>, grant: Grant): Flow {
  const protocol = parseProtocol(grant.protocol);
  return hasPorts(protocol)
    ? { source, destination, protocol, servicePort: parsePort(Math.max(1, grant.lowPort)) }
    : { source, destination, protocol };
}
