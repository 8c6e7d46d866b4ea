import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { adminRightsOf, nodeNameOf } from '#core/registration/node-id';
import { createSvidVerifier } from '#core/spiffe/verify';
import type { Clock } from '#daemon/clock';
import { serveTls, serveUnix } from '#daemon/grpc/serve';
import type { CallHooks } from '#daemon/grpc/service';
import type { Logger } from '#daemon/log';
import { serveStatus } from '#daemon/status-server';
import { callLog } from './call-log.ts';
import { openCertificateAuthority } from './ca/certificate-authority.ts';
import { issueServerCredential, keepServerCredential } from './ca/server-credential.ts';
import type { AuthorityConfig } from './config.ts';
import { createMetrics } from './metrics.ts';
import { PushHub } from './push/hub.ts';
import { readSnapshot } from './push/snapshot.ts';
import { Authorisation } from './rpc/authorisation.ts';
import { serviceContext } from './rpc/context.ts';
import { addServices } from './rpc/services.ts';
import { sequencedBundle } from './store/bundles.ts';
import { openStore } from './store/store.ts';

/** A serving authority. */
export interface Authority {
  /** The TLS listener, `192.0.2.1:7400`. */
  readonly address: string;
  readonly adminSocket: string;
  readonly metricsSocket: string;
  close(): Promise<void>;
}

/** Opens (on first start: makes) the CA and the store, and serves. Throws CONFIG_INVALID, STORE_FAILED. */
export async function startAuthority(config: AuthorityConfig, clock: Clock, log: Logger): Promise<Authority> {
  const { trustDomain } = config;
  mkdirSync(config.dataFolder, { recursive: true, mode: 0o700 });
  // The store's lock first: two authorities that start at once must not both make a CA.
  const store = await openStore(join(config.dataFolder, 'authority.db'), trustDomain);
  const closers: (() => Promise<void> | void)[] = [() => store.close()];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each();
  };
  try {
    const opened = await openCertificateAuthority(join(config.dataFolder, 'ca.pem'), trustDomain, clock.now());
    const ca = { ...opened, bundle: await store.transact((tx) => sequencedBundle(tx, opened.bundle)) };
    const hub = new PushHub(() => store.transact((tx) => readSnapshot(tx, [ca.bundle])), clock, log.scoped('push'));
    const authorisation = new Authorisation(store, trustDomain);
    const context = serviceContext({ trustDomain, store, ca, hub, authorisation, clock, log: log.scoped('rpc') });
    const metrics = createMetrics(hub);
    const logCall = callLog(log.scoped('rpc'), clock);
    const onDone: CallHooks['onDone'] = (call, result) => {
      metrics.onCall(call, result);
      logCall(call, result);
    };

    const bundles = new Map([[trustDomain, ca.bundle]]);
    const verifier = createSvidVerifier();
    const tls = await serveTls({
      ...config.listen,
      credential: await issueServerCredential(ca, clock),
      verifyClient: (chain) => verifier.verify(chain, bundles, clock.now()),
      // A workload has nothing to ask of the authority.
      isKnown: ({ id }) => nodeNameOf(id) !== undefined || adminRightsOf(id) !== undefined,
      clock,
      log: log.scoped('tls'),
    });
    closers.push(() => tls.close());
    addServices(tls, context, onDone);
    const renewal = keepServerCredential(
      ca,
      clock,
      (credential) => tls.setCredential(credential),
      (error) => log.error({ error }, 'the own SVID could not be renewed'),
    );
    closers.push(() => renewal.cancel());

    const admin = await serveUnix({ path: config.adminSocket, mode: 0o600, log: log.scoped('admin') });
    closers.push(() => admin.close());
    addServices(admin, context, onDone);

    const status = await serveStatus(config.metricsSocket, {
      metrics: metrics.registry,
      status: () => ({
        trustDomain,
        address: tls.address,
        connectedAgents: hub.connectedAgents,
        caExpiresAt: new Date(ca.notAfter).toISOString(),
      }),
      problems: () => (ca.notAfter <= clock.now() ? ['the CA has expired'] : []),
    });
    closers.push(
      () => status.close(),
      () => hub.close(),
    );
    log.info({ trustDomain, address: tls.address, adminSocket: config.adminSocket }, 'serving');
    return { address: tls.address, adminSocket: config.adminSocket, metricsSocket: config.metricsSocket, close };
  } catch (error) {
    await close();
    throw error;
  }
}
