import type { Report } from '../diagnostic.ts';
import type { PluginLog } from '../hclog.ts';
import type { PrivateState } from '../private-state.ts';
import type { DataSource, Operation, Provider, Resource } from '../resource.ts';
import type { Attributes } from '../schema/attribute.ts';
import type { ValueRecord } from '../values/value.ts';

/** One running provider: what it was configured with, and whether it was told to stop. */
export class ProviderProcess<C = unknown> {
  readonly provider: Provider<Attributes, C>;
  readonly log: PluginLog;
  private readonly stopping = new AbortController();
  private configured: { readonly connection: C } | undefined;

  constructor(provider: Provider<Attributes, C>, log: PluginLog) {
    this.provider = provider;
    this.log = log;
  }

  resource(typeName: string): Resource<Attributes, C> {
    const found = this.provider.resources.find((r) => r.typeName === typeName);
    if (!found) throw new TypeError(`there is no resource type ${typeName}`);
    return found;
  }

  dataSource(typeName: string): DataSource<Attributes, C> {
    const found = this.provider.dataSources.find((d) => d.typeName === typeName);
    if (!found) throw new TypeError(`there is no data source ${typeName}`);
    return found;
  }

  /** A reattached provider (tests) is configured again for every command. */
  configure(config: ValueRecord, report: Report): void {
    if (this.configured) this.provider.close(this.configured.connection);
    this.configured = { connection: this.provider.configure(config, report) };
  }

  /** The connection, if the provider is configured yet: validation runs without. */
  get connection(): C | undefined {
    return this.configured?.connection;
  }

  operation(report: Report, privateState: PrivateState): Operation<C> {
    if (!this.configured) throw new TypeError('the provider was not configured');
    return { connection: this.configured.connection, report, signal: this.stopping.signal, private: privateState };
  }

  get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  stop(): void {
    this.stopping.abort();
  }

  close(): void {
    if (this.configured) this.provider.close(this.configured.connection);
    this.configured = undefined;
  }
}
