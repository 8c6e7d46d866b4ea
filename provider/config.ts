import { tmpdir } from 'node:os';

/** What core tells a plugin process through its environment. */
export interface PluginEnvironment {
  /** False: a person started the program. */
  readonly startedByTerraform: boolean;
  readonly clientCertificatePem?: string;
  readonly socketDirectory: string;
  /** Core expects a seventh field on the handshake line if it asked for multiplexing, which we do not do. */
  readonly multiplexAsked: boolean;
  /** True if Terraform writes a log (`TF_LOG`, `TF_LOG_PROVIDER`) that may want more than warnings. */
  readonly detailedLog: boolean;
}

/** Published with Terraform's plugin protocol; no secret: it only tells a plugin start from a person's. */
const MAGIC_COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';

/** Reads the environment. */
export function pluginEnvironment(environment: NodeJS.ProcessEnv = process.env): PluginEnvironment {
  const certificate = environment['PLUGIN_CLIENT_CERT'];
  return {
    startedByTerraform: environment['TF_PLUGIN_MAGIC_COOKIE'] === MAGIC_COOKIE,
    ...(certificate ? { clientCertificatePem: certificate } : {}),
    socketDirectory: environment['PLUGIN_UNIX_SOCKET_DIR'] || tmpdir(),
    detailedLog: Boolean(environment['TF_LOG'] || environment['TF_LOG_PROVIDER']),
    multiplexAsked: environment['PLUGIN_MULTIPLEX_GRPC'] !== undefined,
  };
}
