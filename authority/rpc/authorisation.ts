import { SymbolonError } from '#core/errors/error';
import { adminRightsOf } from '#core/registration/node-id';
import { type TrustDomain, trustDomainOf } from '#core/spiffe/id';
import { type Caller, describeCaller } from '#daemon/grpc/caller';
import type { CallContext } from '#daemon/grpc/service';
import { attestedNode } from '../attestation/attested-node.ts';
import type { AgentRecord } from '../store/agents.ts';
import type { StoreTransaction } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** Who may call: everybody; an attested node; an administrator who may read; one who may write. */
export type Right = 'open' | 'node' | 'read' | 'write';

const CONTROL = '/symbolon.authority.v1.Control';
const ENTRY = '/spire.api.server.entry.v1.Entry';
const AGENT = '/spire.api.server.agent.v1.Agent';
const BUNDLE = '/spire.api.server.bundle.v1.Bundle';
const SVID = '/spire.api.server.svid.v1.SVID';

/** Every RPC that an authority answers. One that is not listed is refused. */
export const RIGHTS: Readonly<Record<string, Right>> = {
  [`${CONTROL}/GetStatus`]: 'read',
  [`${CONTROL}/GetTrustDomain`]: 'read',
  [`${CONTROL}/SetTrustDomain`]: 'write',
  [`${CONTROL}/ResetTrustDomain`]: 'write',
  [`${CONTROL}/GetNode`]: 'read',
  [`${CONTROL}/ListNodes`]: 'read',
  [`${CONTROL}/CreateNode`]: 'write',
  [`${CONTROL}/UpdateNode`]: 'write',
  [`${CONTROL}/DeleteNode`]: 'write',
  [`${CONTROL}/GetAuthPolicy`]: 'read',
  [`${CONTROL}/ListAuthPolicies`]: 'read',
  [`${CONTROL}/CreateAuthPolicy`]: 'write',
  [`${CONTROL}/UpdateAuthPolicy`]: 'write',
  [`${CONTROL}/DeleteAuthPolicy`]: 'write',
  [`${CONTROL}/GetIdentity`]: 'read',
  [`${CONTROL}/ListIdentities`]: 'read',
  [`${CONTROL}/CreateIdentity`]: 'write',
  [`${CONTROL}/UpdateIdentity`]: 'write',
  [`${CONTROL}/DeleteIdentity`]: 'write',
  [`${CONTROL}/WatchEnforcement`]: 'read',
  '/symbolon.authority.v1.NodeSync/Synchronize': 'node',
  [`${ENTRY}/CountEntries`]: 'read',
  [`${ENTRY}/ListEntries`]: 'read',
  [`${ENTRY}/GetEntry`]: 'read',
  [`${ENTRY}/BatchCreateEntry`]: 'write',
  [`${ENTRY}/BatchUpdateEntry`]: 'write',
  [`${ENTRY}/BatchDeleteEntry`]: 'write',
  [`${ENTRY}/GetAuthorizedEntries`]: 'node',
  [`${AGENT}/CountAgents`]: 'read',
  [`${AGENT}/ListAgents`]: 'read',
  [`${AGENT}/GetAgent`]: 'read',
  [`${AGENT}/DeleteAgent`]: 'write',
  [`${AGENT}/BanAgent`]: 'write',
  [`${AGENT}/AttestAgent`]: 'open',
  [`${AGENT}/RenewAgent`]: 'node',
  [`${AGENT}/CreateJoinToken`]: 'write',
  [`${BUNDLE}/CountBundles`]: 'read',
  [`${BUNDLE}/GetBundle`]: 'open',
  [`${SVID}/MintX509SVID`]: 'write',
  [`${SVID}/BatchNewX509SVID`]: 'node',
  '/grpc.health.v1.Health/Check': 'open',
};

/** What a caller may do as an administrator: the admin socket's owner everything, an admin SVID of this trust domain what its ID says. */
function adminRights(caller: Caller, trustDomain: TrustDomain): 'write' | 'read' | undefined {
  if (caller.kind === 'socket') return 'write';
  if (caller.kind === 'svid' && trustDomainOf(caller.svid.id) === trustDomain) return adminRightsOf(caller.svid.id);
  return undefined;
}

function refuse(call: CallContext, needed: string): never {
  throw new SymbolonError('PERMISSION_DENIED', `${describeCaller(call.caller)} may not call ${call.path}; it needs ${needed}`, {
    what: call.path,
  });
}

/** Decides about every call before its request is looked at, and keeps the node that made it. */
export class Authorisation {
  private readonly nodes = new WeakMap<CallContext, AgentRecord>();

  constructor(
    private readonly store: Store,
    private readonly trustDomain: TrustDomain,
  ) {}

  readonly authorise = async (call: CallContext): Promise<void> => {
    const right = RIGHTS[call.path];
    if (right === 'open') return;
    if (right === 'node') {
      this.nodes.set(call, await this.store.transact((tx) => this.attestedNode(tx, call)));
      return;
    }
    const rights = adminRights(call.caller, this.trustDomain);
    if (right === undefined || rights === undefined || (right === 'write' && rights === 'read')) {
      refuse(call, right === 'read' ? 'an admin or reader SVID' : 'an admin SVID (or the admin socket)');
    }
  };

  /** The attested node that makes a call, now. Throws PERMISSION_DENIED. */
  async attestedNode(tx: StoreTransaction, call: CallContext): Promise<AgentRecord> {
    return call.caller.kind === 'svid' ? attestedNode(tx, this.trustDomain, call.caller.svid) : refuse(call, 'a node SVID');
  }

  /** The node of a call that needs one, as it was when the call was allowed. */
  nodeOf(call: CallContext): AgentRecord {
    return this.nodes.get(call) ?? refuse(call, 'a node SVID');
  }
}
