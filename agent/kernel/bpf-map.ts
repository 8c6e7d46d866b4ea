import { closeSync } from 'node:fs';
import { BPF, bpf, writeAddress } from './bpf-syscall.ts';
import { checkCall, ERRNO, kernelError } from './kernel-error.ts';
import { lastErrno, numericSyscall } from './libc.ts';
import { libbpf } from './libbpf.ts';

const SYS_FCNTL = process.arch === 'arm64' ? 25 : 72;
const F_DUPFD_CLOEXEC = 1030;
const INFO_BYTES = 80; // struct bpf_map_info
const BATCH_ROWS = 1024;

/** Creates the row or replaces it (linux/bpf.h). */
const BPF_ANY = 0;

/** A BPF map. Keys and values are raw bytes in the layout of bpf/maps.h. */
export class BpfMap {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly maxEntries: number;

  private constructor(
    private readonly fd: number,
    readonly name: string,
    info: Buffer,
  ) {
    this.keyBytes = info.readUInt32LE(8);
    this.valueBytes = info.readUInt32LE(12);
    this.maxEntries = info.readUInt32LE(16);
  }

  /** The map behind a descriptor, which stays the caller's. */
  static fromFd(fd: number): BpfMap {
    return BpfMap.own(checkCall(numericSyscall(SYS_FCNTL, fd, F_DUPFD_CLOEXEC, 0, 0, 0, 0), 'fcntl', 'BPF map'));
  }

  /** The map pinned at a path. Throws KERNEL_CALL_FAILED. */
  static open(path: string): BpfMap {
    return BpfMap.own(checkCall(libbpf.getPinned(path), 'bpf(BPF_OBJ_GET)', path));
  }

  private static own(fd: number): BpfMap {
    const info = Buffer.alloc(INFO_BYTES);
    const attribute = Buffer.alloc(16);
    attribute.writeUInt32LE(fd, 0);
    attribute.writeUInt32LE(info.length, 4);
    writeAddress(attribute, 8, info);
    checkCall(bpf(BPF.objectInfoByFd, attribute), 'bpf(BPF_OBJ_GET_INFO_BY_FD)', 'map');
    const name = info.toString('latin1', 24, 40);
    return new BpfMap(fd, name.slice(0, name.indexOf('\0')), info);
  }

  /** The sum over all CPUs of the u64 in row `index` of a per-CPU array. */
  sumPerCpu(index: number): bigint {
    const cpus = checkCall(libbpf.possibleCpus(), 'libbpf_num_possible_cpus');
    const key = Buffer.alloc(4);
    key.writeUInt32LE(index);
    const values = Buffer.alloc(8 * cpus);
    checkCall(libbpf.lookup(this.fd, key, values), 'bpf(BPF_MAP_LOOKUP_ELEM)', this.name);
    return Array.from({ length: cpus }, (_, cpu) => values.readBigUInt64LE(8 * cpu)).reduce((a, b) => a + b, 0n);
  }

  private checkSizes(key: Uint8Array, value?: Uint8Array): void {
    if (key.length !== this.keyBytes || (value && value.length !== this.valueBytes))
      throw new RangeError(
        `map ${this.name} has keys of ${this.keyBytes} and values of ${this.valueBytes} bytes, not ${key.length} and ${value?.length ?? '-'}`,
      );
  }

  /** The value of a key, or undefined. */
  get(key: Uint8Array): Buffer | undefined {
    this.checkSizes(key);
    const value = Buffer.alloc(this.valueBytes);
    const result = libbpf.lookup(this.fd, key, value);
    if (result === -ERRNO.ENOENT) return undefined;
    checkCall(result, 'bpf(BPF_MAP_LOOKUP_ELEM)', this.name);
    return value;
  }

  /** Writes a row, new or not. Throws KERNEL_CALL_FAILED: E2BIG = full. */
  set(key: Uint8Array, value: Uint8Array): void {
    this.checkSizes(key, value);
    checkCall(libbpf.update(this.fd, key, value, BPF_ANY), 'bpf(BPF_MAP_UPDATE_ELEM)', this.name);
  }

  /** Removes a row. Returns whether there was one. */
  delete(key: Uint8Array): boolean {
    this.checkSizes(key);
    const result = libbpf.delete(this.fd, key);
    if (result === -ERRNO.ENOENT) return false;
    checkCall(result, 'bpf(BPF_MAP_DELETE_ELEM)', this.name);
    return true;
  }

  /** Every row, by next-key: for map types without batches (longest-prefix tries, arrays) and small maps. */
  *walk(): Generator<readonly [Buffer, Buffer]> {
    let after: Buffer | null = null;
    for (;;) {
      const key: Buffer = Buffer.alloc(this.keyBytes);
      const result = libbpf.nextKey(this.fd, after, key);
      if (result === -ERRNO.ENOENT) return;
      checkCall(result, 'bpf(BPF_MAP_GET_NEXT_KEY)', this.name);
      const value = this.get(key);
      if (value) yield [key, value];
      after = key;
    }
  }

  /** Every row of a hash map, read in batches. Rows that change meanwhile may be missed or seen twice. */
  entries(): readonly (readonly [Buffer, Buffer])[] {
    const rows: (readonly [Buffer, Buffer])[] = [];
    const next = Buffer.alloc(Math.max(this.keyBytes, 8));
    // A bucket must fit whole; a batch that is too small for one is answered with ENOSPC and tried again, larger.
    for (let size = BATCH_ROWS, from: Buffer | null = null; ; ) {
      const keys = Buffer.alloc(this.keyBytes * size);
      const values = Buffer.alloc(this.valueBytes * size);
      const count = Buffer.alloc(4);
      count.writeUInt32LE(size);
      const result = libbpf.lookupBatch(this.fd, from, next, keys, values, count, null);
      const errno = result < 0 ? (result === -1 ? lastErrno() : -result) : 0;
      if (errno === ERRNO.ENOSPC) {
        size *= 2;
        continue;
      }
      if (errno !== 0 && errno !== ERRNO.ENOENT) throw kernelError('bpf(BPF_MAP_LOOKUP_BATCH)', errno, this.name);
      for (let i = 0; i < count.readUInt32LE(); i++) {
        rows.push([
          keys.subarray(i * this.keyBytes, (i + 1) * this.keyBytes),
          values.subarray(i * this.valueBytes, (i + 1) * this.valueBytes),
        ]);
      }
      if (errno === ERRNO.ENOENT) return rows;
      from = next;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
