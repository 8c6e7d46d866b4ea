import { attributePath, type Path } from './path.ts';
import type { Attributes, Model, Planned } from './schema/attribute.ts';
import type { Resource } from './resource.ts';
import { typeOfShape } from './schema/type-of.ts';
import { sameValue } from './values/same.ts';
import { isUnknown, UNKNOWN } from './values/unknown.ts';
import type { Value, ValueRecord } from './values/value.ts';

/** What will be, and which changes need a new object. */
export interface PlannedChange {
  readonly planned: ValueRecord;
  readonly requiresReplace: readonly Path[];
}

type Plannable = Pick<Resource<Attributes, never>, 'attributes' | 'derive'>;

/**
 * Plans a create (`prior` null) or an update. `proposed` is core's merge of configuration and prior state. Defaults and derived values are filled
 * in; other computed values are unknown for a new object and stay for an old one.
 */
export function planChange(resource: Plannable, prior: ValueRecord | null, proposed: ValueRecord, config: ValueRecord): PlannedChange {
  const planned: Record<string, Value> = {};
  for (const [name, attribute] of Object.entries(resource.attributes)) {
    const value = proposed[name] ?? null;
    if (attribute.default !== undefined && (config[name] ?? null) === null) planned[name] = attribute.default as Value;
    else planned[name] = attribute.presence === 'computed' && (prior === null || value === null) ? UNKNOWN : value;
  }
  Object.assign(planned, resource.derive?.(planned as Planned<Attributes>) ?? {});
  if (prior === null) return { planned, requiresReplace: [] };
  const requiresReplace = Object.entries(resource.attributes).flatMap(([name, attribute]) => {
    const before = prior[name] ?? null;
    const after = planned[name] ?? null;
    const changed = !sameValue(before, after, typeOfShape(attribute.shape));
    return changed && attribute.needsNew?.(before, after) ? [attributePath(name)] : [];
  });
  return { planned, requiresReplace };
}

/** The state after an apply: what the plan knew stays as planned, the rest is what the operation found. */
export function appliedState(attributes: Attributes, planned: ValueRecord, found: Model<Attributes>): ValueRecord {
  return Object.fromEntries(
    Object.keys(attributes).map((name) => {
      const value = planned[name] ?? null;
      return [name, isUnknown(value) ? ((found[name] as Value | undefined) ?? null) : value];
    }),
  );
}
