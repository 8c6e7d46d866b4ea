import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { addMs, type Instant, instantFromMs } from '#core/time/instant';
import type { BundleSet, X509Bundle } from '../bundle.ts';
import { KEY_USAGE } from '../extensions.ts';
import { parseSpiffeId, parseTrustDomain, type SpiffeId, type TrustDomain } from '../id.ts';
import { ISSUED_TO_NODE_OID, type X509Svid } from '../svid.ts';
import { verifyX509Svid } from '../verify.ts';

x509.cryptoProvider.set(webcrypto);
type CryptoKey = webcrypto.CryptoKey;

/** The moment at which test certificates are meant to be looked at: they are valid from an hour before to a day after. */
export const TEST_NOW: Instant = instantFromMs(Date.UTC(2026, 0, 15, 12));
const HOUR_MS = 3_600_000;

export type TestKeyKind = 'p256' | 'p384' | 'p521' | 'rsa1024' | 'rsa2048' | 'ed25519';
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1) };
const KEY_ALGORITHM: Readonly<Record<TestKeyKind, webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | webcrypto.Algorithm>> = {
  p256: { name: 'ECDSA', namedCurve: 'P-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384' },
  p521: { name: 'ECDSA', namedCurve: 'P-521' },
  rsa1024: { ...RSA, modulusLength: 1024 },
  rsa2048: { ...RSA, modulusLength: 2048 },
  ed25519: { name: 'Ed25519' },
};

/** A certificate's fields; every fault can be asked for. What is not given is as a sound issuer would write it. */
export interface TestCertificate {
  /** RFC 4514; '' = empty. */
  readonly subject?: string;
  /** Another issuer name than the CA's. */
  readonly issuer?: string;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly sanCritical?: boolean;
  /** Undefined = by kind; null = no extension. */
  readonly isCa?: boolean | null;
  readonly maxPathLength?: number;
  /** Bits of KEY_USAGE; null = no extension. */
  readonly keyUsage?: number | null;
  readonly keyUsageCritical?: boolean;
  /** Object identifiers; null = no extension. */
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  readonly serialNumber?: string;
  readonly keyKind?: TestKeyKind;
  /** Leave out the key identifiers. */
  readonly noKeyIds?: boolean;
  /** SHA-256 unless given. */
  readonly hash?: string;
  /** The private extension: a node's ID, or any text. */
  readonly issuedToNode?: string;
  /** More extensions: object identifier, critical, DER value. */
  readonly extensions?: readonly (readonly [string, boolean, Uint8Array])[];
  /** A key of one's own (an agent's CSR) instead of a new one. */
  readonly publicKey?: KeyObject;
}

/** What a CA issued. */
export interface IssuedSvid {
  readonly id: SpiffeId;
  /** DER, leaf first, with the CA's intermediates and without the root. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  /** The chain, verified at TEST_NOW (or at the moment given). Throws for a faulty one. */
  verified(at?: Instant): X509Svid;
}

interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

async function newKeys(kind: TestKeyKind): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM[kind] as webcrypto.EcKeyGenParams, true, ['sign', 'verify']);
}

const asKeyObject = (key: CryptoKey): KeyObject => KeyObject.from(key);

function utf8Der(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([
    bytes.length < 0x80 ? Buffer.of(0x0c, bytes.length) : Buffer.of(0x0c, 0x82, bytes.length >> 8, bytes.length & 0xff),
    bytes,
  ]);
}

/** A BIT STRING of up to 8 named bits. */
function namedBitsDer(bits: number): Uint8Array {
  const byte = Array.from({ length: 8 }, (_, bit) => (bits & (1 << bit) ? 0x80 >> bit : 0)).reduce((a, b) => a | b);
  return byte === 0 ? Buffer.of(0x03, 0x01, 0) : Buffer.of(0x03, 0x02, Math.log2(byte & -byte), byte);
}

let serial = 1;

