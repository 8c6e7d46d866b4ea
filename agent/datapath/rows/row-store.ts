import type { BpfMap } from '../../kernel/bpf-map.ts';

/** What a table needs of its BPF map. */
export type RowStore = Pick<BpfMap, 'get' | 'set' | 'delete' | 'entries' | 'maxEntries'>;
