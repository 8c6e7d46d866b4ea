import type {
  ReadDataSource_Request,
  ReadDataSource_Response,
  ReadResource_Request,
  ReadResource_Response,
} from '#proto/gen/tfplugin/tfplugin6';
import { createReport, failedOperation } from '../diagnostic.ts';
import { diagnosticsToProto } from '../diagnostic-proto.ts';
import { fromDynamic, toDynamic } from '../dynamic-value.ts';
import { decodePrivateState, encodePrivateState } from '../private-state.ts';
import type { ProviderProcess } from './process.ts';
import { NOT_YET_KNOWN } from '../resource.ts';
import { reconcile } from '../schema/reconcile.ts';
import type { ValueRecord } from '../values/value.ts';

/** Refreshes a state; null if the object is gone. */
export async function readResource<C>(process: ProviderProcess<C>, request: ReadResource_Request): Promise<ReadResource_Response> {
  const resource = process.resource(request.typeName);
  const state = fromDynamic(request.currentState, resource.attributes);
  if (state === null) return { newState: toDynamic(null, resource.attributes), private: request.private, diagnostics: [] };
  const report = createReport();
  try {
    const stored = await resource.read(state, process.operation(report, decodePrivateState(request.private)));
    if (stored === NOT_YET_KNOWN) {
      return { newState: request.currentState, private: request.private, diagnostics: diagnosticsToProto(report.diagnostics) };
    }
    const found = stored === undefined ? null : reconcile(resource.attributes, state, stored.values as ValueRecord);
    return {
      newState: toDynamic(found, resource.attributes),
      private: stored === undefined ? Buffer.alloc(0) : encodePrivateState(stored.private),
      diagnostics: diagnosticsToProto(report.diagnostics),
    };
  } catch (error) {
    const failed = failedOperation(`Cannot read ${resource.typeName}`, error);
    return { newState: request.currentState, private: request.private, diagnostics: diagnosticsToProto([...report.diagnostics, failed]) };
  }
}

/** Reads a data source. */
export async function readData<C>(process: ProviderProcess<C>, request: ReadDataSource_Request): Promise<ReadDataSource_Response> {
  const source = process.dataSource(request.typeName);
  const report = createReport();
  const config = fromDynamic(request.config, source.attributes) ?? {};
  try {
    const found = await source.read(config, process.operation(report, {}));
    return { state: toDynamic(found as ValueRecord, source.attributes), diagnostics: diagnosticsToProto(report.diagnostics) };
  } catch (error) {
    const failed = failedOperation(`Cannot read data source ${source.typeName}`, error);
    return { state: undefined, diagnostics: diagnosticsToProto([...report.diagnostics, failed]) };
  }
}
