import type { Unknown } from '../values/unknown.ts';

/** What a text must be. `check` throws if it is not. */
export interface TextRule {
  check(text: string): unknown;
  /** Checks what is known of a text that is not known yet, its first characters; throws if no text with that beginning can be right. */
  checkPrefix?(prefix: string): unknown;
  /** Texts with the same canonical form mean the same: reading back another spelling is no change. Only called with a right text. */
  canonical?(text: string): string;
}

export interface TextShape {
  readonly kind: 'string';
  readonly rule?: TextRule;
}
export interface CollectionShape {
  readonly kind: 'set' | 'list' | 'map';
  readonly element: Shape;
  readonly minItems?: number;
  /** Rule of a map's keys. */
  readonly key?: TextRule;
}
export interface ObjectShape {
  readonly kind: 'object';
  readonly attributes: Attributes;
}
export type Shape = TextShape | { readonly kind: 'bool' | 'number' } | CollectionShape | ObjectShape;

/** True if the change of a value needs a new object instead of an update. */
export type ForceNew<T> = true | ((prior: T, planned: T | Unknown) => boolean);

/** How an attribute gets its value: from the configuration (perhaps by default), or from the provider. */
export type Presence<T> = { readonly required: true } | { readonly optional: true; readonly default?: T } | { readonly computed: true };

/** What every attribute may say about itself. Markdown in `description`. */
export interface About<T> {
  readonly description: string;
  readonly sensitive?: true;
  readonly forceNew?: ForceNew<T>;
}

/** One attribute of a schema. `T` is the type of its value in state. */
export interface Attribute<T = unknown> {
  readonly shape: Shape;
  readonly presence: 'required' | 'optional' | 'computed';
  readonly description: string;
  readonly sensitive: boolean;
  readonly default?: T;
  /** Method syntax on purpose: it makes Attribute<T> assignable to Attribute<unknown>. */
  needsNew?(prior: T, planned: T | Unknown): boolean;
}
export type Attributes = Readonly<Record<string, Attribute>>;

/** The values of attributes, all known: a state, or a configuration at apply. */
export type Model<A extends Attributes> = { readonly [K in keyof A]: A[K] extends Attribute<infer T> ? T : never };
/** The values of attributes at plan. Unknowns may also be inside lists, sets, maps and objects. */
export type Planned<A extends Attributes> = { readonly [K in keyof A]: Model<A>[K] | Unknown };

type Valued<T, P> = P extends { readonly required: true } | { readonly computed: true } | { readonly default: T } ? T : T | null;

function build<T>(shape: Shape, options: Presence<T> & About<T>): Attribute<T> {
  const forceNew = options.forceNew;
  return {
    shape,
    presence: 'required' in options ? 'required' : 'computed' in options ? 'computed' : 'optional',
    description: options.description,
    sensitive: options.sensitive ?? false,
    ...('default' in options && options.default !== undefined ? { default: options.default } : {}),
    ...(forceNew === undefined ? {} : { needsNew: forceNew === true ? () => true : forceNew }),
  };
}

/** Builders of attributes: shape, rules, presence, default and replacement in one place, from which schema, checks, plan and docs are made. */
export const attribute = {
  string<const P extends Presence<string>>(
    options: P & About<Valued<string, P>> & { readonly rule?: TextRule },
  ): Attribute<Valued<string, P>> {
    return build(text(options.rule), options as Presence<unknown> & About<unknown>) as Attribute<Valued<string, P>>;
  },
  bool<const P extends Presence<boolean>>(options: P & About<Valued<boolean, P>>): Attribute<Valued<boolean, P>> {
    return build({ kind: 'bool' }, options as Presence<unknown> & About<unknown>) as Attribute<Valued<boolean, P>>;
  },
  number<const P extends Presence<number | bigint>>(options: P & About<Valued<number | bigint, P>>): Attribute<Valued<number | bigint, P>> {
    return build({ kind: 'number' }, options as Presence<unknown> & About<unknown>) as Attribute<Valued<number | bigint, P>>;
  },
  /** A set of texts: order and repetition mean nothing. */
  texts<const P extends Presence<readonly string[]>>(
    options: P & About<Valued<readonly string[], P>> & { readonly element?: TextRule; readonly minItems?: number; readonly ordered?: true },
  ): Attribute<Valued<readonly string[], P>> {
    const shape: CollectionShape = {
      kind: options.ordered ? 'list' : 'set',
      element: text(options.element),
      ...(options.minItems === undefined ? {} : { minItems: options.minItems }),
    };
    return build(shape, options as Presence<unknown> & About<unknown>) as Attribute<Valued<readonly string[], P>>;
  },
  object<N extends Attributes, const P extends Presence<Model<N>>>(
    options: P & About<Valued<Model<N>, P>> & { readonly attributes: N },
  ): Attribute<Valued<Model<N>, P>> {
    return build({ kind: 'object', attributes: options.attributes }, options as Presence<unknown> & About<unknown>) as Attribute<
      Valued<Model<N>, P>
    >;
  },
  mapOfObjects<N extends Attributes, const P extends Presence<Readonly<Record<string, Model<N>>>>>(
    options: P & About<Valued<Readonly<Record<string, Model<N>>>, P>> & { readonly attributes: N; readonly key?: TextRule },
  ): Attribute<Valued<Readonly<Record<string, Model<N>>>, P>> {
    const element: ObjectShape = { kind: 'object', attributes: options.attributes };
    const shape: CollectionShape = { kind: 'map', element, ...(options.key ? { key: options.key } : {}) };
    return build(shape, options as Presence<unknown> & About<unknown>) as Attribute<Valued<Readonly<Record<string, Model<N>>>, P>>;
  },
} as const;

function text(rule: TextRule | undefined): TextShape {
  return rule ? { kind: 'string', rule } : { kind: 'string' };
}
