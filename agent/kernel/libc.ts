import koffi from 'koffi';

/** The C library: the only native functions that are not libbpf's. Buffers are passed by address and live for the call. */
const libc = koffi.load('libc.so.6');

type SystemCall = (number: number, a: number, b: Buffer | number | null, c: number, d: number, e: number, f: number) => number;

/** syscall(2) with one pointer argument, the second. */
export const syscall = libc.func('syscall', 'long', ['long', 'long', 'void *', 'long', 'long', 'long', 'long']) as unknown as SystemCall;
/** syscall(2) with numbers only. */
export const numericSyscall = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long', 'long', 'long']) as unknown as (
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
) => number;
export const ioctl = libc.func('ioctl', 'int', ['int', 'unsigned long', 'void *']) as unknown as (
  fd: number,
  request: number,
  argument: Buffer,
) => number;
/** The same ioctl(2), for requests whose argument is a number. */
export const ioctlNumber = libc.func('ioctl', 'int', ['int', 'unsigned long', 'long']) as unknown as (
  fd: number,
  request: number,
  argument: number,
) => number;
export const read = libc.func('read', 'long', ['int', 'void *', 'size_t']) as unknown as (fd: number, into: Buffer, size: number) => number;
export const write = libc.func('write', 'long', ['int', 'void *', 'size_t']) as unknown as (
  fd: number,
  from: Uint8Array,
  size: number,
) => number;
export const socket = libc.func('socket', 'int', ['int', 'int', 'int']) as unknown as (
  domain: number,
  type: number,
  protocol: number,
) => number;
export const bind = libc.func('bind', 'int', ['int', 'void *', 'uint32_t']) as unknown as (
  fd: number,
  address: Buffer,
  size: number,
) => number;
export const send = libc.func('send', 'long', ['int', 'void *', 'size_t', 'int']) as unknown as (
  fd: number,
  from: Buffer,
  size: number,
  flags: number,
) => number;
export const recv = libc.func('recv', 'long', ['int', 'void *', 'size_t', 'int']) as unknown as (
  fd: number,
  into: Buffer,
  size: number,
  flags: number,
) => number;
export const setsockopt = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t']) as unknown as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  size: number,
) => number;
export const getsockopt = libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']) as unknown as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  size: Buffer,
) => number;
export const poll = libc.func('poll', 'int', ['void *', 'unsigned long', 'int']) as unknown as (
  entries: Buffer,
  count: number,
  timeoutMs: number,
) => number;
export const nameToIndex = libc.func('if_nametoindex', 'unsigned int', ['str']) as unknown as (name: string) => number;
export const clockGettime = libc.func('clock_gettime', 'int', ['int', 'void *']) as unknown as (clock: number, into: Buffer) => number;
export const vsnprintf = libc.func('vsnprintf', 'int', ['void *', 'size_t', 'void *', 'void *']) as unknown as (
  into: Buffer,
  size: number,
  format: unknown,
  list: unknown,
) => number;
const strerror = libc.func('strerror', 'str', ['int']) as unknown as (errno: number) => string;

/** The error number that the last call on this thread left. */
export function lastErrno(): number {
  return koffi.errno();
}

/** The C library's words for an error number. */
export function describeErrno(errno: number): string {
  return strerror(errno);
}
