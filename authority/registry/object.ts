import type { ObjectKind, StoreTransaction } from '../store/schema.ts';

/** Who wrote an object and how often it has changed, from 1. `owner` is empty for what was made by hand, or by a provider that has none. */
export interface Ownership {
  readonly owner: string;
  readonly generation: bigint;
}

/** A declared object: its canonical content, and who wrote it. */
export interface Declared<Body> {
  readonly id: string;
  readonly body: Body;
  readonly ownership: Ownership;
  readonly createdAtSeconds: number;
}

/** What the rules of one kind of object are. */
export interface ObjectRules<Input, Body extends object> {
  readonly kind: ObjectKind;
  /** For messages: `identity`. */
  readonly noun: string;
  /** Checks an input by itself and brings it into its canonical form. Throws with the field. */
  readonly canonical: (input: Input) => Body;
  /** Unique within the kind. */
  readonly key: (body: Body) => string;
  readonly name: (body: Body) => string;
  /** What `terraform import` calls it, after the trust domain and a slash. */
  readonly importId: (id: string, body: Body) => string;
  /** Checks it against what else is declared. Throws. */
  readonly check?: (tx: StoreTransaction, body: Body, id: string | undefined) => Promise<void>;
  /** An update may not turn one object into another. Throws. */
  readonly checkUpdate?: (before: Body, after: Body) => void;
  /** What else goes when it goes. */
  readonly onDelete?: (tx: StoreTransaction, body: Body) => Promise<void>;
}
