import { isSymbolonError, SymbolonError } from '#core/errors/error';
import type { TrustDomain } from '#core/spiffe/id';
import { parseTrustDomain } from '#core/spiffe/id';
import type { Ownership } from '#proto/gen/symbolon/authority/types';
import type { AuthorityConnection } from '../authority/authority-connection.ts';
import { awaitEnforcement } from '../authority/await-enforcement.ts';
import type { Connections } from '../authority/connections.ts';
import { untilSettled } from '../authority/settle.ts';
import { NOT_YET_KNOWN, type Resource, type Stored } from '../plugin/resource.ts';
import type { Attributes, Model } from '../plugin/schema/attribute.ts';
import { rememberedGeneration, rememberGeneration } from './generation.ts';
import { createOnce } from './one-address.ts';
import type { StoredKind } from './stored-kind.ts';

type Message = { id: string; ownership?: Ownership | undefined };
type Behaviour<A extends Attributes> = Pick<Resource<A, Connections>, 'create' | 'read' | 'update' | 'delete' | 'import'>;

/** What an authority gives a new object; an object that a create found there (an interrupted apply's) has more. */
const FIRST_GENERATION = 1n;

/** How objects that an authority stores are created, read, changed, deleted and imported: the same for every kind of them. */
export function storedObject<A extends Attributes, M extends Message>(kind: StoredKind<A, M>): Behaviour<A> {
  const list = (authority: AuthorityConnection, signal: AbortSignal): Promise<readonly M[]> =>
    authority.list(kind.noun, () => kind.list(authority, signal));
  const stored = (message: M, trustDomain: TrustDomain): Stored<A> => ({
    values: kind.toModel(message, trustDomain),
    private: rememberGeneration(message.ownership),
  });
  const message = (model: Model<A>, id: string, owner: string): M => ({
    ...kind.toMessage(model),
    id,
    ownership: { owner, generation: 0n },
  });

  return {
    async create(planned, operation) {
      const authority = operation.connection.get(kind.trustDomainOf(planned));
      const wanted = message(planned, '', operation.connection.owner);
      const { owner } = operation.connection;
      const written = await createOnce({ noun: kind.noun, key: kind.keyOf(planned) }, operation.connection, () =>
        untilSettled(owner, operation.signal, () => kind.create(authority, wanted, operation.signal)),
      );
      if ((written.message.ownership?.generation ?? 0n) > FIRST_GENERATION) {
        operation.report.warning(
          `Took over an existing ${kind.noun}`,
          `The ${kind.noun} ${kind.nameOf(written.message)} was there already, with the same owner and content, as after an interrupted apply. It is managed from here now; if another address of the configuration manages it, too, remove one of them.`,
        );
      }
      await awaitEnforcement(authority, written.revision, operation);
      return stored(written.message, authority.trustDomain);
    },

    async read(state, operation) {
      const trustDomain = kind.trustDomainOf(state);
      const authority = operation.connection.find(trustDomain);
      if (!authority) {
        operation.report.warning(
          'Not refreshed',
          `The address of the authority of ${trustDomain} is not known before apply; the state of its objects is taken as it is.`,
        );
        return NOT_YET_KNOWN;
      }
      const found = (await list(authority, operation.signal)).find((m) => m.id === state['id']);
      return found ? stored(found, trustDomain) : undefined;
    },

    async update(prior, planned, operation) {
      const authority = operation.connection.get(kind.trustDomainOf(planned));
      const wanted = message(planned, String(prior['id']), operation.connection.owner);
      const generation = rememberedGeneration(operation.private);
      const written = await untilSettled(operation.connection.owner, operation.signal, () =>
        kind.update(authority, wanted, generation, operation.signal),
      );
      await awaitEnforcement(authority, written.revision, operation);
      return stored(written.message, authority.trustDomain);
    },

    async delete(prior, operation) {
      const authority = operation.connection.get(kind.trustDomainOf(prior));
      try {
        const { revision } = await kind.delete(authority, String(prior['id']), rememberedGeneration(operation.private), operation.signal);
        await awaitEnforcement(authority, revision, operation);
      } catch (error) {
        // Already gone; or its id is, because another address took it over (an authority gives an adopted object a new id).
        if (!isSymbolonError(error, 'NOT_FOUND')) throw error;
      }
    },

    async import(importId, operation) {
      const { trustDomain, rest } = splitImportId(importId);
      const authority = operation.connection.get(trustDomain);
      const all = await list(authority, operation.signal);
      const byId = all.filter((m) => m.id === rest);
      const named = byId.length > 0 ? byId : all.filter((m) => kind.nameOf(m) === rest || kind.nameOf(m) === importId);
      const [found, ...others] = named;
      if (!found) {
        throw new SymbolonError('NOT_FOUND', `the authority of ${trustDomain} has no ${kind.noun} ${JSON.stringify(rest)}`, { what: rest });
      }
      if (others.length > 0) {
        const where = (m: M): string => (kind.whereabouts ? ` (${kind.whereabouts(m)})` : '');
        const choices = named.map((m) => `${trustDomain}/${m.id}${where(m)}`).join(', ');
        throw new SymbolonError(
          'CONFLICT',
          `${JSON.stringify(rest)} names ${named.length} objects; import one of them by its id: ${choices}`,
          { what: rest },
        );
      }
      return stored(found, trustDomain);
    },
  };
}

/** `td/name`, `td/id` or a SPIFFE ID. Throws TRUST_DOMAIN_INVALID or CONFIG_INVALID. */
export function splitImportId(id: string): { readonly trustDomain: TrustDomain; readonly rest: string } {
  const text = id.startsWith('spiffe://') ? id.slice('spiffe://'.length) : id;
  const slash = text.indexOf('/');
  const rest = slash < 0 ? '' : text.slice(slash + 1);
  if (rest === '') {
    throw new SymbolonError('CONFIG_INVALID', `${JSON.stringify(id)} is no import ID; expected <trust domain>/<name or id>`, {
      path: 'id',
      value: id,
    });
  }
  return { trustDomain: parseTrustDomain(text.slice(0, slash)), rest };
}
