import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSymbolonError } from '#core/errors/error';
import type { BpfObject } from '../kernel/bpf-object.ts';
import { ERRNO } from '../kernel/kernel-error.ts';
import { attachTcx, detachTcx, firstLinkAt, TcxLink } from '../kernel/tcx-link.ts';
import { type Attachment, attachmentKey } from './snapshot.ts';

const NAME = /^(\d+)_(ingress|egress)_(sym_\w+)$/;

/** An interface that has just gone is no failure: undefined. Whoever watches interfaces will say so. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isSymbolonError(error, 'KERNEL_CALL_FAILED') && error.context.errno === ERRNO.ENODEV) return undefined;
    throw error;
  }
}

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

  /** The programs that are at work, each with its link's number. Links whose interface is gone, its number perhaps given to another, are let go of. */
  private pinned(): readonly { readonly attachment: Attachment; readonly link: number }[] {
    return readdirSync(this.directory).flatMap((file) => {
      const match = NAME.exec(file);
      if (!match) return [];
      const [, index = '', direction = '', program = ''] = match;
      const attachment: Attachment = { interfaceIndex: Number(index), direction: direction === 'ingress' ? 'ingress' : 'egress', program };
      const path = join(this.directory, file);
      const link = TcxLink.open(path);
      const { id, interfaceIndex } = link.info();
      link.close();
      if (interfaceIndex === attachment.interfaceIndex) return [{ attachment, link: id }];
      detachTcx(path);
      return [];
    });
  }

  /** The programs that are at work, by attachmentKey. */
  list(): ReadonlyMap<string, Attachment> {
    return new Map(this.pinned().map(({ attachment }) => [attachmentKey(attachment), attachment]));
  }

  /** What is wrong with the places of the programs, for people: another program that runs first can end the run and keep the gate from seeing a packet. */
  problems(): readonly string[] {
    return this.pinned().flatMap(({ attachment: { interfaceIndex, direction }, link }) => {
      const first = unlessGone(() => ({ link: firstLinkAt(interfaceIndex, direction) }));
      if (!first || first.link === link) return [];
      return [
        `another program runs before the gate at the tcx ${direction} of interface ${interfaceIndex}; attach it behind the gate's (bpftool net shows them)`,
      ];
    });
  }

  /** Puts this object's programs in the place of those that an earlier agent attached. */
  update(): void {
    for (const attachment of this.list().values()) this.attach(attachment);
  }

  /** Attaches, if the interface is still there. */
  attach(attachment: Attachment): void {
    unlessGone(() =>
      attachTcx(this.object.programFd(attachment.program), attachment.interfaceIndex, attachment.direction, this.pathOf(attachment)),
    );
  }

  detach(attachment: Attachment): void {
    detachTcx(this.pathOf(attachment));
  }
}
