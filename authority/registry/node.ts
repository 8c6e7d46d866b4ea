import { describeError, SymbolonError } from '#core/errors/error';
import { type IpPrefix, parseIpPrefix, prefixContains } from '#core/network/prefix';
import { formatAgentEndpoint, parseAgentEndpoint } from '#core/registration/agent-endpoint';
import { type DirectoryNode, findPrefixConflict } from '#core/registration/directory';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { TrustDomain } from '#core/spiffe/id';
import { deleteAgent } from '../store/agents.ts';
import { deleteJoinTokensOf } from '../store/join-tokens.ts';
import { listObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { readSettings } from '../store/settings.ts';
import { canonicalSet } from './canonical.ts';
import type { ObjectRules } from './object.ts';

/** A node's content in text form. */
export interface NodeBody {
  readonly name: string;
  readonly addressPrefixes: readonly string[];
  /** `192.0.2.7:7420`, in order of preference. */
  readonly endpoints: readonly string[];
  /** By which it may join; empty = the default, `join_token`. */
  readonly attestationMethods: readonly string[];
}

const ATTESTATION_METHODS: readonly string[] = ['join_token'];

function invalid(field: string, value: string, why: string): never {
  throw new SymbolonError('ENTRY_INVALID', `${field} ${JSON.stringify(value)} ${why}`, { field, value });
}

function canonicalEndpoint(text: string): string {
  try {
    return formatAgentEndpoint(parseAgentEndpoint(text));
  } catch (error) {
    return invalid('endpoints', text, `is not an endpoint: ${describeError(error)}`);
  }
}

/** The node as an entry of the directory. */
function directoryNodeOf(trustDomain: TrustDomain, body: NodeBody, generation: bigint): DirectoryNode {
  return {
    source: trustDomain,
    realm: 0,
    nodeId: nodeSpiffeId(trustDomain, body.name),
    kind: 'node',
    prefixes: body.addressPrefixes.map(parseIpPrefix),
    endpoints: body.endpoints.map(parseAgentEndpoint),
    generation,
  };
}

/** Refuses prefixes that lie in none of the trust domain's, if it has any. Throws ENTRY_INVALID. */
export function checkInside(prefixes: readonly IpPrefix[], limits: readonly string[], noun: string): void {
  if (limits.length === 0) return;
  const allowed = limits.map(parseIpPrefix);
  for (const prefix of prefixes) {
    if (!allowed.some((limit) => limit.length <= prefix.length && prefixContains(limit, prefix.address))) {
      invalid('address_prefixes', prefix.text, `of ${noun} lies in none of the trust domain's address prefixes ${limits.join(', ')}`);
    }
  }
}

/** The rules of a trust domain's nodes: prefixes inside the domain's, and no two nodes' prefixes overlap. */
export function nodeRules(trustDomain: TrustDomain): ObjectRules<NodeBody, NodeBody> {
  return {
    kind: 'node',
    noun: 'node',
    canonical: (input) => {
      nodeSpiffeId(trustDomain, input.name);
      const unknown = input.attestationMethods.find((method) => !ATTESTATION_METHODS.includes(method));
      if (unknown !== undefined) invalid('attestation_methods', unknown, `is unknown; expected ${ATTESTATION_METHODS.join(', ')}`);
      return {
        name: input.name,
        addressPrefixes: canonicalSet(input.addressPrefixes.map((text) => parseIpPrefix(text).text)),
        endpoints: input.endpoints.map(canonicalEndpoint),
        attestationMethods: canonicalSet(input.attestationMethods),
      };
    },
    key: (body) => body.name,
    name: (body) => body.name,
    importId: (_id, body) => body.name,
    check: async (tx, body) => {
      const wanted = directoryNodeOf(trustDomain, body, 0n);
      checkInside(wanted.prefixes, (await readSettings(tx)).body.addressPrefixes, `the node ${body.name}`);
      const others = await listObjects<NodeBody>(tx, 'node');
      const conflict = findPrefixConflict(
        wanted.prefixes,
        wanted.nodeId,
        others.map((other) => directoryNodeOf(trustDomain, other.body, other.ownership.generation)),
      );
      if (conflict) {
        throw new SymbolonError(
          'CONFLICT',
          `address prefix ${conflict.prefix.text} of the node ${body.name} overlaps ${conflict.other.prefixes.map((p) => p.text).join(', ')} of ${conflict.other.nodeId}; give every address to one node`,
          { what: conflict.prefix.text, field: 'address_prefixes' },
        );
      }
    },
    checkUpdate: (before, after) => {
      if (before.name !== after.name) invalid('name', after.name, `cannot be changed (it is ${before.name}); make a new node`);
    },
    onDelete: (tx, body) => evict(tx, body.name),
  };
}

async function evict(tx: StoreTransaction, node: string): Promise<void> {
  await deleteAgent(tx, node);
  await deleteJoinTokensOf(tx, node);
}
