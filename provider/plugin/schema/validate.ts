import { type Diagnostic, invalidValue } from '../diagnostic.ts';
import type { Path, PathStep } from '../path.ts';
import { Unknown } from '../values/unknown.ts';
import { isRecord, type Value, type ValueRecord } from '../values/value.ts';
import type { Attributes, CollectionShape, Shape, TextRule } from './attribute.ts';

type Found = (path: Path, error: unknown) => void;

function attempt(check: () => unknown, path: Path, found: Found): boolean {
  try {
    check();
    return true;
  } catch (error) {
    found(path, error);
    return false;
  }
}

function checkText(rule: TextRule, value: Value, path: Path, found: Found): void {
  if (typeof value === 'string') attempt(() => rule.check(value), path, found);
  else if (value instanceof Unknown && value.refinements.prefix !== undefined && rule.checkPrefix) {
    const { prefix } = value.refinements;
    attempt(() => rule.checkPrefix?.(prefix), path, found);
  }
}

/** Two spellings of one thing in a set would be read back as one element, which is a difference for ever. */
function checkRepetition(shape: CollectionShape, elements: readonly Value[], path: Path, found: Found): void {
  const rule = shape.element.kind === 'string' ? shape.element.rule : undefined;
  if (shape.kind !== 'set' || !rule?.canonical) return;
  const seen = new Map<string, string>();
  for (const element of elements) {
    if (typeof element !== 'string') continue;
    let canonical: string;
    try {
      rule.check(element);
      canonical = rule.canonical(element);
    } catch {
      continue; // reported as what it is
    }
    const other = seen.get(canonical);
    if (other !== undefined)
      found(path, new Error(`${JSON.stringify(other)} and ${JSON.stringify(element)} are the same; leave one of them out`));
    seen.set(canonical, element);
  }
}

function checkCollection(shape: CollectionShape, value: Value, path: Path, found: Found): void {
  const step = (position: number, element: Value): PathStep =>
    shape.kind === 'set' && typeof element === 'string' ? { member: element } : { index: position };
  let size = 0;
  if (Array.isArray(value)) {
    const elements = value as readonly Value[];
    size = elements.length;
    for (const [position, element] of elements.entries()) {
      if (element === null) found([...path, step(position, element)], new Error('null is no element; leave it out'));
      else checkShape(shape.element, element, [...path, step(position, element)], found);
    }
    checkRepetition(shape, elements, path, found);
  } else if (isRecord(value)) {
    size = Object.keys(value).length;
    for (const [key, element] of Object.entries(value)) {
      const at = [...path, { key }];
      if (shape.key) checkText(shape.key, key, at, found);
      checkShape(shape.element, element, at, found);
    }
  }
  if (size < (shape.minItems ?? 0)) found(path, new Error(`it has ${size} elements; expected at least ${shape.minItems}`));
}

function checkShape(shape: Shape, value: Value, path: Path, found: Found): void {
  if (value === null) return;
  if (shape.kind === 'string') {
    if (shape.rule) checkText(shape.rule, value, path, found);
  } else if (value instanceof Unknown) return;
  else if (shape.kind === 'object') {
    if (isRecord(value)) checkAttributes(shape.attributes, value, path, found);
  } else if (shape.kind === 'set' || shape.kind === 'list' || shape.kind === 'map') checkCollection(shape, value, path, found);
}

function checkAttributes(attributes: Attributes, values: ValueRecord, path: Path, found: Found): void {
  for (const [name, attribute] of Object.entries(attributes)) {
    checkShape(attribute.shape, values[name] ?? null, [...path, { attribute: name }], found);
  }
}

/**
 * Every value of a configuration that breaks its attribute's rule, with its path. Null values are core's business (required or not); of an unknown
 * text what is known is checked: its beginning.
 */
export function validateAttributes(attributes: Attributes, config: ValueRecord): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  checkAttributes(attributes, config, [], (path, error) => diagnostics.push(invalidValue(path, error)));
  return diagnostics;
}
