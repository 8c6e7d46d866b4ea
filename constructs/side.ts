/** Which end's nodes enforce a policy. A connection must be allowed at both ends, perhaps by two policies of two owners. */
export enum Side {
  /** The sources' nodes and the destinations' nodes. */
  BOTH = 'both',
  /** The sources' nodes. */
  EGRESS = 'egress',
  /** The destinations' nodes. */
  INGRESS = 'ingress',
}
