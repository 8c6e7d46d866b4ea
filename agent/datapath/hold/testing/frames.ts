import { addressToBytes, parseIpAddress } from '#core/network/address';

export interface FrameFields {
  readonly endpoint?: number;
  readonly gate?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly sourcePort?: number;
  readonly port?: number;
  /** Bytes after the ports. */
  readonly payload?: string;
}

/** A frame as the gate hands it to the agent: TCP from 10.1.0.2 to 10.2.0.2:8443 of endpoint 7, unless told otherwise. */
export function makeFrame(fields: FrameFields = {}): Buffer {
  const source = parseIpAddress(fields.source ?? '10.1.0.2');
  const destination = parseIpAddress(fields.destination ?? '10.2.0.2');
  const protocol = fields.protocol ?? 6;
  const transport = Buffer.alloc(8);
  transport.writeUInt16BE(fields.sourcePort ?? 40_000, 0);
  transport.writeUInt16BE(fields.port ?? 8443, 2);
  const payload = Buffer.concat([transport, Buffer.from(fields.payload ?? '')]);
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt32LE(fields.endpoint ?? 7, 6);
  ethernet.writeUInt16LE(fields.gate ?? 3, 10);
  if (source.family === 4) {
    ethernet.writeUInt16BE(0x0800, 12);
    const ip = Buffer.alloc(20);
    ip.writeUInt8(0x45, 0);
    ip.writeUInt16BE(20 + payload.length, 2);
    ip.writeUInt8(64, 8);
    ip.writeUInt8(protocol, 9);
    ip.set(addressToBytes(source).subarray(12), 12);
    ip.set(addressToBytes(destination).subarray(12), 16);
    return Buffer.concat([ethernet, ip, payload]);
  }
  ethernet.writeUInt16BE(0x86dd, 12);
  const ip = Buffer.alloc(40);
  ip.writeUInt8(0x60, 0);
  ip.writeUInt16BE(payload.length, 4);
  ip.writeUInt8(protocol, 6);
  ip.writeUInt8(64, 7);
  ip.set(addressToBytes(source), 8);
  ip.set(addressToBytes(destination), 24);
  return Buffer.concat([ethernet, ip, payload]);
}
