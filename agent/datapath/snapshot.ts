import type { TcDirection } from '../kernel/tcx-link.ts';

/** The maps that `configure` keeps, by their names in bpf/tables.h. */
export const CONFIGURED_TABLES = ['sym_endpoints', 'sym_owner', 'sym_prefixes', 'sym_peers', 'sym_local', 'sym_gates'] as const;
export type ConfiguredTable = (typeof CONFIGURED_TABLES)[number];

/** The rows of one map: key → value, both in hex, so that snapshots are plain data and compare by value. */
export type TableRows = ReadonlyMap<string, string>;

/** A program at an interface. */
export interface Attachment {
  readonly interfaceIndex: number;
  readonly direction: TcDirection;
  readonly program: string;
}

/** One name for an attachment. Two programs may be at one place: an interface that was a workload's has become an uplink. */
export function attachmentKey({ interfaceIndex, direction, program }: Attachment): string {
  return `${interfaceIndex} ${direction} ${program}`;
}

/** What the node's configuration wants in the kernel. */
export interface DatapathSpec {
  readonly tables: Readonly<Record<ConfiguredTable, TableRows>>;
  /** By attachmentKey. */
  readonly attachments: ReadonlyMap<string, Attachment>;
}

/** What is in the kernel. */
export interface KernelSnapshot extends DatapathSpec {
  /** Live pairs by their local ends; addresses = their 16 bytes in hex. */
  readonly pairs: readonly {
    readonly pair: number;
    readonly endpoint: number;
    readonly local: string;
    readonly remote: string;
    readonly role: 'client' | 'server';
  }[];
}

/** One step from what is to what is wanted. */
export type MapChange =
  | { readonly kind: 'set'; readonly table: ConfiguredTable; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly table: ConfiguredTable; readonly key: string }
  | { readonly kind: 'attach'; readonly attachment: Attachment }
  | { readonly kind: 'detach'; readonly attachment: Attachment }
  | { readonly kind: 'remove-pair'; readonly pair: number; readonly endpoint: number; readonly local: string }
  | { readonly kind: 'sweep-endpoint'; readonly endpoint: number };
