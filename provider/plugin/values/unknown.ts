/** What is already known about a value that is not known yet. Other refinements of the wire format are not needed here. */
export interface Refinements {
  /** The string begins with this. */
  readonly prefix?: string;
  readonly notNull?: boolean;
}

/** A value that becomes known at apply. */
export class Unknown {
  readonly refinements: Refinements;

  constructor(refinements: Refinements = {}) {
    this.refinements = refinements;
  }
}

/** An unknown value of which nothing is known. */
export const UNKNOWN = new Unknown();

/** True for an unknown value. Unknowns inside a known list, set, map or object are not looked at: see isWhollyKnown. */
export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}
