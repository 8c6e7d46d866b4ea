import { describeError } from '#core/errors/error';
import type { Connections } from '../authority/connections.ts';
import type { Report } from '../plugin/diagnostic.ts';
import { formatPath, type Path } from '../plugin/path.ts';
import type { PlanBegin } from '../plugin/resource.ts';
import { isWhollyKnown, type Value } from '../plugin/values/value.ts';

/** An object as the configuration names it: its kind, and the values that no two objects of the kind have in common. */
export interface Identified {
  readonly noun: string;
  /** Texts and sets of texts; the first is a name for people. */
  readonly key: readonly unknown[];
}

/** The object for people, and its key; undefined as long as a part of it is not known. */
function knownObject({ noun, key }: Identified): { readonly key: string; readonly what: string } | undefined {
  const [name] = key;
  if (typeof name !== 'string' || !isWhollyKnown(key as Value)) return undefined;
  const parts = key.map((part) => (Array.isArray(part) ? (part as readonly string[]).toSorted((a, b) => (a < b ? -1 : 1)) : part));
  return { key: JSON.stringify([noun, ...parts]), what: `the ${noun} ${name}` };
}

/** Reports, at plan, an object that another address of the configuration has, too. */
export function checkOneAddress(object: Identified, path: Path, begin: PlanBegin, connections: Connections, report: Report): void {
  const known = knownObject(object);
  // The second half of a replacement has claimed its object in the first.
  if (!known || begin.kind === 'replaced') return;
  try {
    connections.planned.claim(known.key, begin.kind === 'object' ? begin.id : Symbol('new'), known.what);
  } catch (error) {
    report.error('Two addresses for one object', `${formatPath(path)}: ${describeError(error)}.`, path);
  }
}

/** Creates an object that this process has not created at another address. Throws CONFIG_INVALID if it has, and what `create` throws. */
export async function createOnce<T>(object: Identified, connections: Connections, create: () => Promise<T>): Promise<T> {
  const known = knownObject(object);
  if (!known) return create();
  const holder = Symbol('creating');
  connections.created.claim(known.key, holder, known.what);
  try {
    return await create();
  } catch (error) {
    connections.created.release(known.key, holder);
    throw error;
  }
}
