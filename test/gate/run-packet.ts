import { BPF, bpf, writeAddress } from '../../agent/kernel/bpf-syscall.ts';
import { checkCall } from '../../agent/kernel/kernel-error.ts';

const TEST_RUN_BYTES = 80;

/** Runs a tc program on one packet (Ethernet header included); `context` is a struct __sk_buff, fields zero where the kernel wants zero. */
export function runPacketProgram(
  programFd: number,
  packet: Uint8Array,
  context: Buffer,
): { readonly verdict: number; readonly packet: Buffer } {
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
  attribute.writeUInt32LE(context.length, 40);
  writeAddress(attribute, 48, context);
  checkCall(bpf(BPF.progTestRun, attribute), 'bpf(BPF_PROG_TEST_RUN)', 'tc program');
  return { verdict: attribute.readInt32LE(4), packet: output.subarray(0, attribute.readUInt32LE(12)) };
}
