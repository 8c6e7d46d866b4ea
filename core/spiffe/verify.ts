import { hash } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import { earliest, type Instant } from '#core/time/instant';
import { type Authority, usableAuthorities } from './authority.ts';
import type { BundleSet, X509Bundle } from './bundle.ts';
import { checkCertificateSize, parseCertificate } from './certificate.ts';
import { type TrustDomain, trustDomainOf } from './id.ts';
import { issuedToNodeOf, leafSpiffeId } from './leaf.ts';
import { checkConstraints, checkValidity, findIssuer, MAX_INTERMEDIATES, type PathContext, type TrustedIssuer } from './path.ts';
import { publicKeyOf } from './public-key.ts';
import type { X509Svid } from './svid.ts';

/** A leaf and its intermediates. */
export const MAX_CHAIN_LENGTH = 1 + MAX_INTERMEDIATES;

type KnownIssuers = NonNullable<PathContext['known']>;
/** Where a verification takes what it may remember: nothing, for the plain function. */
interface Memory {
  authorities(bundle: X509Bundle): readonly Authority[];
  issuers(bundle: X509Bundle): KnownIssuers | undefined;
}

const NO_MEMORY: Memory = { authorities: usableAuthorities, issuers: () => undefined };

function bundleOf(bundles: BundleSet, trustDomain: TrustDomain): X509Bundle {
  const bundle = bundles.get(trustDomain);
  if (bundle?.trustDomain !== trustDomain) {
    throw new SymbolonError('BUNDLE_MISSING', `no bundle of the trust domain ${trustDomain} is known; its SVIDs cannot be verified`, {
      trustDomain,
    });
  }
  return bundle;
}

/** The chain's own copy, if its size is acceptable: what is remembered must not change with the caller's buffer. */
function takeChain(chain: readonly Uint8Array[]): readonly Buffer[] {
  if (chain.length === 0) throw new SymbolonError('SVID_INVALID', 'the certificate chain is empty', { rule: 'chain' });
  if (chain.length > MAX_CHAIN_LENGTH) {
    throw new SymbolonError('SVID_INVALID', `the chain has ${chain.length} certificates; at most ${MAX_CHAIN_LENGTH} are accepted`, {
      rule: 'chain',
    });
  }
  return chain.map((der) => {
    checkCertificateSize(der);
    return Buffer.from(der);
  });
}

function verifyWith(memory: Memory, chain: readonly Buffer[], bundles: BundleSet, at: Instant): X509Svid {
  const [first = Buffer.alloc(0), ...rest] = chain;
  const leaf = parseCertificate(first);
  const id = leafSpiffeId(leaf);
  const issuedToNode = issuedToNodeOf(leaf, id);
  const bundle = bundleOf(bundles, trustDomainOf(id));
  const authorities = memory.authorities(bundle);
  if (authorities.length === 0) {
    throw new SymbolonError('SVID_UNTRUSTED', `the bundle of ${bundle.trustDomain} holds no authority that can be used`, {
      rule: 'B4',
      spiffeId: id,
    });
  }
  checkValidity('the certificate', leaf, id, at);
  const known = memory.issuers(bundle);
  const context: PathContext = { leafId: id, at, authorities, ...(known && { known }) };
  const issuer = findIssuer(leaf, rest, context);
  checkConstraints(leaf, issuer, context);
  return {
    id,
    chain,
    publicKey: publicKeyOf(leaf),
    notBefore: Math.max(leaf.notBefore, issuer.notBefore) as Instant,
    notAfter: earliest(leaf.notAfter, issuer.notAfter),
    serialNumber: leaf.serialNumber,
    ...(issuedToNode !== undefined && { issuedToNode }),
  };
}

/**
 * Verifies an X509-SVID: the leaf's own rules (X509-SVID section 5.2), then its path (RFC 5280) to an authority of its own trust domain's
 * bundle and no other. `chain` is DER, leaf first, each certificate signed by the next; the authority itself may be left out. It says who the
 * peer is once it has proven possession of `publicKey`, not whether it is allowed anything.
 * Throws SVID_INVALID, SVID_UNTRUSTED, SVID_EXPIRED, BUNDLE_MISSING, CERTIFICATE_INVALID, DER_INVALID.
 */
export function verifyX509Svid(chain: readonly Uint8Array[], bundles: BundleSet, at: Instant): X509Svid {
  return verifyWith(NO_MEMORY, takeChain(chain), bundles, at);
}

/** Verifies like verifyX509Svid, and remembers. */
export interface SvidVerifier {
  verify(chain: readonly Uint8Array[], bundles: BundleSet, at: Instant): X509Svid;
}

/** A map that forgets its oldest entry when it is full. */
class BoundedMap<K, V> extends Map<K, V> {
  constructor(private readonly limit: number) {
    super();
  }
  override set(key: K, value: V): this {
    if (!this.has(key) && this.size >= this.limit) {
      const [oldest] = this.keys();
      if (oldest !== undefined) this.delete(oldest);
    }
    return super.set(key, value);
  }
}

interface BundleMemory {
  readonly authorities: readonly Authority[];
  readonly issuers: Map<string, TrustedIssuer>;
  readonly leaves: Map<string, X509Svid>;
}

const chainKey = (chain: readonly Uint8Array[]): string => chain.map((der) => hash('sha256', der, 'base64')).join();
const isValidAt = (v: { readonly notBefore: Instant; readonly notAfter: Instant }, at: Instant): boolean =>
  at >= v.notBefore && at <= v.notAfter;

/**
 * A verifier that remembers, for each bundle object, its parsed authorities, intermediates and whole chains. A bundle must not be changed
 * in place: what was verified under a bundle counts only for that very object, so replacing it forgets everything.
 */
export function createSvidVerifier(
  limits: { readonly chains: number; readonly intermediates: number } = { chains: 16_384, intermediates: 256 },
): SvidVerifier {
  const memories = new WeakMap<X509Bundle, BundleMemory>();
  const trustDomains = new BoundedMap<string, TrustDomain>(limits.chains);
  const of = (bundle: X509Bundle): BundleMemory => {
    let memory = memories.get(bundle);
    if (!memory) {
      memory = {
        authorities: usableAuthorities(bundle),
        issuers: new BoundedMap(limits.intermediates),
        leaves: new BoundedMap(limits.chains),
      };
      memories.set(bundle, memory);
    }
    return memory;
  };
  return {
    verify(presented, bundles, at) {
      const chain = takeChain(presented);
      const key = chainKey(chain);
      const trustDomain = trustDomains.get(key);
      const bundle = trustDomain && bundles.get(trustDomain);
      const remembered = bundle && memories.get(bundle)?.leaves.get(key);
      if (remembered && bundle.trustDomain === trustDomain && isValidAt(remembered, at)) return remembered;
      const memory: Memory = {
        authorities: (b) => of(b).authorities,
        issuers: (b) => ({
          get(der) {
            const issuer = of(b).issuers.get(chainKey([der]));
            return issuer && isValidAt(issuer, at) ? issuer : undefined;
          },
          set: (der, issuer) => void of(b).issuers.set(chainKey([der]), issuer),
        }),
      };
      const svid = verifyWith(memory, chain, bundles, at);
      const verified = trustDomainOf(svid.id);
      trustDomains.set(key, verified);
      of(bundleOf(bundles, verified)).leaves.set(key, svid);
      return svid;
    },
  };
}
