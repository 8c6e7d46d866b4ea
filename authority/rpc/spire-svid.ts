import { SymbolonError } from '#core/errors/error';
import { adminRightsOf, isReservedId, nodeSpiffeId } from '#core/registration/node-id';
import { parseDnsName } from '#core/registration/dns-name';
import { parseSpiffeId, pathOf, type SpiffeId, trustDomainOf } from '#core/spiffe/id';
import type { Handlers } from '#daemon/grpc/service';
import type { NewX509SVIDParams, SVIDService } from '#proto/gen/spire/server/svid';
import { verifyCsr } from '../ca/csr.ts';
import { issueSvid } from '../ca/issue.ts';
import { checkTtl, type IdentityBody } from '../registry/identity.ts';
import type { Declared } from '../registry/object.ts';
import { DEFAULT_SVID_TTL_SECONDS } from '../registry/settings.ts';
import { findObjectsById } from '../store/objects.ts';
import { readSettings } from '../store/settings.ts';
import type { ServiceContext } from './context.ts';
import { itemStatus, OK, x509SvidMessage } from './spire-types.ts';

/** A node asks for this many SVIDs at once at most. */
const MAX_BATCH = 500;

/** The one ID that a request for minting names. Throws CSR_INVALID. */
function mintedId(uris: readonly string[], trustDomain: string): SpiffeId {
  const [uri, ...more] = uris;
  const fail = (why: string): never => {
    throw new SymbolonError('CSR_INVALID', `the certification request ${why}`, { rule: 'uri' });
  };
  if (uri === undefined || more.length > 0) return fail(`names ${uris.length} URIs; expected one SPIFFE ID`);
  const id = parseSpiffeId(uri);
  if (trustDomainOf(id) !== trustDomain) return fail(`is for ${id}, which is not of the trust domain ${trustDomain}`);
  if (pathOf(id) === '') return fail(`is for ${id}, which has no path`);
  // A node's ID comes by attestation alone; the authority's own to nobody.
  if (isReservedId(id) && adminRightsOf(id) === undefined)
    return fail(`is for ${id}, which is not minted; only admin and reader IDs are under /symbolon/`);
  return id;
}

/** spire.api.server.svid.v1.SVID. */
export function spireSvidService(context: ServiceContext): Handlers<typeof SVIDService> {
  const { store, ca, clock, trustDomain, authorisation, limits, log } = context;

  const issueFor = async (node: string, params: NewX509SVIDParams, entry: Declared<IdentityBody> | undefined, defaultTtl: number) => {
    const parent = nodeSpiffeId(trustDomain, node);
    // The same answer for both: a node learns nothing of other nodes' entries.
    if (entry?.body.parentId !== parent) {
      throw new SymbolonError('NOT_FOUND', `there is no entry with the id ${JSON.stringify(params.entryId)} for the node ${node}`, {
        what: params.entryId,
      });
    }
    const { publicKey } = verifyCsr(params.csr);
    const id = parseSpiffeId(entry.body.spiffeId);
    const ttlSeconds = entry.body.x509SvidTtlSeconds || defaultTtl;
    const svid = await issueSvid(ca, { id, publicKey, ttlSeconds, dnsNames: entry.body.dnsNames, issuedToNode: parent }, clock.now());
    log.info({ spiffeId: id, node, entryId: entry.id, serialNumber: svid.serialNumber }, 'issued a workload SVID');
    return x509SvidMessage(svid, entry.body.hint);
  };

  const issueBatch = async (node: string, batch: readonly NewX509SVIDParams[]) => {
    const { entries, defaultTtl } = await store.transact(async (tx) => {
      const ids = batch.map(({ entryId }) => entryId);
      return {
        entries: new Map((await findObjectsById<IdentityBody>(tx, 'identity', ids)).map((entry) => [entry.id, entry])),
        defaultTtl: (await readSettings(tx)).body.x509SvidTtlSeconds || DEFAULT_SVID_TTL_SECONDS,
      };
    });
    const results = [];
    for (const params of batch) {
      try {
        results.push({ status: OK, svid: await issueFor(node, params, entries.get(params.entryId), defaultTtl) });
      } catch (error) {
        results.push({ status: itemStatus(error), svid: undefined });
      }
    }
    return results;
  };

  return {
    mintX509Svid: async (request) => {
      const { publicKey, uris, dnsNames } = verifyCsr(request.csr);
      const id = mintedId(uris, trustDomain);
      checkTtl(request.ttl, 'ttl');
      dnsNames.forEach(parseDnsName);
      const ttlSeconds = request.ttl || (await store.transact(readSettings)).body.x509SvidTtlSeconds || DEFAULT_SVID_TTL_SECONDS;
      const svid = await issueSvid(ca, { id, publicKey, ttlSeconds, dnsNames }, clock.now());
      log.info({ spiffeId: id, serialNumber: svid.serialNumber }, 'minted an SVID');
      return { svid: x509SvidMessage(svid) };
    },
    batchNewX509Svid: async (request, call) => {
      const { node } = authorisation.nodeOf(call);
      if (request.params.length > MAX_BATCH) {
        throw new SymbolonError('REQUEST_INVALID', `${request.params.length} SVIDs at once; ask for at most ${MAX_BATCH}`, {
          field: 'params',
          value: String(request.params.length),
        });
      }
      return { results: await limits.nodeCalls.run('BatchNewX509SVID', node, () => issueBatch(node, request.params)) };
    },
  };
}
