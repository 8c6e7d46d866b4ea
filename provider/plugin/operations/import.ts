import type { ImportResourceState_Request, ImportResourceState_Response } from '#proto/gen/tfplugin/tfplugin6';
import { createReport, failedOperation } from '../diagnostic.ts';
import { diagnosticsToProto } from '../diagnostic-proto.ts';
import { toDynamic } from '../dynamic-value.ts';
import { encodePrivateState } from '../private-state.ts';
import type { ProviderProcess } from './process.ts';
import type { ValueRecord } from '../values/value.ts';

/** Imports the object with an import ID. */
export async function importObject<C>(
  process: ProviderProcess<C>,
  request: ImportResourceState_Request,
): Promise<ImportResourceState_Response> {
  const resource = process.resource(request.typeName);
  const report = createReport();
  try {
    const stored = await resource.import(request.id, process.operation(report, {}));
    return {
      importedResources: [
        {
          typeName: resource.typeName,
          state: toDynamic(stored.values as ValueRecord, resource.attributes),
          private: encodePrivateState(stored.private),
        },
      ],
      diagnostics: diagnosticsToProto(report.diagnostics),
    };
  } catch (error) {
    const failed = failedOperation(`Cannot import ${resource.typeName} ${JSON.stringify(request.id)}`, error);
    return { importedResources: [], diagnostics: diagnosticsToProto([...report.diagnostics, failed]) };
  }
}
