import { SYM_OWNER_KEY, SYM_OWNER_KIND, SYM_REALM } from '#bpf/gen/layout';
import { encodeRow } from './row.ts';

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function ownerKey(kind: keyof typeof SYM_OWNER_KIND, id: Uint8Array): string {
  return hex(encodeRow(SYM_OWNER_KEY, { realm: SYM_REALM.REALM, kind: SYM_OWNER_KIND[kind], id }));
}

/** The owner row of an interface, in hex. */
export function interfaceOwnerKey(interfaceIndex: number): string {
  return ownerKey('BY_INTERFACE', u32(interfaceIndex));
}

/** The owner row of an address, given as the hex of its 16 bytes; in hex. */
export function addressOwnerKey(address: string): string {
  return ownerKey('BY_ADDRESS', Buffer.from(address, 'hex'));
}
