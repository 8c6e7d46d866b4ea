import {
  type Schema,
  type Schema_Attribute,
  type Schema_Object,
  Schema_Object_NestingMode as Nesting,
  StringKind,
} from '#proto/gen/tfplugin/tfplugin6';
import type { Attribute, Attributes, Shape } from './attribute.ts';
import { typeOfShape } from './type-of.ts';

const NESTING = { set: Nesting.SET, list: Nesting.LIST, map: Nesting.MAP } as const;

function nestedType(shape: Shape): Schema_Object | undefined {
  if (shape.kind === 'object') return { attributes: attributesToProto(shape.attributes), nesting: Nesting.SINGLE };
  if ((shape.kind === 'set' || shape.kind === 'list' || shape.kind === 'map') && shape.element.kind === 'object') {
    return { attributes: attributesToProto(shape.element.attributes), nesting: NESTING[shape.kind] };
  }
  return undefined;
}

function attributeToProto(name: string, attribute: Attribute): Schema_Attribute {
  const nested = nestedType(attribute.shape);
  return {
    name,
    type: Buffer.from(nested ? '' : JSON.stringify(typeOfShape(attribute.shape))),
    nestedType: nested,
    description: attribute.description,
    descriptionKind: StringKind.MARKDOWN,
    required: attribute.presence === 'required',
    optional: attribute.presence === 'optional',
    // An optional attribute with a default takes it in the plan, which only computed attributes may.
    computed: attribute.presence === 'computed' || attribute.default !== undefined,
    sensitive: attribute.sensitive,
    deprecated: false,
  };
}

function attributesToProto(attributes: Attributes): Schema_Attribute[] {
  return Object.entries(attributes).map(([name, attribute]) => attributeToProto(name, attribute));
}

/** The schema message of attributes. */
export function schemaToProto(attributes: Attributes, description: string, version = 0): Schema {
  return {
    version: BigInt(version),
    block: {
      version: BigInt(version),
      attributes: attributesToProto(attributes),
      description,
      descriptionKind: StringKind.MARKDOWN,
      deprecated: false,
    },
  };
}