async function sign(
  fields: TestCertificate,
  keys: KeyPair | { publicKey: x509.PublicKey },
  issuer: { name: string; keys: KeyPair; keyId?: string },
): Promise<x509.X509Certificate> {
  const subjectKey =
    keys.publicKey instanceof x509.PublicKey
      ? keys.publicKey
      : new x509.PublicKey(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  const extensions: x509.Extension[] = [];
  if (fields.isCa !== null) extensions.push(new x509.BasicConstraintsExtension(fields.isCa ?? false, fields.maxPathLength, true));
  if (fields.keyUsage !== null && fields.keyUsage !== undefined)
    extensions.push(new x509.Extension('2.5.29.15', fields.keyUsageCritical ?? true, namedBitsDer(fields.keyUsage)));
  if (fields.extendedKeyUsage) extensions.push(new x509.ExtendedKeyUsageExtension([...fields.extendedKeyUsage]));
  const names = [
    ...(fields.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(fields.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
  ];
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(names, fields.sanCritical ?? fields.subject === ''));
  if (!fields.noKeyIds) {
    extensions.push(await x509.SubjectKeyIdentifierExtension.create(subjectKey));
    if (issuer.keyId) extensions.push(new x509.AuthorityKeyIdentifierExtension(issuer.keyId));
  }
  if (fields.issuedToNode !== undefined) extensions.push(new x509.Extension(ISSUED_TO_NODE_OID, false, utf8Der(fields.issuedToNode)));
  for (const [oid, critical, value] of fields.extensions ?? []) extensions.push(new x509.Extension(oid, critical, value));
  return x509.X509CertificateGenerator.create({
    serialNumber: fields.serialNumber ?? (serial++).toString(16).padStart(8, '1'),
    subject: fields.subject ?? '',
    issuer: fields.issuer ?? issuer.name,
    notBefore: new Date(fields.notBefore ?? addMs(TEST_NOW, -HOUR_MS)),
    notAfter: new Date(fields.notAfter ?? addMs(TEST_NOW, 24 * HOUR_MS)),
    publicKey: subjectKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { ...issuer.keys.privateKey.algorithm, hash: fields.hash ?? 'SHA-256' } as webcrypto.EcdsaParams,
    extensions,
  });
}

const keyIdOf = (certificate: x509.X509Certificate): string | undefined =>
  certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;

const LEAF: TestCertificate = {
  subject: 'O=symbolon test',
  isCa: false,
  keyUsage: KEY_USAGE.digitalSignature,
  extendedKeyUsage: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
};
const CA: TestCertificate = { isCa: true, keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.crlSign };

/** A CA in memory for one trust domain. */
export class TestCa {
  private constructor(
    readonly trustDomain: TrustDomain,
    private readonly certificate: x509.X509Certificate,
    private readonly keys: KeyPair,
    private readonly intermediates: readonly Uint8Array[],
    /** The root's bundle, also for an intermediate. */
    readonly bundle: X509Bundle,
  ) {}

  /** A self-signed root. */
  static async create(trustDomain = 'east.example', fields: TestCertificate = {}): Promise<TestCa> {
    const domain = parseTrustDomain(trustDomain);
    const keys = await newKeys(fields.keyKind ?? 'p256');
    const all = { subject: `O=symbolon test,CN=root ${serial}`, uris: [`spiffe://${domain}`], ...CA, ...fields };
    const certificate = await sign(all, keys, { name: all.subject, keys });
    const der = new Uint8Array(certificate.rawData);
    return new TestCa(domain, certificate, keys, [], { trustDomain: domain, authorities: [{ der }], sequence: 1n });
  }

  /** This CA's own certificate, DER. */
  get der(): Uint8Array {
    return new Uint8Array(this.certificate.rawData);
  }

  get privateKey(): KeyObject {
    return asKeyObject(this.keys.privateKey);
  }

  /** The bundle of this CA's root alone. */
  get bundles(): BundleSet {
    return new Map([[this.trustDomain, this.bundle]]);
  }

  /** A CA signed by this one; chains that it issues hold its certificate. */
  async intermediate(fields: TestCertificate = {}): Promise<TestCa> {
    const keys = await newKeys(fields.keyKind ?? 'p256');
    const all = { subject: `O=symbolon test,CN=intermediate ${serial}`, uris: [`spiffe://${this.trustDomain}`], ...CA, ...fields };
    const certificate = await this.certify(all, keys);
    return new TestCa(this.trustDomain, certificate, keys, [new Uint8Array(certificate.rawData), ...this.intermediates], this.bundle);
  }

  private certify(fields: TestCertificate, keys: KeyPair | { publicKey: x509.PublicKey }): Promise<x509.X509Certificate> {
    const keyId = keyIdOf(this.certificate);
    return sign(fields, keys, { name: this.certificate.subject, keys: this.keys, ...(keyId && { keyId }) });
  }

  /** A leaf for a path (with its leading slash). */
  async issue(path: string, fields: TestCertificate = {}): Promise<IssuedSvid> {
    const id = parseSpiffeId(`spiffe://${this.trustDomain}${path}`);
    const keys = await newKeys(fields.keyKind ?? 'p256');
    const given = fields.publicKey && { publicKey: new x509.PublicKey(fields.publicKey.export({ format: 'der', type: 'spki' })) };
    const certificate = await this.certify({ ...LEAF, uris: [id], ...fields }, given ?? keys);
    const chain = [new Uint8Array(certificate.rawData), ...this.intermediates];
    const { bundles } = this;
    return { id, chain, privateKey: asKeyObject(keys.privateKey), verified: (at = TEST_NOW) => verifyX509Svid(chain, bundles, at) };
  }

  /** A node's SVID: `spiffe://<td>/symbolon/node/<name>`. */
  issueNode(name: string, fields: TestCertificate = {}): Promise<IssuedSvid> {
    return this.issue(`/symbolon/node/${name}`, fields);
  }

  /** A workload's SVID, issued to the node of that name. */
  issueWorkload(path: string, node: string, fields: TestCertificate = {}): Promise<IssuedSvid> {
    return this.issue(path, { issuedToNode: `spiffe://${this.trustDomain}/symbolon/node/${node}`, ...fields });
  }

  /** The authority's own SVID: `spiffe://<td>/symbolon/authority`. */
  issueAuthority(fields: TestCertificate = {}): Promise<IssuedSvid> {
    return this.issue('/symbolon/authority', fields);
  }
}
