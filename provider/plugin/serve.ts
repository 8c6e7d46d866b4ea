import { randomBytes, X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { PluginLog } from './hclog.ts';
import { providerService } from './provider-service.ts';
import type { Provider } from './resource.ts';
import type { Attributes } from './schema/attribute.ts';
import { createServerCertificate } from './server-certificate.ts';
import { addSupportServices } from './support-services.ts';

export interface ServeOptions {
  /** Where the socket is made. */
  readonly socketDirectory: string;
  /** The certificate, PEM, of the core that started us: only it may call. Undefined: anyone who reaches the socket (tests reattach so). */
  readonly clientCertificatePem?: string;
  /** Called when core says that it is done. The server is closed by then. */
  readonly onShutdown: () => void;
}

export interface ServedProvider {
  readonly socketPath: string;
  /** What core is to read as the first line of stdout. */
  readonly handshakeLine: string;
  readonly close: () => void;
}

const CORE_PROTOCOL = 1;
const PLUGIN_PROTOCOL = 6;

/** Serves a provider on a new unix socket: protocol 6, and mutual TLS where core gave us its certificate. */
export async function serveProvider<C>(provider: Provider<Attributes, C>, log: PluginLog, options: ServeOptions): Promise<ServedProvider> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const service = providerService(provider, log);
  const socketPath = join(options.socketDirectory, `plugin${randomBytes(6).toString('hex')}`);
  const close = (): void => {
    service.close();
    server.forceShutdown();
    rmSync(socketPath, { force: true });
  };
  server.addService(service.definition, service.handlers);
  addSupportServices(server, () => {
    close();
    options.onShutdown();
  });

  let credentials = ServerCredentials.createInsecure();
  let certificate = '';
  if (options.clientCertificatePem !== undefined) {
    // Throws for anything but a certificate, which would otherwise count as "no core at all".
    const core = new X509Certificate(options.clientCertificatePem);
    const own = createServerCertificate(Date.now());
    const pair = { private_key: Buffer.from(own.keyPem), cert_chain: Buffer.from(own.certificatePem) };
    credentials = ServerCredentials.createSsl(Buffer.from(core.toString()), [pair], true);
    certificate = own.certificateDer.toString('base64').replace(/=+$/, '');
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, credentials, (error) => (error ? reject(error) : resolve()));
  });
  const handshakeLine = [CORE_PROTOCOL, PLUGIN_PROTOCOL, 'unix', socketPath, 'grpc', certificate].join('|');
  return { socketPath, handshakeLine, close };
}
