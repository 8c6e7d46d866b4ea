import { assertNever } from '#core/errors/error';
import type { CtyType } from '../values/type.ts';
import type { Attributes, Shape } from './attribute.ts';

/** The Terraform type of a shape. */
export function typeOfShape(shape: Shape): CtyType {
  switch (shape.kind) {
    case 'string':
    case 'bool':
    case 'number':
      return shape.kind;
    case 'set':
    case 'list':
    case 'map':
      return [shape.kind, typeOfShape(shape.element)];
    case 'object':
      return typeOfAttributes(shape.attributes);
    default:
      return assertNever(shape);
  }
}

const known = new WeakMap<Attributes, CtyType>();

/** The object type that a schema's values have. */
export function typeOfAttributes(attributes: Attributes): CtyType {
  let type = known.get(attributes);
  if (!type) {
    type = ['object', Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, typeOfShape(attribute.shape)]))];
    known.set(attributes, type);
  }
  return type;
}
