import { closeSync } from 'node:fs';
import { checkCall, ERRNO, kernelError } from './kernel-error.ts';
import { lastErrno, numericSyscall, poll } from './libc.ts';

const SYS_PIDFD_OPEN = 434; // the same on every architecture
const POLLIN = 1;

/** A process that cannot be mistaken for a later one with its number. */
export interface ProcessHandle {
  readonly pid: number;
  /** False once the process has ended (a zombie has). */
  isAlive(): boolean;
  close(): void;
}

/** Takes hold of a process; undefined if there is none of that number. */
export function openProcess(pid: number): ProcessHandle | undefined {
  const fd = numericSyscall(SYS_PIDFD_OPEN, pid, 0, 0, 0, 0, 0);
  if (fd < 0) {
    const errno = lastErrno();
    // EINVAL, or ENOENT since Linux 6.15: a thread's number; ENOENT also for a process that is being reaped.
    if (errno === ERRNO.ESRCH || errno === ERRNO.EINVAL || errno === ERRNO.ENOENT) return undefined;
    throw kernelError('pidfd_open', errno, `pid ${pid}`);
  }
  return holdProcess(fd, pid);
}

/** The process of a pidfd, which the handle owns from now on. */
export function holdProcess(fd: number, pid: number): ProcessHandle {
  const entry = Buffer.alloc(8);
  return {
    pid,
    isAlive: () => {
      entry.writeInt32LE(fd, 0);
      entry.writeInt16LE(POLLIN, 4);
      return checkCall(poll(entry, 1, 0), 'poll', `pidfd of ${pid}`) === 0; // readable = ended
    },
    close: () => closeSync(fd),
  };
}
