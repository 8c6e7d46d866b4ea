import type { TrustDomain } from '#core/spiffe/id';
import { knownTrustDomain } from '../attributes/spiffe-id.ts';
import { isUnknown } from '../plugin/values/unknown.ts';
import { isRecord, type Value } from '../plugin/values/value.ts';

/** True if a member of an end is of the trust domain, or may turn out to be. */
function mayHave(parties: Value, trustDomain: TrustDomain): boolean {
  if (!isRecord(parties)) return true;
  return Object.entries(parties).some(([name, set]) => {
    if (isUnknown(set)) return true;
    return (
      Array.isArray(set) &&
      set.some((member: unknown) => {
        if (name === 'trust_domains') return isUnknown(member) || member === trustDomain;
        const domain = knownTrustDomain(member);
        return domain === undefined || domain === trustDomain;
      })
    );
  });
}

/**
 * The ends of a policy at which no node of its trust domain could ever enforce it, if these are all that its side asks for. A policy is enforced at the
 * sources' nodes as egress, at the destinations' as ingress; members of other trust domains live on other authorities' nodes.
 */
export function unreachedEnds(
  policy: { readonly sources: unknown; readonly destinations: unknown; readonly side: unknown },
  trustDomain: TrustDomain,
): readonly ('sources' | 'destinations')[] {
  const ends =
    policy.side === 'egress'
      ? (['sources'] as const)
      : policy.side === 'ingress'
        ? (['destinations'] as const)
        : (['sources', 'destinations'] as const);
  return isUnknown(policy.side) || ends.some((end) => mayHave(policy[end] as Value, trustDomain)) ? [] : ends;
}
