/** The quickstart's workloads that have an identity. The lab's others are undeclared. */
export const DECLARED: readonly string[] = ['web', 'batch', 'payments', 'cache', 'reports'];
