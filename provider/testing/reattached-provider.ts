import { tmpdir } from 'node:os';
import type { PluginLog } from '../plugin/hclog.ts';
import { serveProvider } from '../plugin/serve.ts';
import { symbolonProvider } from '../symbolon-provider.ts';

/** A provider inside the test's process, and the environment by which terraform finds it there instead of starting one. */
export interface ReattachedProvider {
  readonly environment: Readonly<Record<string, string>>;
  /** The levels and events that the provider logged. */
  readonly events: readonly string[];
  readonly close: () => void;
}

/** Serves the provider in this process. Terraform must then run asynchronously: it calls back. */
export async function reattachProvider(): Promise<ReattachedProvider> {
  const events: string[] = [];
  const log: PluginLog = (level, event, fields) => {
    events.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`);
  };
  const served = await serveProvider(symbolonProvider, log, { socketDirectory: tmpdir(), onShutdown: () => undefined });
  const reattach = {
    'registry.terraform.io/symbolon/symbolon': {
      Protocol: 'grpc',
      ProtocolVersion: 6,
      Pid: process.pid,
      Test: true,
      Addr: { Network: 'unix', String: served.socketPath },
    },
  };
  return { environment: { TF_REATTACH_PROVIDERS: JSON.stringify(reattach) }, events, close: served.close };
}
