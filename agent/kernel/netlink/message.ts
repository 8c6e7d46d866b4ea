import { SymbolonError } from '#core/errors/error';

/** Message types of rtnetlink(7) that the agent speaks. */
export const MESSAGE = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNamespaceId: 88,
  getNamespaceId: 90,
} as const;

export const FLAG = { request: 1, acknowledge: 4, dumpInterrupted: 0x10, dump: 0x300 } as const;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const TYPE_MASK = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
const NESTED = 0x8000;

/** One netlink message: its body starts with the fixed struct of its type. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** An attribute to send: bytes, a u32, or attributes inside it. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | number | readonly Attribute[];
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function invalid(rule: string): SymbolonError<'FRAME_INVALID'> {
  return new SymbolonError('FRAME_INVALID', `a netlink message ${rule}`, { rule });
}

function encodeAttribute(attribute: Attribute): Buffer {
  const { value } = attribute;
  let bytes: Uint8Array;
  let { type } = attribute;
  if (typeof value === 'number') {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(value);
    bytes = number;
  } else if (value instanceof Uint8Array) {
    bytes = value;
  } else {
    bytes = Buffer.concat(value.map(encodeAttribute));
    type |= NESTED;
  }
  const out = Buffer.alloc(padded(ATTRIBUTE_HEADER_BYTES + bytes.length));
  out.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + bytes.length, 0);
  out.writeUInt16LE(type, 2);
  out.set(bytes, ATTRIBUTE_HEADER_BYTES);
  return out;
}

/** The bytes of a message; `fixed` is the struct of its type. */
export function encodeMessage(type: number, flags: number, sequence: number, fixed: Buffer, attributes: readonly Attribute[] = []): Buffer {
  const parts = [fixed, Buffer.alloc(padded(fixed.length) - fixed.length), ...attributes.map(encodeAttribute)];
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + parts.reduce((n, p) => n + p.length, 0), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, ...parts]);
}

/** The messages of one datagram. Throws FRAME_INVALID if a length leads out of it. */
export function parseMessages(datagram: Buffer): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < datagram.length; ) {
    if (datagram.length - at < HEADER_BYTES) throw invalid('is cut off in its header');
    const length = datagram.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > datagram.length) throw invalid(`of length ${length} leads out of its datagram`);
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + HEADER_BYTES, at + length),
    });
    at += padded(length);
  }
  return messages;
}

/** The attributes that follow `offset`, by type; of several of one type the last. Throws FRAME_INVALID. */
export function parseAttributes(body: Buffer, offset: number): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = offset; at < body.length; ) {
    if (body.length - at < ATTRIBUTE_HEADER_BYTES) throw invalid('ends inside an attribute');
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > body.length) throw invalid(`has an attribute of length ${length}`);
    attributes.set(body.readUInt16LE(at + 2) & TYPE_MASK, body.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += padded(length);
  }
  return attributes;
}

/** The text of an attribute that ends with a zero byte. */
export function attributeText(value: Buffer): string {
  const end = value.indexOf(0);
  return value.toString('latin1', 0, end < 0 ? value.length : end);
}

/** The fixed struct of a message. Throws FRAME_INVALID if the body is shorter. */
export function fixedPart(body: Buffer, bytes: number): Buffer {
  if (body.length < bytes) throw invalid(`has a body of ${body.length} bytes, expected ${bytes} or more`);
  return body.subarray(0, bytes);
}
