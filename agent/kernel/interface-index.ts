import { checkCall } from './kernel-error.ts';
import { nameToIndex } from './libc.ts';

/** The index of an interface of this process's network namespace. Throws KERNEL_CALL_FAILED if there is none of that name. */
export function interfaceIndex(name: string): number {
  // /sys/class/net would show the namespace of the mount, not of the process.
  return checkCall(nameToIndex(name) || -1, 'if_nametoindex', name);
}
