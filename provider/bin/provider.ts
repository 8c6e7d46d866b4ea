import { writeSync } from 'node:fs';
import { VERSION } from '#daemon/version';
import { pluginEnvironment } from '../config.ts';
import { createPluginLog } from '../plugin/hclog.ts';
import { serveProvider } from '../plugin/serve.ts';
import { symbolonProvider } from '../symbolon-provider.ts';

/** How soon a plugin notices that the core which started it is gone. */
const ORPHAN_CHECK_MS = 2000;

async function main(): Promise<void> {
  const environment = pluginEnvironment();
  if (!environment.startedByTerraform) {
    process.stderr.write(`terraform-provider-symbolon ${VERSION} is a Terraform provider: Terraform starts it, it is not run by hand.\n`);
    process.exit(1);
  }
  const log = createPluginLog('symbolon', environment.detailedLog);
  // Ctrl-C reaches the whole process group; core tells us itself what to do (StopProvider).
  process.on('SIGINT', () => undefined);
  process.on('unhandledRejection', (error) => log('error', 'unhandled rejection', { error: String(error) }));
  const served = await serveProvider(symbolonProvider, log, { ...environment, onShutdown: () => process.exit(0) });
  const end = (): void => {
    served.close();
    process.exit(0);
  };
  process.on('SIGTERM', end);
  // A core that was killed says nothing; its plugins would stay for ever.
  const core = process.ppid;
  setInterval(() => {
    if (process.ppid !== core) end();
  }, ORPHAN_CHECK_MS).unref();
  writeSync(1, `${served.handshakeLine}${environment.multiplexAsked ? '|false' : ''}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`terraform-provider-symbolon could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
