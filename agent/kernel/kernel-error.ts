import { SymbolonError } from '#core/errors/error';
import { describeErrno, lastErrno } from './libc.ts';

/** Error numbers (Linux, all architectures that Node runs on) that callers branch on. */
export const ERRNO = {
  ENOENT: 2,
  ESRCH: 3,
  EAGAIN: 11,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ENOLINK: 67,
  ENOBUFS: 105,
} as const;

/** KERNEL_CALL_FAILED with the call's name, what it was about and the error in words. */
export function kernelError(call: string, errno: number, about = ''): SymbolonError<'KERNEL_CALL_FAILED'> {
  const what = about === '' ? '' : ` (${about})`;
  return new SymbolonError('KERNEL_CALL_FAILED', `${call}${what}: ${describeErrno(errno)} (errno ${errno})`, { call, errno });
}

/**
 * The result of a call that reports failure by a negative number: -1 with errno (libc), or the negated error number (libbpf).
 * Throws KERNEL_CALL_FAILED.
 */
export function checkCall(result: number, call: string, about?: string): number {
  if (result >= 0) return result;
  throw kernelError(call, result === -1 ? lastErrno() : -result, about);
}
