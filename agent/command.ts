import { mkdirSync } from 'node:fs';
import { Command } from 'commander';
import { systemClock } from '#daemon/clock';
import { EXIT_HELP } from '#daemon/exit';
import { createLogger, LOG_LEVELS } from '#daemon/log';
import { closeOnSignal } from '#daemon/shutdown';
import { VERSION } from '#daemon/version';
import {
  type AgentConfig,
  type AgentOptions,
  DEFAULT_DATA_DIRECTORY,
  DEFAULT_LISTEN_PORT,
  DEFAULT_PIN_DIRECTORY,
  DEFAULT_RUN_DIRECTORY,
  readAgentConfig,
} from './config.ts';
import { startNode } from './node/node.ts';
import { serveNode } from './serve.ts';

async function run(config: AgentConfig): Promise<void> {
  const log = createLogger({ name: 'symbolon-agent', level: config.logLevel });
  mkdirSync(config.runDirectory, { recursive: true, mode: 0o755 });
  const starting = new AbortController();
  let close = async (): Promise<void> => starting.abort();
  closeOnSignal(log, () => close());
  const node = await startNode(config, { clock: systemClock, log, signal: starting.signal });
  const sockets = await serveNode(node, config, log);
  close = async () => {
    await sockets.close();
    await node.close();
  };
}

/** The command line of the agent. `bundleFolder`: where its gate lies. Commander's own exits become CommanderErrors. */
export function agentCommand(environment: NodeJS.ProcessEnv, bundleFolder: string): Command {
  return new Command('symbolon-agent')
    .description("Symbolon's node agent: loads the gate, attests this node's workloads and proves them to other nodes.")
    .version(VERSION)
    .requiredOption('--trust-domain <name>', "the node's trust domain, like east.example")
    .requiredOption('--authority <host:port>', 'where the authority listens')
    .option(
      '--bootstrap-bundle <file>',
      "the trust domain's bundle for the first contact, PEM or SPIFFE JSON, or a SPIFFE bundle map that has it",
    )
    .option('--join-token-file <file>', 'file with the one-time join token (or SYMBOLON_JOIN_TOKEN); not needed once the node has joined')
    .option('--data <directory>', "the node's credential and the authority's last word", DEFAULT_DATA_DIRECTORY)
    .option('--run <directory>', 'sockets: workload.sock, status.sock', DEFAULT_RUN_DIRECTORY)
    .option('--bpffs <directory>', 'where programs and maps are pinned; on a bpf file system', DEFAULT_PIN_DIRECTORY)
    .option('--listen-port <port>', 'TCP port for other agents', String(DEFAULT_LISTEN_PORT))
    .option(
      '--uplink <name>',
      'an interface that leaves the node (repeat for several); default: those of the routes that do',
      (name: string, all: readonly string[]) => [...all, name],
      [] as readonly string[],
    )
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
    .addHelpText('after', EXIT_HELP)
    .exitOverride()
    .action((options: AgentOptions) => run(readAgentConfig(options, environment, bundleFolder)));
}
