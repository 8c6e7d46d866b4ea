import { type IpAddress, parseIpAddress, sameAddress } from '#core/network/address';
import type { ExplainedEnd } from '#core/policy/explain';
import type { Traffic } from '#core/policy/model';
import { parseTraffic } from '#core/policy/traffic';
import { parseSpiffeId, type SpiffeId, type TrustDomain } from '#core/spiffe/id';
import { UsageError } from '#daemon/exit';
import type { Declared, DeclaredIdentity } from './declared.ts';

/** One end of a question: an identity, or an address. */
export type AskedEnd = { readonly kind: 'id'; readonly id: SpiffeId } | { readonly kind: 'address'; readonly address: IpAddress };

/** `web` (in the trust domain), `spiffe://east.example/web`, `10.1.0.10`, `fd00:1::10` or `[fd00:1::10]`. Throws UsageError or SPIFFE_ID_INVALID. */
export function parseEnd(text: string, trustDomain: TrustDomain): AskedEnd {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (text.startsWith('spiffe://')) return { kind: 'id', id: parseSpiffeId(text) };
  if (/^[0-9.]+$/.test(bare) || bare.includes(':')) return { kind: 'address', address: parseIpAddress(bare) };
  return { kind: 'id', id: parseSpiffeId(`spiffe://${trustDomain}/${text.replace(/^\//, '')}`) };
}

/** `payments:8443` (TCP), `payments:5353/udp`, `[fd00:2::10]:8443`, `payments/icmp`. Throws UsageError. */
export function parseDestination(text: string): { readonly end: string; readonly traffic: Traffic } {
  const ping = /^(.+)\/icmp$/.exec(text);
  if (ping) return { end: ping[1] ?? '', traffic: parseTraffic('icmp') };
  const parts = /^(.+):(\d+)(?:\/(tcp|udp))?$/.exec(text);
  const [, end = '', port = '', protocol = 'tcp'] = parts ?? [];
  const ambiguous = end.includes(':') && !end.startsWith('[') && !end.startsWith('spiffe://');
  if (!parts || ambiguous) {
    const hint = ambiguous ? 'put an IPv6 address into brackets' : 'it names no port';
    throw new UsageError(
      `${JSON.stringify(text)} is no destination: ${hint}; write it like payments:8443, [fd00:2::10]:5353/udp or payments/icmp`,
    );
  }
  return { end, traffic: parseTraffic(`${protocol}/${port}`) };
}

/** The family that the ends are asked about: that of their addresses, else IPv4. Throws UsageError if they differ. */
export function familyOf(source: AskedEnd, destination: AskedEnd): 4 | 6 {
  const families = [source, destination].flatMap((end) => (end.kind === 'address' ? [end.address.family] : []));
  if (new Set(families).size > 1) throw new UsageError('one end is IPv4 and the other IPv6; nothing connects them');
  return families[0] ?? 4;
}

/** Looks an end up in what is declared. An end that nothing declares has no `id`. */
export function resolveEnd(end: AskedEnd, declared: Declared): ExplainedEnd {
  const found = declared.identities.find((i) =>
    end.kind === 'id' ? i.id === end.id : i.addresses.some((a) => sameAddress(a, end.address)),
  );
  if (found) return endOf(found, declared);
  const inDirectory = end.kind === 'address' && declared.directory.nodeOf(end.address) !== undefined;
  return { label: end.kind === 'id' ? end.id : end.address.text, enforcement: 'off', inDirectory };
}

function endOf(identity: DeclaredIdentity, declared: Declared): ExplainedEnd {
  const node = declared.directory.nodes.get(identity.node);
  const inDirectory =
    identity.addresses.length > 0
      ? identity.addresses.some((a) => declared.directory.nodeOf(a)?.nodeId === identity.node)
      : (node?.prefixes.length ?? 0) > 0;
  const { id, enforcement } = identity;
  return { label: id, id, enforcement, inDirectory, ...(node ? { node: node.nodeId } : {}) };
}
