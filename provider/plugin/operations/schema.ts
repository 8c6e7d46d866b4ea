import type { GetProviderSchema_Response } from '#proto/gen/tfplugin/tfplugin6';
import type { Provider } from '../resource.ts';
import type { Attributes } from '../schema/attribute.ts';
import { schemaToProto } from '../schema/to-proto.ts';

type Described = Pick<Provider<Attributes, never>, 'description' | 'attributes' | 'resources' | 'dataSources'>;

/** The schemas of everything that a provider offers. */
export function providerSchema(provider: Described): GetProviderSchema_Response {
  const schemas = (all: readonly { readonly typeName: string; readonly attributes: Attributes; readonly description: string }[]) =>
    Object.fromEntries(all.map((one) => [one.typeName, schemaToProto(one.attributes, one.description)]));
  return {
    provider: schemaToProto(provider.attributes, provider.description),
    resourceSchemas: schemas(provider.resources),
    dataSourceSchemas: schemas(provider.dataSources),
    diagnostics: [],
    serverCapabilities: { planDestroy: true, getProviderSchemaOptional: true, moveResourceState: false },
  };
}
