import { closeSync, existsSync, rmSync } from 'node:fs';
import { BPF, bpf, writeAddress } from './bpf-syscall.ts';
import { checkCall } from './kernel-error.ts';
import { libbpf } from './libbpf.ts';

export type TcDirection = 'ingress' | 'egress';
const ATTACH_TYPE: Readonly<Record<TcDirection, number>> = { ingress: 46, egress: 47 }; // BPF_TCX_INGRESS, BPF_TCX_EGRESS
const LINK_CREATE_BYTES = 32; // up to tcx.expected_revision
const LINK_INFO_BYTES = 128;
const QUERY_BYTES = 64; // up to query.revision
const MAX_LINKS = 64;
const BPF_F_BEFORE = 8;

/**
 * A program at an interface's tcx hook (Linux ≥ 6.6). Pinned, it outlives the agent; it dies with its interface. libbpf 1.1 does not know tcx:
 * the calls are bpf(2)'s own.
 */
export class TcxLink {
  private constructor(private readonly fd: number) {}

  /**
   * Attaches before the programs that are there: one that returns TC_ACT_OK, as many do, ends the run. Throws KERNEL_CALL_FAILED: EINVAL = a kernel without tcx, ENODEV = no such
   * interface.
   */
  static create(programFd: number, interfaceIndex: number, direction: TcDirection): TcxLink {
    const attribute = Buffer.alloc(LINK_CREATE_BYTES);
    attribute.writeUInt32LE(programFd, 0);
    attribute.writeUInt32LE(interfaceIndex, 4);
    attribute.writeUInt32LE(ATTACH_TYPE[direction], 8);
    attribute.writeUInt32LE(BPF_F_BEFORE, 12);
    return new TcxLink(
      checkCall(bpf(BPF.linkCreate, attribute), 'bpf(BPF_LINK_CREATE)', `tcx ${direction} of interface ${interfaceIndex}`),
    );
  }

  static open(path: string): TcxLink {
    return new TcxLink(checkCall(libbpf.getPinned(path), 'bpf(BPF_OBJ_GET)', path));
  }

  pin(path: string): void {
    checkCall(libbpf.pin(this.fd, path), 'bpf(BPF_OBJ_PIN)', path);
  }

  /** Puts another program in place, atomically. */
  update(programFd: number): void {
    const attribute = Buffer.alloc(16);
    attribute.writeUInt32LE(this.fd, 0);
    attribute.writeUInt32LE(programFd, 4);
    checkCall(bpf(BPF.linkUpdate, attribute), 'bpf(BPF_LINK_UPDATE)', 'tcx link');
  }

  /** The kernel's number of the link, and the interface that it still holds on to; 0 once that interface is gone. */
  info(): { readonly id: number; readonly interfaceIndex: number } {
    const info = Buffer.alloc(LINK_INFO_BYTES);
    const attribute = Buffer.alloc(16);
    attribute.writeUInt32LE(this.fd, 0);
    attribute.writeUInt32LE(info.length, 4);
    writeAddress(attribute, 8, info);
    checkCall(bpf(BPF.objectInfoByFd, attribute), 'bpf(BPF_OBJ_GET_INFO_BY_FD)', 'tcx link');
    return { id: info.readUInt32LE(4), interfaceIndex: info.readUInt32LE(16) };
  }

  /** Closes the descriptor; a pinned link stays attached. */
  close(): void {
    closeSync(this.fd);
  }
}

/** The number of the link whose program runs first at a hook; undefined if that is no link's. Throws KERNEL_CALL_FAILED. */
export function firstLinkAt(interfaceIndex: number, direction: TcDirection): number | undefined {
  const links = Buffer.alloc(4 * MAX_LINKS);
  const programs = Buffer.alloc(links.length); // without room for these the kernel gives the count alone
  const attribute = Buffer.alloc(QUERY_BYTES);
  attribute.writeUInt32LE(interfaceIndex, 0);
  attribute.writeUInt32LE(ATTACH_TYPE[direction], 4);
  attribute.writeUInt32LE(MAX_LINKS, 24);
  writeAddress(attribute, 16, programs);
  writeAddress(attribute, 40, links);
  checkCall(bpf(BPF.progQuery, attribute), 'bpf(BPF_PROG_QUERY)', `tcx ${direction} of interface ${interfaceIndex}`);
  const first = links.readUInt32LE(0);
  return attribute.readUInt32LE(24) > 0 && first !== 0 ? first : undefined;
}

/**
 * Makes `program` run at the hook, by the link pinned at `path`: updated in place if it is there and still of this interface, else created.
 * The hook is never without a program in between.
 */
export function attachTcx(programFd: number, interfaceIndex: number, direction: TcDirection, path: string): void {
  if (existsSync(path)) {
    const found = TcxLink.open(path);
    try {
      if (found.info().interfaceIndex === interfaceIndex) return found.update(programFd);
    } finally {
      found.close();
    }
    rmSync(path); // the interface died and its number was given to another
  }
  const link = TcxLink.create(programFd, interfaceIndex, direction);
  try {
    link.pin(path);
  } finally {
    link.close();
  }
}

/** Takes the pinned link away, and with it the program from the hook. */
export function detachTcx(path: string): void {
  rmSync(path, { force: true });
}
