import { MESSAGE, parseAttributes } from './message.ts';
import { netlinkGet } from './socket.ts';

const NETNSA_ID = 1;
const NETNSA_FD = 3;
const GENERAL_BYTES = 4; // struct rtgenmsg, padded

/**
 * The id under which this network namespace knows another one, given by a descriptor of its /proc/PID/ns/net: what a veth's peerNamespaceId
 * speaks of. Undefined if it has none. Throws KERNEL_CALL_FAILED.
 */
export function namespaceIdOf(fd: number): number | undefined {
  const answer = netlinkGet(MESSAGE.getNamespaceId, Buffer.alloc(GENERAL_BYTES), [{ type: NETNSA_FD, value: fd }], 'RTM_GETNSID');
  const id = answer && parseAttributes(answer.body, GENERAL_BYTES).get(NETNSA_ID)?.readInt32LE(0);
  return id === undefined || id < 0 ? undefined : id;
}
