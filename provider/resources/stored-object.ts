import { isSymbolonError, SymbolonError } from '#core/errors/error';
import type { TrustDomain } from '#core/spiffe/id';
import { parseTrustDomain } from '#core/spiffe/id';
import type { Ownership } from '#proto/gen/symbolon/authority/types';
import type { AuthorityConnection } from '../authority/authority-connection.ts';
import { awaitEnforcement } from '../authority/await-enforcement.ts';
import type { Connections } from '../authority/connections.ts';
import { NOT_YET_KNOWN, type Operation, type Resource, type Stored } from '../plugin/resource.ts';
import type { Attributes, Model } from '../plugin/schema/attribute.ts';
import { reconcile } from '../plugin/schema/reconcile.ts';
import { typeOfShape } from '../plugin/schema/type-of.ts';
import { sameValue } from '../plugin/values/same.ts';
import type { Value, ValueRecord } from '../plugin/values/value.ts';
import { rememberedGeneration, rememberGeneration } from './generation.ts';
import type { StoredKind } from './stored-kind.ts';

type Message = { id: string; ownership?: Ownership | undefined };
type Behaviour<A extends Attributes> = Pick<Resource<A, Connections>, 'create' | 'read' | 'update' | 'delete' | 'import'>;

/** True if an object says what is planned, but for what only the authority decides. */
function saysTheSame(attributes: Attributes, planned: ValueRecord, found: ValueRecord): boolean {
  const spelled = reconcile(attributes, planned, found);
  return Object.entries(attributes).every(([name, attribute]) => {
    const same = (): boolean =>
      sameValue(planned[name] ?? null, (spelled[name] as Value | undefined) ?? null, typeOfShape(attribute.shape));
    return attribute.presence === 'computed' || same();
  });
}

/** How objects that an authority stores are created, read, changed, deleted and imported: the same for every kind of them. */
export function storedObject<A extends Attributes, M extends Message>(
  typeName: string,
  attributes: A,
  kind: StoredKind<A, M>,
): Behaviour<A> {
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

  /** A create found the object there: ours from an interrupted apply, or somebody's. */
  const adopt = async (
    authority: AuthorityConnection,
    wanted: M,
    planned: Model<A>,
    cause: unknown,
    operation: Operation<Connections>,
  ): Promise<Stored<A>> => {
    authority.forgetLists();
    const found = (await list(authority, operation.signal)).find((m) => kind.keyOf(m) === kind.keyOf(wanted));
    if (!found) throw cause;
    const name = kind.nameOf(found);
    const theirs = found.ownership?.owner ?? '';
    const { owner } = operation.connection;
    const model = kind.toModel(found, authority.trustDomain);
    if (theirs === owner && saysTheSame(attributes, planned as ValueRecord, model as ValueRecord)) {
      authority.adopted.add(found.id);
      operation.report.warning(
        `Took over an existing ${kind.noun}`,
        `The ${kind.noun} ${name} was there already, created by ${JSON.stringify(owner)} with the same content, as after an interrupted apply. It is managed from here now.`,
      );
      return stored(found, authority.trustDomain);
    }
    const difference = theirs === owner ? 'with other content' : `created by ${theirs === '' ? 'hand' : JSON.stringify(theirs)}`;
    throw new SymbolonError(
      'ALREADY_EXISTS',
      `the ${kind.noun} ${name} exists already, ${difference}; to manage it from here run: terraform import ${typeName}.<name> ${authority.trustDomain}/${found.id}`,
      { what: name },
      cause,
    );
  };

  /** Somebody else wrote between our refresh and our change: name them. */
  const conflict = async (
    authority: AuthorityConnection,
    id: string,
    cause: unknown,
    operation: Operation<Connections>,
  ): Promise<never> => {
    authority.forgetLists();
    const found = (await list(authority, operation.signal)).find((m) => m.id === id);
    if (!found) throw cause;
    const writer = found.ownership?.owner ? JSON.stringify(found.ownership.owner) : 'somebody without an owner name';
    throw new SymbolonError(
      'CONFLICT',
      `the ${kind.noun} ${kind.nameOf(found)} was changed by ${writer} since the plan (generation ${found.ownership?.generation ?? 0n}, planned for ${rememberedGeneration(operation.private) ?? 'none'}); plan again and look at the difference`,
      { what: kind.nameOf(found) },
      cause,
    );
  };

  return {
    async create(planned, operation) {
      const authority = operation.connection.get(kind.trustDomainOf(planned));
      const wanted = message(planned, '', operation.connection.owner);
      try {
        const written = await kind.create(authority, wanted, operation.signal);
        await awaitEnforcement(authority, written.revision, operation);
        return stored(written.message, authority.trustDomain);
      } catch (error) {
        if (!isSymbolonError(error, 'ALREADY_EXISTS')) throw error;
        return adopt(authority, wanted, planned, error, operation);
      }
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
      const id = String(prior['id']);
      const wanted = message(planned, id, operation.connection.owner);
      try {
        const written = await kind.update(authority, wanted, rememberedGeneration(operation.private), operation.signal);
        await awaitEnforcement(authority, written.revision, operation);
        return stored(written.message, authority.trustDomain);
      } catch (error) {
        if (isSymbolonError(error, 'CONFLICT')) return conflict(authority, id, error, operation);
        throw error;
      }
    },

    async delete(prior, operation) {
      const authority = operation.connection.get(kind.trustDomainOf(prior));
      const id = String(prior['id']);
      if (authority.adopted.has(id)) {
        operation.report.warning(
          `Kept a ${kind.noun}`,
          `Another resource took over the ${kind.noun} with the id ${id} in this apply; only this address is forgotten.`,
        );
        return;
      }
      try {
        const { revision } = await kind.delete(authority, id, rememberedGeneration(operation.private), operation.signal);
        await awaitEnforcement(authority, revision, operation);
      } catch (error) {
        if (isSymbolonError(error, 'NOT_FOUND')) return;
        if (isSymbolonError(error, 'CONFLICT')) await conflict(authority, id, error, operation);
        throw error;
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
        const choices = named.map((m) => `${trustDomain}/${m.id}`).join(', ');
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
