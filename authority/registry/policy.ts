import type { PartySet } from '#core/policy/model';
import { parseAuthPolicy } from '#core/policy/parse';
import type { TrustDomain } from '#core/spiffe/id';
import { canonicalSet } from './canonical.ts';
import type { ObjectRules } from './object.ts';

export interface PartySetBody {
  readonly spiffeIds: readonly string[];
  readonly pathPrefixes: readonly string[];
  readonly trustDomains: readonly string[];
  readonly addressPrefixes: readonly string[];
}

/** An auth policy's content in text form; sets are sorted, defaults are written out. */
export interface PolicyBody {
  readonly name: string;
  readonly sources: PartySetBody;
  readonly destinations: PartySetBody;
  /** `tcp/8443`. */
  readonly traffic: readonly string[];
  readonly side: string;
  readonly action: string;
  readonly mode: string;
  readonly protection: string;
}

function parties(set: PartySet): PartySetBody {
  return {
    spiffeIds: canonicalSet(set.spiffeIds),
    pathPrefixes: canonicalSet(set.pathPrefixes),
    trustDomains: canonicalSet(set.trustDomains),
    addressPrefixes: canonicalSet(set.addressPrefixes.map((prefix) => prefix.text)),
  };
}

/** The rules of a trust domain's auth policies: what core/policy understands, names unique. */
export function policyRules(trustDomain: TrustDomain): ObjectRules<PolicyBody, PolicyBody> {
  return {
    kind: 'policy',
    noun: 'auth policy',
    canonical: (input) => {
      const policy = parseAuthPolicy({ ...input, trustDomain });
      return {
        name: policy.name,
        sources: parties(policy.sources),
        destinations: parties(policy.destinations),
        traffic: canonicalSet(policy.traffic.map((traffic) => traffic.text)),
        side: policy.side,
        action: policy.action,
        mode: policy.mode,
        protection: policy.protection,
      };
    },
    key: (body) => body.name,
    name: (body) => body.name,
    importId: (_id, body) => body.name,
  };
}
