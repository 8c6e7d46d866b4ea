import type { GrpcServer } from '#daemon/grpc/serve';
import type { CallHooks } from '#daemon/grpc/service';
import { AgentService } from '#proto/gen/spire/server/agent';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { EntryService } from '#proto/gen/spire/server/entry';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { NodeSyncService } from '#proto/gen/symbolon/authority/sync';
import { HealthCheckResponse_ServingStatus, HealthService } from '#proto/gen/tfplugin/health';
import type { ServiceContext } from './context.ts';
import { controlService } from './control.ts';
import { nodeSyncService } from './node-sync.ts';
import { spireAgentService } from './spire-agent.ts';
import { spireBundleService } from './spire-bundle.ts';
import { spireEntryService } from './spire-entry.ts';
import { spireSvidService } from './spire-svid.ts';

/** Adds every service of an authority to a server; what a caller may call is decided by `authorisation.ts` alone. */
export function addServices(server: GrpcServer, context: ServiceContext, onDone: NonNullable<CallHooks['onDone']>): void {
  const hooks: CallHooks = { authorise: context.authorisation.authorise, onDone };
  server.add(ControlService, controlService(context), hooks);
  server.add(NodeSyncService, nodeSyncService(context), hooks);
  server.add(EntryService, spireEntryService(context), hooks);
  server.add(AgentService, spireAgentService(context), hooks);
  server.add(BundleService, spireBundleService(context), hooks);
  server.add(SVIDService, spireSvidService(context), hooks);
  server.add(HealthService, { check: async () => ({ status: HealthCheckResponse_ServingStatus.SERVING }) }, hooks);
}
