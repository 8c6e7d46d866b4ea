import { existsSync, rmSync } from 'node:fs';
import { BPF, bpf, writeAddress } from './bpf-syscall.ts';
import { checkCall } from './kernel-error.ts';
import { libbpf } from './libbpf.ts';

const TEST_RUN_BYTES = 80;

/** Pins a program (or any BPF object) at a path on a bpf file system; what was pinned there is let go. */
export function pinProgram(programFd: number, path: string): void {
  if (existsSync(path)) rmSync(path);
  checkCall(libbpf.pin(programFd, path), 'bpf(BPF_OBJ_PIN)', path);
}

/** The descriptor of the program pinned at a path; the caller closes it. */
export function openPinnedProgram(path: string): number {
  return checkCall(libbpf.getPinned(path), 'bpf(BPF_OBJ_GET)', path);
}

/** Runs a SEC("syscall") program once. `context` (Buffer.alloc) is read and written in place. Returns the program's return value. */
export function runSyscallProgram(programFd: number, context: Buffer | undefined): number {
  const attribute = Buffer.alloc(TEST_RUN_BYTES);
  attribute.writeUInt32LE(programFd, 0);
  if (context) {
    attribute.writeUInt32LE(context.length, 40);
    writeAddress(attribute, 48, context);
  }
  checkCall(bpf(BPF.progTestRun, attribute), 'bpf(BPF_PROG_TEST_RUN)', 'syscall program');
  return attribute.readInt32LE(4);
}

/** What BPF_PROG_TEST_RUN gave back: the verdict and the packet as the program left it. */
export interface TestRun {
  readonly verdict: number;
  readonly packet: Buffer;
}

/** Runs a tc program on one packet (Ethernet header included); `context` is a struct __sk_buff, fields zero where the kernel wants zero. */
export function runPacketProgram(programFd: number, packet: Uint8Array, context?: Buffer): TestRun {
  const input = Buffer.alloc(packet.length);
  input.set(packet);
  const output = Buffer.alloc(packet.length + 256);
  const attribute = Buffer.alloc(TEST_RUN_BYTES);
  attribute.writeUInt32LE(programFd, 0);
  attribute.writeUInt32LE(input.length, 8);
  attribute.writeUInt32LE(output.length, 12);
  writeAddress(attribute, 16, input);
  writeAddress(attribute, 24, output);
  attribute.writeUInt32LE(1, 32);
  if (context) {
    attribute.writeUInt32LE(context.length, 40);
    writeAddress(attribute, 48, context);
  }
  checkCall(bpf(BPF.progTestRun, attribute), 'bpf(BPF_PROG_TEST_RUN)', 'tc program');
  return { verdict: attribute.readInt32LE(4), packet: output.subarray(0, attribute.readUInt32LE(12)) };
}
