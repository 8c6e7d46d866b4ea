import { SymbolonError } from '#core/errors/error';
import { nodeSpiffeId } from '#core/registration/node-id';
import { statusCodeOf } from '#daemon/grpc/status';
import type { Handlers } from '#daemon/grpc/service';
import type { BatchCreateEntryResponse_Result, EntryService } from '#proto/gen/spire/server/entry';
import type { Entry, EntryMask } from '#proto/gen/spire/types';
import type { IdentityBody } from '../registry/identity.ts';
import { createObject, findSame, getObject, removeObject, updateObject } from '../registry/mutate.ts';
import type { Declared } from '../registry/object.ts';
import { listObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { mutate, nowSeconds, type ServiceContext } from './context.ts';
import { type PageKey, pageOf } from './page.ts';
import { entryFilter } from './spire-entry-filter.ts';
import { applyEntry, entryMessage, identityFromEntry } from './spire-entry-messages.ts';
import { itemStatus, OK } from './spire-types.ts';

/** Whoever writes by SPIRE's API writes by hand, as far as ownership goes. */
const OWNER = '';

/** Entries are paged by their ids: UUIDs. */
const ENTRY_KEY: PageKey<Declared<IdentityBody>> = {
  of: (entry) => entry.id,
  isKey: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
};

/** spire.api.server.entry.v1.Entry. Batches are one transaction; items fail one by one. */
export function spireEntryService(context: ServiceContext): Handlers<typeof EntryService> {
  const { store, trustDomain, authorisation, limits } = context;
  const rules = context.rules.identity;
  const list = () => store.transact((tx) => listObjects<IdentityBody>(tx, 'identity'));

  const create = async (tx: StoreTransaction, entry: Entry, mask: EntryMask | undefined): Promise<BatchCreateEntryResponse_Result> => {
    try {
      if (entry.id !== '') {
        throw new SymbolonError('REQUEST_INVALID', 'the id of an entry is chosen by this authority; leave it out', {
          field: 'id',
          value: entry.id,
        });
      }
      const body = rules.canonical(identityFromEntry(entry));
      const same = await findSame(tx, rules, body);
      if (same) {
        const error = new SymbolonError('ALREADY_EXISTS', 'similar entry already exists', { what: same.id });
        return { status: { code: statusCodeOf(error), message: error.message }, entry: entryMessage(same, mask) };
      }
      const options = { atSeconds: nowSeconds(context), trustDomain };
      return { status: OK, entry: entryMessage(await createObject(tx, rules, { input: body, owner: OWNER }, options), mask) };
    } catch (error) {
      return { status: itemStatus(error), entry: undefined };
    }
  };

  const update = async (tx: StoreTransaction, entry: Entry, input: EntryMask | undefined, output: EntryMask | undefined) => {
    try {
      const before = await getObject(tx, rules, entry.id);
      const body = applyEntry(before.body, entry, input);
      const after = await updateObject(tx, rules, entry.id, { input: body, owner: OWNER }, undefined);
      return { status: OK, entry: entryMessage(after, output) };
    } catch (error) {
      return { status: itemStatus(error), entry: undefined };
    }
  };

  const remove = async (tx: StoreTransaction, id: string) => {
    try {
      await removeObject(tx, rules, id, undefined);
      return { status: OK, id };
    } catch (error) {
      return { status: itemStatus(error), id };
    }
  };

  const batch = async <T, R extends { readonly status: { readonly code: number } | undefined }>(
    items: readonly T[],
    one: (tx: StoreTransaction, item: T) => Promise<R>,
  ): Promise<R[]> => {
    const { result } = await mutate(context, async (tx) => {
      const results: R[] = [];
      for (const item of items) results.push(await one(tx, item));
      return results;
    });
    return result;
  };

  return {
    countEntries: async (request) => {
      const passes = entryFilter(request.filter);
      return { count: (await list()).filter((entry) => passes(entry.body)).length };
    },
    listEntries: async (request) => {
      const passes = entryFilter(request.filter);
      const found = (await list()).filter((entry) => passes(entry.body));
      const { items, nextPageToken } = pageOf(found, ENTRY_KEY, request);
      return { entries: items.map((entry) => entryMessage(entry, request.outputMask)), nextPageToken };
    },
    getEntry: async (request) => entryMessage(await store.transact((tx) => getObject(tx, rules, request.id)), request.outputMask),
    batchCreateEntry: async (request) => ({ results: await batch(request.entries, (tx, entry) => create(tx, entry, request.outputMask)) }),
    batchUpdateEntry: async (request) => ({
      results: await batch(request.entries, (tx, entry) => update(tx, entry, request.inputMask, request.outputMask)),
    }),
    batchDeleteEntry: async (request) => ({ results: await batch(request.ids, remove) }),
    getAuthorizedEntries: async (request, call) => {
      const { node } = authorisation.nodeOf(call);
      const parent = nodeSpiffeId(trustDomain, node);
      const all = await limits.nodeCalls.run('GetAuthorizedEntries', node, list);
      const mine = all.filter((entry) => entry.body.parentId === parent);
      return { entries: mine.map((entry) => entryMessage(entry, request.outputMask)) };
    },
  };
}
