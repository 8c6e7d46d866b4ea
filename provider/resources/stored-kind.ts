import type { TrustDomain } from '#core/spiffe/id';
import type { Ownership } from '#proto/gen/symbolon/authority/types';
import type { AuthorityConnection } from '../authority/authority-connection.ts';
import type { Attributes, Model, Planned } from '../plugin/schema/attribute.ts';

/** What an authority answers to a change. */
export interface Written<M> {
  readonly message: M;
  readonly revision: bigint;
}

/** Everything that is particular to one kind of object that an authority stores. `M` is its message. */
export interface StoredKind<A extends Attributes, M extends { id: string; ownership?: Ownership | undefined }> {
  /** `node`, `auth policy`: for messages. */
  readonly noun: string;
  trustDomainOf(model: Model<A>): TrustDomain;
  /** The values that no two objects of the kind have in common, the one for people first. */
  keyOf(planned: Planned<A>): readonly unknown[];
  /** A name for people. */
  nameOf(message: M): string;
  /** What tells objects of one name apart, for people; nothing where names are unique. */
  whereabouts?(message: M): string;
  toMessage(model: Model<A>): M;
  toModel(message: M, trustDomain: TrustDomain): Model<A>;
  list(authority: AuthorityConnection, signal: AbortSignal): Promise<readonly M[]>;
  create(authority: AuthorityConnection, message: M, signal: AbortSignal): Promise<Written<M>>;
  update(authority: AuthorityConnection, message: M, expectedGeneration: bigint | undefined, signal: AbortSignal): Promise<Written<M>>;
  delete(
    authority: AuthorityConnection,
    id: string,
    expectedGeneration: bigint | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly revision: bigint }>;
}
