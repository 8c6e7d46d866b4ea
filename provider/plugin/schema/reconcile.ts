import { assertNever } from '#core/errors/error';
import { isRecord, type Value, type ValueRecord } from '../values/value.ts';
import type { Attributes, Shape, TextRule } from './attribute.ts';

/** Unset, empty text, empty collection: an authority does not tell them apart. */
function isEmpty(value: Value): boolean {
  return (
    value === null || value === '' || (Array.isArray(value) && value.length === 0) || (isRecord(value) && Object.keys(value).length === 0)
  );
}

/** The canonical form of a text; one that breaks the rule (state written by hand) only equals itself. */
function canonicalOf(rule: TextRule | undefined, text: string): string {
  if (!rule?.canonical) return text;
  try {
    return rule.canonical(text);
  } catch {
    return text;
  }
}

function reconcileSet(rule: TextRule | undefined, prior: readonly Value[], found: readonly Value[]): Value {
  const spelling = new Map<string, string>();
  for (const text of prior) if (typeof text === 'string') spelling.set(canonicalOf(rule, text), text);
  return found.map((text) => (typeof text === 'string' ? (spelling.get(canonicalOf(rule, text)) ?? text) : text));
}

function reconcileShape(shape: Shape, prior: Value, found: Value): Value {
  if (isEmpty(prior) && isEmpty(found)) return prior;
  if (prior === null || found === null) return found;
  switch (shape.kind) {
    case 'string':
      return typeof prior === 'string' && typeof found === 'string' && canonicalOf(shape.rule, prior) === canonicalOf(shape.rule, found)
        ? prior
        : found;
    case 'bool':
    case 'number':
      return found;
    case 'set':
      return shape.element.kind === 'string' && Array.isArray(prior) && Array.isArray(found)
        ? reconcileSet(shape.element.rule, prior as readonly Value[], found as readonly Value[])
        : found;
    case 'list':
    case 'map':
      return found;
    case 'object':
      return isRecord(prior) && isRecord(found) ? reconcile(shape.attributes, prior, found) : found;
    default:
      return assertNever(shape);
  }
}

/**
 * What was found at the authority, in the spelling of the prior state wherever both mean the same (`60m` and `1h`, `2001:DB8::/32` and
 * `2001:db8::/32`, an empty set and none): so a plan shows real drift only.
 */
export function reconcile(attributes: Attributes, prior: ValueRecord, found: ValueRecord): ValueRecord {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      reconcileShape(attribute.shape, prior[name] ?? null, found[name] ?? null),
    ]),
  );
}
