import type { Socket } from 'node:net';
import { ERRNO, kernelError } from './kernel-error.ts';
import { getsockopt, lastErrno } from './libc.ts';
import { holdProcess, type ProcessHandle } from './pidfd.ts';

// <asm-generic/socket.h>
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77; // Linux 6.5
/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;

/** Node has no public way to the file descriptor of a socket. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

/** False if the socket's peer has ended. */
function readOption(fd: number, name: number, into: Buffer, call: string): boolean {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(into.length);
  if (getsockopt(fd, SOL_SOCKET, name, into, size) === 0) return true;
  const errno = lastErrno();
  if (errno === ERRNO.ESRCH) return false;
  throw kernelError('getsockopt', errno, call);
}

/** The user who connected a unix socket, as the agent's own user namespace numbers him. Undefined if the socket is closed. Throws KERNEL_CALL_FAILED. */
export function peerUser(socket: Socket): number | undefined {
  const fd = descriptorOf(socket);
  if (fd === undefined) return undefined;
  const credentials = Buffer.alloc(UCRED_BYTES);
  return readOption(fd, SO_PEERCRED, credentials, 'SO_PEERCRED') ? credentials.readUInt32LE(4) : undefined;
}

/**
 * Takes hold of the process that connected a unix socket, by the kernel's own reference to it (SO_PEERPIDFD): not by a number that another
 * process could have meanwhile. Undefined if it has ended, lives in a process namespace that cannot be seen from here, or the socket is
 * closed. Throws KERNEL_CALL_FAILED.
 */
export function holdPeer(socket: Socket): ProcessHandle | undefined {
  const fd = descriptorOf(socket);
  if (fd === undefined) return undefined;
  const credentials = Buffer.alloc(UCRED_BYTES);
  if (!readOption(fd, SO_PEERCRED, credentials, 'SO_PEERCRED')) return undefined;
  const pid = credentials.readInt32LE(0);
  if (pid <= 0) return undefined;
  const pidfd = Buffer.alloc(4);
  if (!readOption(fd, SO_PEERPIDFD, pidfd, 'SO_PEERPIDFD')) return undefined;
  return holdProcess(pidfd.readInt32LE(0), pid);
}
