import koffi from 'koffi';
import { vsnprintf } from './libc.ts';

/** An opaque pointer into libbpf. */
export type Pointer = bigint | null;

const library = koffi.load('libbpf.so.1');
const pointer = 'void *';

/** The functions of libbpf 1.1 that the agent uses. Failures are negated error numbers, or a null pointer with errno. */
export const libbpf = {
  openFile: library.func('bpf_object__open_file', pointer, ['str', pointer]) as unknown as (path: string, options: Buffer) => Pointer,
  load: library.func('bpf_object__load', 'int', [pointer]) as unknown as (object: Pointer) => number,
  close: library.func('bpf_object__close', 'void', [pointer]) as unknown as (object: Pointer) => void,
  nextProgram: library.func('bpf_object__next_program', pointer, [pointer, pointer]) as unknown as (
    object: Pointer,
    after: Pointer,
  ) => Pointer,
  programName: library.func('bpf_program__name', 'str', [pointer]) as unknown as (program: Pointer) => string,
  programFd: library.func('bpf_program__fd', 'int', [pointer]) as unknown as (program: Pointer) => number,
  nextMap: library.func('bpf_object__next_map', pointer, [pointer, pointer]) as unknown as (object: Pointer, after: Pointer) => Pointer,
  mapName: library.func('bpf_map__name', 'str', [pointer]) as unknown as (map: Pointer) => string,
  mapFd: library.func('bpf_map__fd', 'int', [pointer]) as unknown as (map: Pointer) => number,
  mapIsInternal: library.func('bpf_map__is_internal', 'bool', [pointer]) as unknown as (map: Pointer) => boolean,
  setMapPinPath: library.func('bpf_map__set_pin_path', 'int', [pointer, 'str']) as unknown as (map: Pointer, path: string) => number,
  pin: library.func('bpf_obj_pin', 'int', ['int', 'str']) as unknown as (fd: number, path: string) => number,
  getPinned: library.func('bpf_obj_get', 'int', ['str']) as unknown as (path: string) => number,
  update: library.func('bpf_map_update_elem', 'int', ['int', pointer, pointer, 'uint64_t']) as unknown as (
    map: number,
    key: Uint8Array,
    value: Uint8Array,
    flags: number,
  ) => number,
  lookup: library.func('bpf_map_lookup_elem', 'int', ['int', pointer, pointer]) as unknown as (
    map: number,
    key: Uint8Array,
    into: Buffer,
  ) => number,
  delete: library.func('bpf_map_delete_elem', 'int', ['int', pointer]) as unknown as (map: number, key: Uint8Array) => number,
  nextKey: library.func('bpf_map_get_next_key', 'int', ['int', pointer, pointer]) as unknown as (
    map: number,
    after: Buffer | null,
    into: Buffer,
  ) => number,
  possibleCpus: library.func('libbpf_num_possible_cpus', 'int', []) as unknown as () => number,
  lookupBatch: library.func('bpf_map_lookup_batch', 'int', ['int', pointer, pointer, pointer, pointer, pointer, pointer]) as unknown as (
    map: number,
    from: Buffer | null,
    next: Buffer,
    keys: Buffer,
    values: Buffer,
    count: Buffer,
    options: null,
  ) => number,
} as const;

const setPrint = library.func('libbpf_set_print', pointer, [pointer]) as unknown as (print: bigint) => unknown;
const printType = koffi.pointer(koffi.proto('int', ['int', pointer, pointer]));
const line = Buffer.alloc(1 << 20); // a verifier log comes as one message
let messages: string[] = [];
let listening = false;

/**
 * Runs `work` and returns with its result what libbpf said meanwhile: warnings, and the verifier's log of a program that was refused.
 * Without this libbpf would write to stderr.
 */
export function withLibbpfMessages<T>(work: () => T): { readonly result: T; readonly messages: string } {
  if (!listening) {
    // libbpf passes a va_list, which is a pointer in the C calling conventions of x86-64 and arm64.
    const print = (level: number, format: unknown, list: unknown): number => {
      const length = vsnprintf(line, line.length, format, list);
      if (level <= 1) messages.push(line.toString('latin1', 0, Math.min(length, line.length - 1))); // 2 = debug
      return length;
    };
    setPrint(koffi.register(print, printType));
    listening = true;
  }
  messages = [];
  const result = work();
  return { result, messages: messages.join('') };
}
