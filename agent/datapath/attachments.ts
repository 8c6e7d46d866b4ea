import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSymbolonError } from '#core/errors/error';
import type { BpfObject } from '../kernel/bpf-object.ts';
import { ERRNO } from '../kernel/kernel-error.ts';
import { attachTcx, detachTcx, firstLinkAt, TcxLink } from '../kernel/tcx-link.ts';
import { type Attachment, attachmentKey } from './snapshot.ts';

const NAME = /^(\d+)_(ingress|egress)_(sym_\w+)$/;

/** The gate's programs at interfaces: links pinned in one directory, named after interface, direction and program. */
export class Attachments {
  private readonly directory: string;

  constructor(
    pinDirectory: string,
    private readonly object: BpfObject,
  ) {
    this.directory = join(pinDirectory, 'links');
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  private pathOf({ interfaceIndex, direction, program }: Attachment): string {
    return join(this.directory, `${interfaceIndex}_${direction}_${program}`);
  }

  /** The programs that are at work. Links whose interface is gone, its number perhaps given to another, are let go of. */
  list(): ReadonlyMap<string, Attachment> {
    const live = new Map<string, Attachment>();
    for (const file of readdirSync(this.directory)) {
      const match = NAME.exec(file);
      if (!match) continue;
      const [, index = '', direction = '', program = ''] = match;
      const attachment: Attachment = { interfaceIndex: Number(index), direction: direction === 'ingress' ? 'ingress' : 'egress', program };
      const path = join(this.directory, file);
      const link = TcxLink.open(path);
      const at = link.interfaceIndex();
      link.close();
      if (at === attachment.interfaceIndex) live.set(attachmentKey(attachment), attachment);
      else detachTcx(path);
    }
    return live;
  }

  /** What is wrong with the places of the programs, for people: another program that runs first can end the run and keep the gate from seeing a packet. */
  problems(): readonly string[] {
    return [...this.list().values()].flatMap((attachment) => {
      const { interfaceIndex, direction } = attachment;
      const link = TcxLink.open(this.pathOf(attachment));
      try {
        if (firstLinkAt(interfaceIndex, direction) === link.id()) return [];
      } finally {
        link.close();
      }
      return [
        `another program runs before the gate at the tcx ${direction} of interface ${interfaceIndex}; attach it behind the gate's (bpftool net shows them)`,
      ];
    });
  }

  /** Puts this object's programs in the place of those that an earlier agent attached. */
  update(): void {
    for (const attachment of this.list().values()) this.attach(attachment);
  }

  /** Attaches; an interface that has just gone is no failure: whoever watches interfaces will say so. */
  attach(attachment: Attachment): void {
    try {
      attachTcx(this.object.programFd(attachment.program), attachment.interfaceIndex, attachment.direction, this.pathOf(attachment));
    } catch (error) {
      if (!isSymbolonError(error, 'KERNEL_CALL_FAILED') || error.context.errno !== ERRNO.ENODEV) throw error;
    }
  }

  detach(attachment: Attachment): void {
    detachTcx(this.pathOf(attachment));
  }
}
