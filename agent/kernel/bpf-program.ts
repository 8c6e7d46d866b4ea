import { BPF, bpf, writeAddress } from './bpf-syscall.ts';
import { checkCall } from './kernel-error.ts';

const TEST_RUN_BYTES = 80;

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
