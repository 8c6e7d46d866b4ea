import koffi from 'koffi';
import { syscall } from './libc.ts';

/** bpf(2) on this machine's architecture. */
const SYS_BPF = process.arch === 'arm64' ? 280 : 321;

/** Commands of bpf(2), as in include/uapi/linux/bpf.h (enum bpf_cmd). */
export const BPF = { progTestRun: 10, objectInfoByFd: 15, progQuery: 16, linkCreate: 28, linkUpdate: 29 } as const;

/** bpf(2). Returns what the call returns; negative = failed, errno says how. */
export function bpf(command: (typeof BPF)[keyof typeof BPF], attribute: Buffer): number {
  return syscall(SYS_BPF, command, attribute, attribute.length, 0, 0, 0);
}

/**
 * Writes the address of `target` into a bpf(2) attribute. The caller keeps `target` reachable until the call is over. `target` must come from
 * Buffer.alloc, whose memory never moves.
 */
export function writeAddress(attribute: Buffer, offset: number, target: Buffer): void {
  attribute.writeBigUInt64LE(koffi.address(target), offset);
}
