import { SymbolonError } from '#core/errors/error';
import { isReservedId, nodeNameOf } from '#core/registration/node-id';
import { parseSpiffeId, pathOf, type TrustDomain, trustDomainOf } from '#core/spiffe/id';
import type { TextRule } from '../plugin/schema/attribute.ts';
import { isUnknown } from '../plugin/values/unknown.ts';

const SCHEME = 'spiffe://';

/** The longest SPIFFE ID that a beginning surely contains: `spiffe://a.example/ns/we` → `spiffe://a.example/ns`. */
function idInPrefix(prefix: string): string | undefined {
  const slash = prefix.lastIndexOf('/');
  return slash >= SCHEME.length ? prefix.slice(0, slash) : undefined;
}

function checkIdPrefix(prefix: string): void {
  const fail = (cause?: unknown): never => {
    throw new SymbolonError(
      'SPIFFE_ID_INVALID',
      `a text that begins with ${JSON.stringify(prefix)} is no SPIFFE ID`,
      { value: prefix },
      cause,
    );
  };
  if (!prefix.startsWith(SCHEME.slice(0, prefix.length))) fail();
  const id = idInPrefix(prefix);
  if (id === undefined) return;
  try {
    parseSpiffeId(id);
  } catch (error) {
    fail(error);
  }
}

/** A SPIFFE ID that a workload may have: with a path, and not under the system's `/symbolon/`. */
export const WORKLOAD_ID: TextRule = {
  check: (text) => {
    const id = parseSpiffeId(text);
    const fail = (why: string): never => {
      throw new SymbolonError('SPIFFE_ID_INVALID', `${JSON.stringify(text)} ${why}`, { value: text });
    };
    if (pathOf(id) === '') fail(`has no path; expected one that names a workload, like ${text}/payments`);
    if (isReservedId(id)) fail('lies under /symbolon/, which is reserved for the system; name a workload');
  },
  checkPrefix: checkIdPrefix,
};

/** The SPIFFE ID of a node: `spiffe://<trust domain>/symbolon/node/<name>`. */
export const NODE_ID: TextRule = {
  check: (text) => {
    if (nodeNameOf(parseSpiffeId(text)) !== undefined) return;
    throw new SymbolonError(
      'SPIFFE_ID_INVALID',
      `${JSON.stringify(text)} is not the ID of a node; expected spiffe://<trust domain>/symbolon/node/<name>, for instance symbolon_node.<name>.spiffe_id`,
      { value: text },
    );
  },
  checkPrefix: checkIdPrefix,
};

/** The trust domain of an ID, as far as it is known yet: `"spiffe://a.example/ns/${x}"` tells it before x is known. */
export function knownTrustDomain(id: unknown): TrustDomain | undefined {
  const text = isUnknown(id) ? idInPrefix(id.refinements.prefix ?? '') : id;
  if (typeof text !== 'string') return undefined;
  try {
    return trustDomainOf(parseSpiffeId(text));
  } catch {
    return undefined; // the attribute's rule says what is wrong with it
  }
}
