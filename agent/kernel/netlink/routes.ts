import { ADDRESS_BYTES, type InterfaceAddress, parseInterfaceAddress } from './address-message.ts';
import { MESSAGE } from './message.ts';
import { parseRoute, ROUTE_BYTES, type Route } from './route-message.ts';
import { netlinkDump } from './socket.ts';

/** Every unicast route of this network namespace, of all tables, both families. Throws KERNEL_CALL_FAILED. */
export function listRoutes(): readonly Route[] {
  return netlinkDump(MESSAGE.getRoute, Buffer.alloc(ROUTE_BYTES), 'list of routes').flatMap((m) => parseRoute(m) ?? []);
}

/** Every IP address of this network namespace. Throws KERNEL_CALL_FAILED. */
export function listAddresses(): readonly InterfaceAddress[] {
  return netlinkDump(MESSAGE.getAddress, Buffer.alloc(ADDRESS_BYTES), 'list of addresses').flatMap((m) => parseInterfaceAddress(m) ?? []);
}
