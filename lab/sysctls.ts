/** Kernel settings by their paths under /proc/sys. */
export type Sysctls = readonly (readonly [key: string, value: string])[];

/** Settings of every network namespace of a lab. Forged sources must reach the gate: no reverse path filter anywhere. */
export const BASE_SYSCTLS: Sysctls = [
  ['net/ipv4/conf/all/rp_filter', '0'],
  ['net/ipv4/conf/default/rp_filter', '0'],
  ['net/ipv6/conf/all/disable_ipv6', '0'],
  ['net/ipv6/conf/default/disable_ipv6', '0'],
  ['net/ipv6/conf/all/accept_dad', '0'],
  ['net/ipv6/conf/default/accept_dad', '0'],
  ['net/ipv6/conf/default/accept_ra', '0'],
  // A workload pings without rights: datagram sockets for echo are open to every group.
  ['net/ipv4/ping_group_range', '0 2147483647'],
];

/** What routers and nodes need besides. */
export const FORWARDING_SYSCTLS: Sysctls = [
  ['net/ipv4/ip_forward', '1'],
  ['net/ipv6/conf/all/forwarding', '1'],
  ['net/ipv6/conf/default/forwarding', '1'],
];

/** Shell lines that set them, for `sh -e` in the namespace. */
export function sysctlScript(sysctls: Sysctls): string {
  return sysctls.map(([key, value]) => `echo '${value}' >/proc/sys/${key}`).join('\n');
}
