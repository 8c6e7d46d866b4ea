import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import type { AuthPolicy, ExecutionConstraints, PolicyAction, PolicyMode, PolicySide, Protection } from './model.ts';
import { atPath, invalid, type PartySetInput, parsePartySet } from './parse-parties.ts';
import { checkSupported } from './supported.ts';
import { parseTraffic } from './traffic.ts';

/** An auth policy as people write it. An absent or empty `side`, `action`, `mode` or `protection` is the default. */
export interface AuthPolicyInput {
  /** The authority's; empty for a policy that has none yet. */
  readonly id?: string;
  readonly trustDomain: string;
  readonly name: string;
  readonly sources: PartySetInput;
  readonly destinations: PartySetInput;
  readonly traffic: readonly string[];
  readonly side?: string;
  readonly action?: string;
  readonly mode?: string;
  readonly protection?: string;
  readonly execution?: ExecutionConstraints;
  readonly realm?: number;
  readonly via?: string;
}

export const POLICY_SIDES: readonly PolicySide[] = ['both', 'egress', 'ingress'];
export const POLICY_ACTIONS: readonly PolicyAction[] = ['allow', 'deny'];
export const POLICY_MODES: readonly PolicyMode[] = ['enforce', 'audit'];
export const PROTECTIONS: readonly Protection[] = ['authenticated', 'integrity', 'encrypted'];

/** What an auth policy has where nothing is said. */
export const POLICY_DEFAULTS = { side: 'both', action: 'allow', mode: 'enforce', protection: 'authenticated', realm: 0 } as const;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/;

/** Checks a policy's name: 1 to 128 letters, digits, dots, dashes, underscores; begins with a letter or digit. Throws POLICY_INVALID. */
export function parsePolicyName(name: string): string {
  if (NAME.test(name)) return name;
  return invalid(
    'name',
    name,
    'is not a policy name: expected 1 to 128 letters, digits, dots, dashes or underscores, first a letter or digit',
  );
}

function oneOf<T extends string>(path: string, value: string | undefined, allowed: readonly T[], byDefault: T): T {
  if (value === undefined || value === '') return byDefault;
  return allowed.find((known) => known === value) ?? invalid(path, value, `is unknown; expected ${allowed.join(', ')}`);
}

/**
 * Parses an auth policy. Throws POLICY_INVALID with the path of the attribute (`sources.spiffe_ids[1]`, `traffic[0]`), POLICY_NOT_YET for what the model
 * has and nothing enforces yet.
 */
export function parseAuthPolicy(input: AuthPolicyInput): AuthPolicy {
  const traffic = input.traffic.map((text, i) => atPath(`traffic[${i}]`, text, parseTraffic));
  if (traffic.length === 0) invalid('traffic', '', 'names no traffic; write for instance tcp/8443, or any');
  const policy: AuthPolicy = {
    id: input.id ?? '',
    trustDomain: atPath('trust_domain', input.trustDomain, parseTrustDomain),
    name: parsePolicyName(input.name),
    sources: parsePartySet('sources', input.sources),
    destinations: parsePartySet('destinations', input.destinations),
    traffic,
    side: oneOf('side', input.side, POLICY_SIDES, POLICY_DEFAULTS.side),
    action: oneOf('action', input.action, POLICY_ACTIONS, POLICY_DEFAULTS.action),
    mode: oneOf('mode', input.mode, POLICY_MODES, POLICY_DEFAULTS.mode),
    protection: oneOf('protection', input.protection, PROTECTIONS, POLICY_DEFAULTS.protection),
    realm: input.realm ?? POLICY_DEFAULTS.realm,
    ...(input.execution === undefined ? {} : { execution: input.execution }),
    ...(input.via === undefined ? {} : { via: atPath('via', input.via, parseSpiffeId) }),
  };
  checkSupported(policy);
  return policy;
}
