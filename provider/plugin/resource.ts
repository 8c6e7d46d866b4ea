import type { Report } from './diagnostic.ts';
import type { PrivateState } from './private-state.ts';
import type { Attributes, Model, Planned } from './schema/attribute.ts';

/** What an operation works with. `connection` is what the provider's configure() made. */
export interface Operation<C> {
  readonly connection: C;
  readonly report: Report;
  /** Aborts when Terraform was interrupted: finish what changes something, wait for nothing. */
  readonly signal: AbortSignal;
  /** What the last operation left, from the plan's refresh at the latest. */
  readonly private: PrivateState;
}

/** An object as it is now. */
export interface Stored<A extends Attributes> {
  readonly values: Model<A>;
  readonly private: PrivateState;
}

/** What was asked for cannot be looked up yet, because the configuration of the provider is not known before apply. */
export const NOT_YET_KNOWN = Symbol('not yet known');

/**
 * What a plan begins with: nothing, the object of a state, or an object that makes way for the planned one (Terraform then asks a second time, as if
 * there were nothing).
 */
export type PlanBegin = { readonly kind: 'nothing' | 'replaced' } | { readonly kind: 'object'; readonly id: string };

/**
 * A managed resource. Only create, update and delete change anything. Whatever a method throws becomes a diagnostic. Values that were known in the
 * plan are what state holds after create and update, whatever `values` says; unknown ones are filled from it.
 */
export interface Resource<A extends Attributes, C> {
  readonly typeName: string;
  readonly description: string;
  readonly attributes: A;
  /** Import IDs as they look, for the reference. */
  readonly importExamples: readonly string[];
  /** Rules across attributes, for configurations whose values may be unknown. */
  check?(config: Planned<A>, report: Report): void;
  /** Computed values that follow from others, known as soon as these are. */
  derive?(planned: Planned<A>): Partial<Planned<A>>;
  /** Rules that need the provider's configuration; nothing is connected to. */
  checkPlan?(planned: Planned<A>, connection: C, report: Report, begin: PlanBegin): void;
  create(planned: Model<A>, operation: Operation<C>): Promise<Stored<A>>;
  /** Undefined: it is gone. */
  read(state: Model<A>, operation: Operation<C>): Promise<Stored<A> | undefined | typeof NOT_YET_KNOWN>;
  update(prior: Model<A>, planned: Model<A>, operation: Operation<C>): Promise<Stored<A>>;
  /** An object that is already gone is fine. */
  delete(prior: Model<A>, operation: Operation<C>): Promise<void>;
  import(id: string, operation: Operation<C>): Promise<Stored<A>>;
}

/** Something that is read, never written. */
export interface DataSource<A extends Attributes, C> {
  readonly typeName: string;
  readonly description: string;
  readonly attributes: A;
  /** `config` holds null for what is computed. */
  read(config: Model<A>, operation: Operation<C>): Promise<Model<A>>;
}

/** A provider: its own configuration, and what it offers. */
export interface Provider<A extends Attributes, C> {
  readonly description: string;
  readonly attributes: A;
  readonly resources: readonly Resource<Attributes, C>[];
  readonly dataSources: readonly DataSource<Attributes, C>[];
  /** Rules across attributes of the provider's configuration. */
  check?(config: Planned<A>, report: Report): void;
  /** Called once for each process, with values that may be unknown at plan. Connects to nothing. */
  configure(config: Planned<A>, report: Report): C;
  /** Closes what configure() made. */
  close(connection: C): void;
}
