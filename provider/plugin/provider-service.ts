import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { type Diagnostic as DiagnosticMessage, type ProviderServer, ProviderService } from '#proto/gen/tfplugin/tfplugin6';
import { applyChange } from './operations/apply.ts';
import { configureProvider } from './operations/configure.ts';
import { importObject } from './operations/import.ts';
import { planResource } from './operations/plan.ts';
import { readData, readResource } from './operations/read.ts';
import { providerSchema } from './operations/schema.ts';
import { upgradeState } from './operations/upgrade.ts';
import { validateConfig } from './operations/validate.ts';
import { failedOperation } from './diagnostic.ts';
import { diagnosticsToProto } from './diagnostic-proto.ts';
import type { PluginLog } from './hclog.ts';
import { ProviderProcess } from './operations/process.ts';
import type { Provider } from './resource.ts';
import type { Attributes } from './schema/attribute.ts';

type Handle<Request, Response> = (request: Request) => Response | Promise<Response>;

/**
 * Terraform's side of a provider: every RPC of the protocol, by the provider's definition. A handler that throws answers with a diagnostic;
 * nothing ends the process.
 */
export function providerService<C>(
  provider: Provider<Attributes, C>,
  log: PluginLog,
): { readonly definition: typeof ProviderService; readonly handlers: ProviderServer; close(): void } {
  const process = new ProviderProcess(provider, log);

  const unary =
    <Request, Response extends { diagnostics: DiagnosticMessage[] }>(
      name: string,
      empty: Omit<Response, 'diagnostics'>,
      handle: Handle<Request, Response>,
    ): ((call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => void) =>
    (call, done) => {
      const started = performance.now();
      const answer = async (): Promise<Response> => {
        try {
          return await handle(call.request);
        } catch (error) {
          log('error', 'request failed', { rpc: name, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
          return { ...empty, diagnostics: diagnosticsToProto([failedOperation(`${name} failed`, error)]) } as Response;
        }
      };
      void (async () => {
        const response = await answer();
        log('debug', 'request', { rpc: name, ms: Math.round(performance.now() - started) });
        done(null, response);
      })();
    };

  const NO_BYTES = Buffer.alloc(0);
  const handlers: ProviderServer = {
    getProviderSchema: unary(
      'GetProviderSchema',
      { provider: undefined, resourceSchemas: {}, dataSourceSchemas: {}, serverCapabilities: undefined },
      () => providerSchema(provider),
    ),
    validateProviderConfig: unary('ValidateProviderConfig', {}, (request) => validateConfig(provider, request.config)),
    validateResourceConfig: unary('ValidateResourceConfig', {}, (request) =>
      validateConfig(process.resource(request.typeName), request.config),
    ),
    validateDataResourceConfig: unary('ValidateDataResourceConfig', {}, (request) =>
      validateConfig(process.dataSource(request.typeName), request.config),
    ),
    upgradeResourceState: unary('UpgradeResourceState', { upgradedState: undefined }, (request) =>
      upgradeState(process.resource(request.typeName), request),
    ),
    configureProvider: unary('ConfigureProvider', {}, (request) => configureProvider(process, request)),
    readResource: unary('ReadResource', { newState: undefined, private: NO_BYTES }, (request) => readResource(process, request)),
    planResourceChange: unary('PlanResourceChange', { plannedState: undefined, requiresReplace: [], plannedPrivate: NO_BYTES }, (request) =>
      planResource(process, request),
    ),
    applyResourceChange: unary('ApplyResourceChange', { newState: undefined, private: NO_BYTES }, (request) =>
      applyChange(process, request),
    ),
    importResourceState: unary('ImportResourceState', { importedResources: [] }, (request) => importObject(process, request)),
    readDataSource: unary('ReadDataSource', { state: undefined }, (request) => readData(process, request)),
    stopProvider: (_call, done) => {
      log('info', 'stopping: operations are cancelled');
      process.stop();
      done(null, { Error: '' });
    },
  };
  return { definition: ProviderService, handlers, close: () => process.close() };
}
