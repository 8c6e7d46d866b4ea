import { randomUUID } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import { deleteObject, findObjects, insertObject, replaceObject } from '../store/objects.ts';
import type { ObjectTable, StoreTransaction } from '../store/schema.ts';
import { canonicalJson } from './canonical.ts';
import type { Declared, ObjectRules, Ownership } from './object.ts';

/** Something declared: by whom, and what it has to be like. */
export interface Wish<Input> {
  readonly input: Input;
  readonly owner: string;
}

export interface CreateOptions {
  /** Now, seconds since the Unix epoch. */
  readonly atSeconds: number;
  /** For messages that name the import command. */
  readonly trustDomain: string;
}

/** Who made or changed something, for messages. */
export function byWhom(ownership: Ownership): string {
  return ownership.owner === '' ? 'by hand or by a provider without owner' : `by ${JSON.stringify(ownership.owner)}`;
}

/** Refuses a write on top of a change that the writer has not seen. Throws CONFLICT, naming the other writer. */
export function checkGeneration(what: string, found: Ownership, expected: bigint | undefined): void {
  if (expected === undefined || expected === found.generation) return;
  throw new SymbolonError(
    'CONFLICT',
    `${what} was changed ${byWhom(found)} since it was read (generation ${found.generation}, expected ${expected}); read it again and repeat`,
    { what: found.owner },
  );
}

function row<Input, Body extends object>(
  rules: ObjectRules<Input, Body>,
  object: { id: string; body: Body; owner: string; generation: bigint; createdAtSeconds: number },
): ObjectTable {
  return {
    id: object.id,
    kind: rules.kind,
    key: rules.key(object.body),
    name: rules.name(object.body),
    body: canonicalJson(object.body),
    owner: object.owner,
    generation: Number(object.generation),
    created_at_s: object.createdAtSeconds,
  };
}

function declared<Body>(body: Body, from: ObjectTable): Declared<Body> {
  return { id: from.id, body, ownership: { owner: from.owner, generation: BigInt(from.generation) }, createdAtSeconds: from.created_at_s };
}

/** The object that a create would collide with. */
export async function findSame<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  body: Body,
): Promise<Declared<Body> | undefined> {
  return (await findObjects<Body>(tx, rules.kind, 'key', rules.key(body)))[0];
}

/**
 * True for a writer who meets what he declared himself: an apply was interrupted between the call and the writing of its state. Two writers without
 * a name are not known to be the same.
 */
export function isOwn(found: { readonly ownership: Ownership; readonly body: object }, owner: string, body: object): boolean {
  return owner !== '' && found.ownership.owner === owner && canonicalJson(found.body) === canonicalJson(body);
}

/**
 * Declares a new object. One that is there already, with the same content and owner, is adopted. It gets a new id, so that whoever holds the old
 * one cannot delete it. Throws ALREADY_EXISTS with the import id for any other that is there, and what the object's rules throw.
 */
export async function createObject<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  wish: Wish<Input>,
  options: CreateOptions,
): Promise<Declared<Body>> {
  const body = rules.canonical(wish.input);
  const found = await findSame(tx, rules, body);
  if (found) {
    if (!isOwn(found, wish.owner, body)) {
      const importId = `${options.trustDomain}/${rules.importId(found.id, found.body)}`;
      const differs = canonicalJson(found.body) === canonicalJson(body) ? '' : ' with different content';
      throw new SymbolonError(
        'ALREADY_EXISTS',
        `the ${rules.noun} ${rules.name(body)} exists already${differs}, made ${byWhom(found.ownership)}; to take it over: terraform import <address> ${importId}`,
        { what: importId, owner: found.ownership.owner },
      );
    }
    const adopted = row(rules, { ...found, id: randomUUID(), owner: wish.owner, generation: found.ownership.generation + 1n });
    await replaceObject(tx, found.id, adopted);
    return declared(body, adopted);
  }
  await rules.check?.(tx, body, undefined);
  const created = row(rules, { id: randomUUID(), body, owner: wish.owner, generation: 1n, createdAtSeconds: options.atSeconds });
  await insertObject(tx, created);
  return declared(body, created);
}

/** The object of an id. Throws NOT_FOUND. */
export async function getObject<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  id: string,
): Promise<Declared<Body>> {
  const [found] = await findObjects<Body>(tx, rules.kind, 'id', id);
  if (!found) throw new SymbolonError('NOT_FOUND', `there is no ${rules.noun} with the id ${JSON.stringify(id)}`, { what: id });
  return found;
}

/** The object of an id or else of a name. Throws NOT_FOUND; REQUEST_INVALID if more than one bears the name (an SPIFFE ID may have several entries). */
export async function lookUp<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  by: { readonly id: string; readonly name: string },
): Promise<Declared<Body>> {
  if (by.id !== '') return getObject(tx, rules, by.id);
  const found = await findObjects<Body>(tx, rules.kind, 'name', by.name);
  if (found.length > 1) {
    throw new SymbolonError(
      'REQUEST_INVALID',
      `${found.length} of the kind ${rules.noun} are named ${by.name}; name one by its id: ${found.map((o) => o.id).join(', ')}`,
      { field: 'name', value: by.name },
    );
  }
  if (!found[0]) throw new SymbolonError('NOT_FOUND', `there is no ${rules.noun} named ${JSON.stringify(by.name)}`, { what: by.name });
  return found[0];
}

/** Replaces an object's content. Throws NOT_FOUND, CONFLICT (generation), ALREADY_EXISTS (another has that name), what its rules throw. */
export async function updateObject<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  id: string,
  wish: Wish<Input>,
  expectedGeneration: bigint | undefined,
): Promise<Declared<Body>> {
  const found = await getObject(tx, rules, id);
  checkGeneration(`the ${rules.noun} ${rules.name(found.body)}`, found.ownership, expectedGeneration);
  const body = rules.canonical(wish.input);
  rules.checkUpdate?.(found.body, body);
  const same = await findSame(tx, rules, body);
  if (same && same.id !== id) {
    throw new SymbolonError('ALREADY_EXISTS', `another ${rules.noun} is ${rules.name(body)} already (id ${same.id})`, {
      what: same.id,
      owner: same.ownership.owner,
    });
  }
  await rules.check?.(tx, body, id);
  const changed = row(rules, { ...found, body, owner: wish.owner, generation: found.ownership.generation + 1n });
  await replaceObject(tx, id, changed);
  return declared(body, changed);
}

/** Forgets an object. Throws NOT_FOUND, CONFLICT (generation). */
export async function removeObject<Input, Body extends object>(
  tx: StoreTransaction,
  rules: ObjectRules<Input, Body>,
  id: string,
  expectedGeneration: bigint | undefined,
): Promise<void> {
  const found = await getObject(tx, rules, id);
  checkGeneration(`the ${rules.noun} ${rules.name(found.body)}`, found.ownership, expectedGeneration);
  await deleteObject(tx, id);
  await rules.onDelete?.(tx, found.body);
}
