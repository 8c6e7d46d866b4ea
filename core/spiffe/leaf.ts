import { isSymbolonError, SymbolonError } from '#core/errors/error';
import type { Certificate } from './certificate.ts';
import { KEY_USAGE } from './extensions.ts';
import { parseSpiffeId, pathOf, type SpiffeId, trustDomainOf } from './id.ts';

/** RFC 5280 section 4.2.1.12. */
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

function soleId(certificate: Certificate): SpiffeId {
  const uris = certificate.subjectAltName?.uris ?? [];
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1) {
    throw new SymbolonError('SVID_INVALID', `the certificate has ${uris.length} URI names; an X509-SVID has exactly one, its SPIFFE ID`, {
      rule: 'X1',
    });
  }
  try {
    return parseSpiffeId(uri);
  } catch (error) {
    if (!isSymbolonError(error, 'SPIFFE_ID_INVALID')) throw error;
    throw new SymbolonError('SVID_INVALID', 'the URI name of the certificate is not a SPIFFE ID', { rule: 'X1' }, error);
  }
}

/**
 * The SPIFFE ID of a leaf certificate, which must be fit to authenticate a workload (X509-SVID sections 2 to 5.2). Says nothing about who
 * signed it. Throws SVID_INVALID with the rule.
 */
export function leafSpiffeId(leaf: Certificate): SpiffeId {
  const id = soleId(leaf);
  const fail = (rule: string, why: string): never => {
    throw new SymbolonError('SVID_INVALID', `the certificate of ${id} ${why}`, { rule, spiffeId: id });
  };
  if (pathOf(id) === '') fail('X2', 'names a trust domain; a leaf needs an ID with a path');
  if (leaf.subjectEmpty && leaf.subjectAltName?.critical !== true)
    fail('X2', 'has an empty subject and subject alternative names that are not critical');
  if (leaf.basicConstraints?.isCa) fail('X4', 'is a CA; a CA never authenticates');
  if (leaf.keyUsage === undefined) return fail('X5', 'has no key usage');
  if (!leaf.keyUsage.critical) fail('X5', 'has a key usage that is not critical');
  if (!(leaf.keyUsage.bits & KEY_USAGE.digitalSignature)) fail('X5', 'has a key usage without digitalSignature');
  if (leaf.keyUsage.bits & (KEY_USAGE.keyCertSign | KEY_USAGE.crlSign)) fail('X5', 'has a key usage with keyCertSign or cRLSign');
  const usage = leaf.extendedKeyUsage;
  if (usage && !(usage.includes(SERVER_AUTH) && usage.includes(CLIENT_AUTH)))
    fail('X6', 'has an extended key usage without serverAuth and clientAuth');
  return id;
}

/** The node that an SVID says it was issued to. It must be of the same trust domain. Throws SVID_INVALID. */
export function issuedToNodeOf(leaf: Certificate, id: SpiffeId): SpiffeId | undefined {
  if (leaf.issuedToNode === undefined) return undefined;
  const fail = (why: string, cause?: unknown): never => {
    throw new SymbolonError(
      'SVID_INVALID',
      `the certificate of ${id} was issued to a node that ${why}`,
      { rule: 'issued-to-node', spiffeId: id },
      cause,
    );
  };
  let node: SpiffeId;
  try {
    node = parseSpiffeId(leaf.issuedToNode);
  } catch (error) {
    return fail('is not named by a SPIFFE ID', error);
  }
  return trustDomainOf(node) === trustDomainOf(id) ? node : fail(`is of another trust domain, ${trustDomainOf(node)}`);
}
