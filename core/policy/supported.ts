import { SymbolonError } from '#core/errors/error';
import type { AuthPolicy, PartySet } from './model.ts';

function notYet(policy: AuthPolicy, path: string, value: string, instead: string): never {
  throw new SymbolonError('POLICY_NOT_YET', `policy ${policy.name}: ${path} ${JSON.stringify(value)} is not yet supported; ${instead}`, {
    path,
    value,
  });
}

function checkParties(policy: AuthPolicy, path: string, parties: PartySet): void {
  const [prefix] = parties.addressPrefixes;
  if (prefix !== undefined) notYet(policy, `${path}.address_prefixes[0]`, prefix.text, 'name identities, path prefixes or trust domains');
}

/** Refuses what the model can say and nothing enforces yet. Throws POLICY_NOT_YET with the attribute's path. */
export function checkSupported(policy: AuthPolicy): void {
  checkParties(policy, 'sources', policy.sources);
  checkParties(policy, 'destinations', policy.destinations);
  if (policy.mode !== 'enforce') notYet(policy, 'mode', policy.mode, 'leave it out, or write "enforce"');
  if (policy.protection !== 'authenticated') notYet(policy, 'protection', policy.protection, 'leave it out, or write "authenticated"');
  const [binary] = policy.execution?.binarySha256 ?? [];
  if (policy.execution !== undefined) notYet(policy, 'execution', binary ?? '', 'leave it out');
  if (policy.realm !== 0) notYet(policy, 'realm', String(policy.realm), 'leave it out');
  if (policy.via !== undefined) notYet(policy, 'via', policy.via, 'leave it out');
}
