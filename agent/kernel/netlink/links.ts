import { isSymbolonError } from '#core/errors/error';
import { INTERFACE_NO_ARP, INTERFACE_UP, LINK, LINK_BYTES, type Link, parseLink } from './link-message.ts';
import { MESSAGE } from './message.ts';
import { netlinkDump, netlinkRequest } from './socket.ts';

const AF_INET6 = 10;
const INET6_ADDRESS_GENERATION = 8;
const GENERATE_NONE = 1;

/** How an interface is to be. `autoAddress: false` = no link-local address of its own making. */
export interface LinkSettings {
  readonly mtu: number;
  readonly queueLength: number;
  readonly arp: boolean;
  readonly autoAddress: boolean;
  readonly up: boolean;
}

/** Every interface of this network namespace. Throws KERNEL_CALL_FAILED. */
export function listLinks(): readonly Link[] {
  return netlinkDump(MESSAGE.getLink, Buffer.alloc(LINK_BYTES), 'list of interfaces')
    .filter((m) => m.type === MESSAGE.newLink)
    .map(parseLink);
}

/** Changes an interface. Throws KERNEL_CALL_FAILED. */
export function setLink(index: number, settings: LinkSettings): void {
  const about = `interface ${index}`;
  const fixed = Buffer.alloc(LINK_BYTES);
  fixed.writeInt32LE(index, 4);
  if (!settings.autoAddress) {
    const mode = { type: INET6_ADDRESS_GENERATION, value: Uint8Array.of(GENERATE_NONE) };
    try {
      netlinkRequest(MESSAGE.newLink, fixed, [{ type: LINK.familySpecific, value: [{ type: AF_INET6, value: [mode] }] }], about);
    } catch (error) {
      if (!isSymbolonError(error, 'KERNEL_CALL_FAILED')) throw error; // without IPv6 there is nothing to turn off
    }
  }
  fixed.writeUInt32LE((settings.up ? INTERFACE_UP : 0) | (settings.arp ? 0 : INTERFACE_NO_ARP), 8);
  fixed.writeUInt32LE(INTERFACE_UP | INTERFACE_NO_ARP, 12);
  const attributes = [
    { type: LINK.mtu, value: settings.mtu },
    { type: LINK.queueLength, value: settings.queueLength },
  ];
  netlinkRequest(MESSAGE.newLink, fixed, attributes, about);
}
