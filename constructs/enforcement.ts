/** What must be proven for a workload. */
export enum Enforcement {
  /** Nothing: the workload is left alone. */
  OFF = 'off',
  /** Whatever reaches it. Its own traffic to addresses of no node is free. */
  INBOUND = 'inbound',
  /** Whatever reaches it, and whatever it reaches. */
  ALL = 'all',
}
