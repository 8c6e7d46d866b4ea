import type { ConfigureProvider_Request, ConfigureProvider_Response } from '#proto/gen/tfplugin/tfplugin6';
import { createReport } from '../diagnostic.ts';
import { diagnosticsToProto } from '../diagnostic-proto.ts';
import { fromDynamic } from '../dynamic-value.ts';
import type { ProviderProcess } from './process.ts';

/** Hands the provider its configuration. */
export function configureProvider<C>(process: ProviderProcess<C>, request: ConfigureProvider_Request): ConfigureProvider_Response {
  const report = createReport();
  process.configure(fromDynamic(request.config, process.provider.attributes) ?? {}, report);
  return { diagnostics: diagnosticsToProto(report.diagnostics) };
}
