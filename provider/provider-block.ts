import { parseTrustDomain, type TrustDomain } from '#core/spiffe/id';
import { HOST_AND_PORT } from './attributes/address.ts';
import { durationMs, TIMEOUT } from './attributes/duration.ts';
import { NOT_EMPTY } from './attributes/not-empty.ts';
import { oneOf } from './attributes/one-of.ts';
import { TRUST_DOMAIN } from './attributes/trust-domain.ts';
import { type AuthorityEndpoints, Connections, type EnforcementWait } from './authority/connections.ts';
import type { AuthorityEndpoint } from './authority/endpoint.ts';
import type { Report } from './plugin/diagnostic.ts';
import { attributePath } from './plugin/path.ts';
import { attribute, type Model, type Planned } from './plugin/schema/attribute.ts';
import { isUnknown } from './plugin/values/unknown.ts';
import { isRecord, isWhollyKnown, type Value } from './plugin/values/value.ts';

const DEFAULT_TIMEOUT = '10s';
const DEFAULT_ON_TIMEOUT = 'warn';

const authority = {
  unix_socket: attribute.string({
    optional: true,
    rule: NOT_EMPTY,
    description: "The authority's admin socket, on the machine that Terraform runs on.",
  }),
  address: attribute.string({
    optional: true,
    rule: HOST_AND_PORT,
    description: "The authority's address, `host:port`; needs `cert`, `key` and `bundle`.",
  }),
  cert: attribute.string({
    optional: true,
    rule: NOT_EMPTY,
    description: "An administrator's SVID with its chain: PEM, or the path of a PEM file.",
  }),
  key: attribute.string({
    optional: true,
    rule: NOT_EMPTY,
    sensitive: true,
    description: 'Its private key: better the path of a file than PEM, which a saved plan would hold.',
  }),
  bundle: attribute.string({
    optional: true,
    rule: NOT_EMPTY,
    description:
      'The bundle that the authority must prove itself by: PEM or SPIFFE JSON, or a SPIFFE bundle map that has the trust domain; or the path of such a file.',
  }),
} as const;

const waitForEnforcement = {
  timeout: attribute.string({ optional: true, rule: TIMEOUT, description: `How long to wait. Default: \`"${DEFAULT_TIMEOUT}"\`.` }),
  on_timeout: attribute.string({
    optional: true,
    rule: oneOf(['warn', 'error']),
    description: `\`warn\` names the nodes that lag behind; \`error\` fails the apply, and a new object is then marked as tainted. Default: \`${DEFAULT_ON_TIMEOUT}\`.`,
  }),
} as const;

/** The attributes of `provider "symbolon"`. */
export const providerAttributes = {
  authorities: attribute.mapOfObjects({
    optional: true,
    attributes: authority,
    key: TRUST_DOMAIN,
    description: 'How to reach the authority of each trust domain. One provider block serves them all.',
  }),
  owner: attribute.string({
    optional: true,
    description:
      "Name under which objects are created, another one for each stack: by it an apply that was interrupted finds its own objects again and takes them over. Two stacks of one owner take over each other's. Default: none; nothing is ever taken over, and an object that is there already is an error that prints the import command.",
  }),
  wait_for_enforcement: attribute.object({
    optional: true,
    attributes: waitForEnforcement,
    description: 'After each change wait until all connected agents enforce it. Without this block nothing is waited for.',
  }),
} as const;
type ProviderBlock = typeof providerAttributes;

/** Reports an authority that says too little or too much about how to reach it. */
export function checkProviderBlock(config: Planned<ProviderBlock>, report: Report): void {
  const authorities = config.authorities as Value;
  if (!isRecord(authorities)) return;
  for (const [name, entry] of Object.entries(authorities)) {
    if (!isRecord(entry)) continue;
    const has = (field: string): boolean => (entry[field] ?? null) !== null;
    const fail = (text: string): void => {
      const path = attributePath('authorities', { key: name });
      report.error('Invalid authority', `authorities[${JSON.stringify(name)}]: ${text}.`, path);
    };
    if (has('unix_socket') === has('address')) fail('expected either unix_socket or address');
    const proof = ['cert', 'key', 'bundle'] as const;
    if (has('address') && !proof.every(has))
      fail(`address needs cert, key and bundle, too; ${proof.filter((f) => !has(f)).join(' and ')} missing`);
    if (has('unix_socket') && proof.some(has))
      fail('unix_socket takes no cert, key or bundle: who may open the socket is an administrator');
  }
}

function endpointOf(entry: Model<typeof authority>): AuthorityEndpoint | undefined {
  if (entry.unix_socket !== null) return { kind: 'unix', path: entry.unix_socket };
  const { address, cert, key, bundle } = entry;
  if (address === null || cert === null || key === null || bundle === null) return undefined;
  return { kind: 'mtls', address, certificate: cert, key, bundle };
}

function endpointsOf(value: Value): AuthorityEndpoints | undefined {
  if (isUnknown(value)) return undefined;
  const endpoints = new Map<TrustDomain, AuthorityEndpoint | undefined>();
  for (const [name, entry] of Object.entries(isRecord(value) ? value : {})) {
    endpoints.set(parseTrustDomain(name), isWhollyKnown(entry) ? endpointOf(entry as unknown as Model<typeof authority>) : undefined);
  }
  return endpoints;
}

function waitOf(value: Value): EnforcementWait | undefined {
  if (!isRecord(value) || !isWhollyKnown(value)) return undefined;
  const { timeout, on_timeout } = value as unknown as Model<typeof waitForEnforcement>;
  return {
    timeoutMs: durationMs(timeout ?? DEFAULT_TIMEOUT),
    onTimeout: (on_timeout ?? DEFAULT_ON_TIMEOUT) === 'error' ? 'error' : 'warn',
  };
}

/** The connections of a provider block, whose values may be unknown at plan. */
export function configureConnections(config: Planned<ProviderBlock>): Connections {
  const owner = typeof config.owner === 'string' ? config.owner : '';
  return new Connections(owner, endpointsOf(config.authorities), waitOf(config.wait_for_enforcement));
}
