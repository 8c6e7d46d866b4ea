import { createHash } from 'node:crypto';

/** Every name that a lab leaves on the machine starts with this, so that leftovers can be found. */
export const RUN_FOLDER_PREFIX = 'sy-';
export const CGROUP_PREFIX = 'symbolon-lab-';

/** The kernel's limit for interface names (IFNAMSIZ less the final zero). */
export const MAX_INTERFACE_NAME = 15;
const HOST_SIDE_PREFIX = 've-';
const ROUTER_SIDE_PREFIX = 'to-';

/** Longest name of a node or workload: its interface's name must fit too. */
export const MAX_NAME = MAX_INTERFACE_NAME - Math.max(HOST_SIDE_PREFIX.length, ROUTER_SIDE_PREFIX.length);

/** Names of the places that every lab has beside its nodes. */
export const ROUTER = 'router';
export const OPERATOR = 'operator';
export const AUTHORITY = 'authority';
export const RESERVED_NAMES: readonly string[] = [ROUTER, OPERATOR, AUTHORITY];

/** The interface by which a node, the operator or the authority reaches the router. */
export const UPLINK = 'eth0';

/** A lab's id: 8 hexadecimal digits from the checkout's path and the process that asks. */
export function labIdOf(checkout: string, pid: number): string {
  return createHash('sha256').update(`${checkout}\0${pid}`).digest('hex').slice(0, 8);
}

/** The workload's interface on its node. */
export function hostSideInterface(workload: string): string {
  return `${HOST_SIDE_PREFIX}${workload}`;
}

/** The router's interface towards a node, the operator or the authority. */
export function routerSideInterface(place: string): string {
  return `${ROUTER_SIDE_PREFIX}${place}`;
}
