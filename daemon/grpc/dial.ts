import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import { CallCredentials, ChannelCredentials, Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import { SymbolonError } from '#core/errors/error';
import { type TlsCredential, tlsIdentity } from '../tls/credential.ts';
import { presentedChain } from '../tls/presented-chain.ts';

/**
 * How to reach a gRPC server: the three arguments of every grpc-js client's constructor.
 * `new ControlClient(d.target, d.credentials, d.options)`, or `openClient(d)` for one connection that carries any number of services.
 */
export interface Dial {
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

/** Full states and lists may be large; what a server may be sent is bounded there. */
const MAX_RECEIVED_BYTES = 64 * 1024 * 1024;

const OPTIONS: ClientOptions = {
  'grpc.max_receive_message_length': MAX_RECEIVED_BYTES,
  // Never through a proxy from the environment, never by what DNS says about retries.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  // Every dial has its own connection: two credentials must never share one.
  'grpc.use_local_subchannel_pool': 1,
};

export interface MtlsDial {
  /** `192.0.2.7:7400`, `[2001:db8::7]:7400` or `host.example:7400`. */
  readonly address: string;
  /** Asked anew for every connection, so that a rotated SVID is used by the next one. Undefined: no client certificate. */
  readonly credential?: () => TlsCredential | undefined;
  /** Given the server's chain (DER, leaf first) after the handshake; throws if that is not the wanted server. Host names play no part. */
  readonly verifyServer: (chain: readonly Uint8Array[]) => unknown;
}

/** A server on a unix socket. */
export function dialUnix(path: string): Dial {
  return {
    target: `unix:${path}`,
    credentials: credentials.createInsecure(),
    options: { ...OPTIONS, 'grpc.default_authority': 'localhost' },
  };
}

/** A server that proves itself by an X509-SVID: TLS 1.3, our own verification after the handshake, no resumed session. */
export function dialMtls(dial: MtlsDial): Dial {
  return { target: `dns:${dial.address}`, credentials: new SvidChannelCredentials(dial), options: OPTIONS };
}

/** One connection to a server, made when the first call needs it and again after it breaks. Close it with `close()`. */
export function openClient(dial: Dial): Client {
  return new Client(dial.target, dial.credentials, dial.options);
}

/** grpc-js has no public way to verify a chain by SPIFFE ID: OpenSSL would have to be told a CA pool and a host name. */
class SvidChannelCredentials extends ChannelCredentials {
  private readonly dial: MtlsDial;

  constructor(dial: MtlsDial) {
    super();
    this.dial = dial;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(_target: unknown, _options: unknown, callCredentials?: CallCredentials): SecureConnector {
    return {
      connect: (socket) => handshake(socket, this.dial),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

function handshake(socket: Socket, dial: MtlsDial): Promise<{ socket: Socket; secure: boolean }> {
  return new Promise((resolve, reject) => {
    const credential = dial.credential?.();
    const tls = connect({
      socket,
      // `ca: []`: OpenSSL's opinion is not asked, and the public root certificates are not loaded.
      secureContext: createSecureContext({
        ...(credential ? tlsIdentity(credential) : {}),
        ca: [],
        minVersion: 'TLSv1.3',
        secureOptions: constants.SSL_OP_NO_TICKET,
      }),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    const fail = (error: Error): void => {
      tls.destroy();
      reject(error);
    };
    tls.on('error', fail);
    tls.once('close', () =>
      fail(new SymbolonError('UNAVAILABLE', `${dial.address} closed the connection during the TLS handshake`, { what: dial.address })),
    );
    tls.once('secureConnect', () => {
      try {
        if (tls.isSessionReused()) {
          throw new SymbolonError('SVID_UNTRUSTED', `${dial.address} resumed a TLS session; its certificate cannot be checked`, {
            rule: 'resumed',
          });
        }
        dial.verifyServer(presentedChain(tls));
        resolve({ socket: tls, secure: true });
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
