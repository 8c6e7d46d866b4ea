import { closeSync } from 'node:fs';
import { checkCall, ERRNO, kernelError } from '../kernel-error.ts';
import { bind, lastErrno, recv, send, setsockopt, socket } from '../libc.ts';
import { type Attribute, encodeMessage, FLAG, MESSAGE, type NetlinkMessage, parseMessages } from './message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const MSG_TRUNC = 0x20;
const RECEIVE_BYTES = 256 * 1024;
const DUMP_ATTEMPTS = 5;

/** Multicast groups of rtnetlink(7), as bits. */
export const GROUP = { link: 1, ipv4Address: 0x10, ipv4Route: 0x40, ipv6Address: 0x100, ipv6Route: 0x400 } as const;

function open(groups: number, blocking: boolean): number {
  const fd = checkCall(
    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), NETLINK_ROUTE),
    'socket',
    'NETLINK_ROUTE',
  );
  const address = Buffer.alloc(12); // struct sockaddr_nl
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  try {
    checkCall(bind(fd, address, address.length), 'bind', 'NETLINK_ROUTE');
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

let sequence = 0;

function exchange(type: number, flags: number, fixed: Buffer, attributes: readonly Attribute[], about: string): NetlinkMessage[] {
  const fd = open(0, true);
  try {
    const request = encodeMessage(type, FLAG.request | flags, ++sequence, fixed, attributes);
    checkCall(send(fd, request, request.length, 0), 'send', about);
    const answers: NetlinkMessage[] = [];
    for (;;) {
      const buffer = Buffer.alloc(RECEIVE_BYTES);
      const length = checkCall(recv(fd, buffer, buffer.length, MSG_TRUNC), 'recv', about);
      if (length > buffer.length) throw kernelError('recv', ERRNO.ENOBUFS, about);
      for (const message of parseMessages(buffer.subarray(0, length))) {
        if (message.type === MESSAGE.done) return answers;
        if (message.type !== MESSAGE.error) {
          answers.push(message);
          if ((flags & (FLAG.dump | FLAG.acknowledge)) === 0) return answers;
          continue;
        }
        const errno = -message.body.readInt32LE(0);
        if (errno !== 0) throw kernelError('rtnetlink', errno, about);
        return answers;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Sends a request and waits for its acknowledgement (the kernel answers at once). Throws KERNEL_CALL_FAILED. */
export function netlinkRequest(type: number, fixed: Buffer, attributes: readonly Attribute[], about: string): void {
  exchange(type, FLAG.acknowledge, fixed, attributes, about);
}

/** Asks for one object. Throws KERNEL_CALL_FAILED. */
export function netlinkGet(type: number, fixed: Buffer, attributes: readonly Attribute[], about: string): NetlinkMessage | undefined {
  return exchange(type, 0, fixed, attributes, about)[0];
}

/** Asks for every object of a kind; asks again when the list changed under way. Throws KERNEL_CALL_FAILED. */
export function netlinkDump(type: number, fixed: Buffer, about: string): readonly NetlinkMessage[] {
  let messages: NetlinkMessage[] = [];
  for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    messages = exchange(type, FLAG.dump, fixed, [], about);
    if (!messages.some((m) => (m.flags & FLAG.dumpInterrupted) !== 0)) break;
  }
  return messages;
}

/** What a change socket has to say: messages in their order, or that some were lost and everything must be read anew. */
export type NetlinkNews = { readonly kind: 'messages'; readonly messages: readonly NetlinkMessage[] } | { readonly kind: 'lost' };

/** A socket that hears of changes. `read` never blocks. */
export class NetlinkSubscription {
  private readonly buffer = Buffer.alloc(RECEIVE_BYTES);
  readonly fd: number;

  /** Joins the groups (bits of GROUP). Throws KERNEL_CALL_FAILED. */
  constructor(groups: number, receiveBytes: number) {
    this.fd = open(groups, false);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(receiveBytes);
    checkCall(setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length), 'setsockopt', 'SO_RCVBUFFORCE');
  }

  /** The next news; undefined if there is none now. */
  read(): NetlinkNews | undefined {
    const length = recv(this.fd, this.buffer, this.buffer.length, MSG_TRUNC);
    if (length < 0) {
      const errno = lastErrno();
      if (errno === ERRNO.EAGAIN) return undefined;
      if (errno === ERRNO.ENOBUFS) return { kind: 'lost' };
      throw kernelError('recv', errno, 'NETLINK_ROUTE');
    }
    if (length > this.buffer.length) return { kind: 'lost' };
    return { kind: 'messages', messages: parseMessages(Buffer.from(this.buffer.subarray(0, length))) };
  }

  close(): void {
    closeSync(this.fd);
  }
}
