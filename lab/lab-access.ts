import type { LabLayout } from './layout.ts';
import type { Place } from './place.ts';
import type { LabSpec } from './spec.ts';

/** What the parts of a lab need of it. */
export interface LabAccess {
  readonly layout: LabLayout;
  readonly checkout: string;
  readonly spec: LabSpec;
  place(name: string): Place;
}
