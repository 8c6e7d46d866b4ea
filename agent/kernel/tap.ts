import { closeSync, constants, openSync } from 'node:fs';
import { checkCall, ERRNO, kernelError } from './kernel-error.ts';
import { ioctl, ioctlNumber, lastErrno, read, write } from './libc.ts';
import { setIpv6Setting } from './ipv6-setting.ts';
import { setLink } from './netlink/links.ts';
import { interfaceIndex } from './interface-index.ts';
import { type Watch, watchReadable } from './readiness.ts';

// include/uapi/linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TAP_NO_PI = 0x0002 | 0x1000;
const IFREQ_BYTES = 40;
/** Longest interface name (IFNAMSIZ without the final zero). */
const INTERFACE_NAME_LENGTH = 15;
/** Larger than any uplink's, so that a held frame is never too long for the TAP. */
const TAP_MTU = 65_521;
/** Frames that may wait in the kernel for the agent. */
const TAP_QUEUE_FRAMES = 8192;

/**
 * The interface through which packets are held: what the gate redirects to it the agent reads, what the agent writes the gate sends on.
 * Persistent: it keeps its index while the agent is away.
 */
export class Tap {
  private readonly buffer = Buffer.alloc(TAP_MTU + 64);
  private watch: Watch | undefined;

  private constructor(
    private readonly fd: number,
    readonly name: string,
    readonly interfaceIndex: number,
  ) {}

  /** Opens the TAP of that name in this network namespace, made if need be, and sets it up. Throws KERNEL_CALL_FAILED: EBUSY = another agent. */
  static open(name: string): Tap {
    if (name.length > INTERFACE_NAME_LENGTH) throw kernelError('ioctl(TUNSETIFF)', ERRNO.EINVAL, `interface name ${name} is too long`);
    const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
    try {
      const request = Buffer.alloc(IFREQ_BYTES);
      request.write(name, 'latin1');
      request.writeUInt16LE(IFF_TAP_NO_PI, 16);
      checkCall(ioctl(fd, TUNSETIFF, request), 'ioctl(TUNSETIFF)', name);
      // No offloads: the kernel fills in checksums and cuts super-packets before the agent sees a frame.
      checkCall(ioctlNumber(fd, TUNSETOFFLOAD, 0), 'ioctl(TUNSETOFFLOAD)', name);
      checkCall(ioctlNumber(fd, TUNSETPERSIST, 1), 'ioctl(TUNSETPERSIST)', name);
      const index = interfaceIndex(name);
      // The kernel is not to send multicast reports of its own into the TAP, where they would be counted as frames that nobody held.
      setIpv6Setting(name, 'disable_ipv6', 1);
      setLink(index, { mtu: TAP_MTU, queueLength: TAP_QUEUE_FRAMES, arp: false, autoAddress: false, up: true });
      return new Tap(fd, name, index);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The next waiting frame, or undefined. Valid until the next call. */
  read(): Buffer | undefined {
    const length = read(this.fd, this.buffer, this.buffer.length);
    if (length > 0) return this.buffer.subarray(0, length);
    const errno = length === 0 ? ERRNO.EAGAIN : lastErrno();
    if (errno === ERRNO.EAGAIN) return undefined;
    throw kernelError('read', errno, this.name);
  }

  /** Sends a frame through the gate. Returns false if the kernel had no room for it. */
  write(frame: Uint8Array): boolean {
    return write(this.fd, frame, frame.length) === frame.length;
  }

  /** Calls `ready` while frames wait. */
  onReadable(ready: () => void): void {
    this.watch?.close();
    this.watch = watchReadable(this.fd, ready);
  }

  /** Lets go of the interface, which stays. */
  close(): void {
    this.watch?.close();
    closeSync(this.fd);
  }
}
