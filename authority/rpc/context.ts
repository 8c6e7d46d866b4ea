import type { TrustDomain } from '#core/spiffe/id';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { secondsOf } from '../attestation/attest.ts';
import type { CertificateAuthority } from '../ca/certificate-authority.ts';
import type { PushHub } from '../push/hub.ts';
import { type IdentityBody, identityRules } from '../registry/identity.ts';
import { type NodeBody, nodeRules } from '../registry/node.ts';
import type { ObjectRules } from '../registry/object.ts';
import { type PolicyBody, policyRules } from '../registry/policy.ts';
import { nextRevision } from '../store/revision.ts';
import type { StoreTransaction } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { Authorisation } from './authorisation.ts';
import { CallLimit, type CallLimits } from './call-limit.ts';

/** Strangers who join at the same time: each costs a look into the store, and with a good token a signature and a write to the disk. */
const JOINS: CallLimits = { all: 32, ofOne: 32 };

/** Calls of nodes that sign or read much: an agent makes one or two at a time. */
const NODE_CALLS: CallLimits = { all: 256, ofOne: 4 };

/** What the services share. */
export interface ServiceContext {
  readonly trustDomain: TrustDomain;
  readonly store: Store;
  readonly ca: CertificateAuthority;
  readonly hub: PushHub;
  readonly authorisation: Authorisation;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: { readonly joins: CallLimit; readonly nodeCalls: CallLimit };
  readonly rules: {
    readonly identity: ObjectRules<IdentityBody, IdentityBody>;
    readonly node: ObjectRules<NodeBody, NodeBody>;
    readonly policy: ObjectRules<PolicyBody, PolicyBody>;
  };
}

export function serviceContext(parts: Omit<ServiceContext, 'rules' | 'limits'>): ServiceContext {
  const { trustDomain } = parts;
  return {
    ...parts,
    limits: { joins: new CallLimit(JOINS), nodeCalls: new CallLimit(NODE_CALLS) },
    rules: { identity: identityRules(trustDomain), node: nodeRules(trustDomain), policy: policyRules(trustDomain) },
  };
}

/** Now, in whole seconds since the Unix epoch. */
export function nowSeconds(context: ServiceContext): number {
  return secondsOf(context.clock.now());
}

/** Runs work that changes what agents are told; numbers the change, and pushes it once it is in the store. */
export async function mutate<T>(
  context: ServiceContext,
  work: (tx: StoreTransaction) => Promise<T>,
): Promise<{ readonly result: T; readonly revision: bigint }> {
  const done = await context.store.transact(async (tx) => {
    const result = await work(tx);
    return { result, revision: await nextRevision(tx) };
  });
  void context.hub.changed();
  return done;
}
