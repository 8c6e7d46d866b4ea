import { SYM_MAPS } from '#bpf/gen/layout';
import { SymbolonError } from '#core/errors/error';
import type { BpfMap } from '../kernel/bpf-map.ts';
import type { BpfObject } from '../kernel/bpf-object.ts';
import { CONFIGURED_TABLES, type ConfiguredTable, type TableRows } from './snapshot.ts';

export type GateMapName = keyof typeof SYM_MAPS;
export type GateMaps = Readonly<Record<GateMapName, BpfMap>>;

/** The maps of a loaded gate. Throws BPF_LOAD_FAILED if one has another shape than the agent was built for. */
export function openGateMaps(object: BpfObject): GateMaps {
  const maps: Partial<Record<GateMapName, BpfMap>> = {};
  for (const name of Object.keys(SYM_MAPS) as GateMapName[]) {
    const map = object.map(name);
    const { keySize, valueSize } = SYM_MAPS[name];
    if (map.keyBytes !== keySize || map.valueBytes !== valueSize) {
      throw new SymbolonError(
        'BPF_LOAD_FAILED',
        `map ${name} has keys of ${map.keyBytes} and values of ${map.valueBytes} bytes, expected ${keySize} and ${valueSize}; ` +
          'the agent and its BPF object are of different builds',
        { object: object.path, verifierLog: '' },
      );
    }
    maps[name] = map;
  }
  return maps as GateMaps;
}

function readRows(map: BpfMap, name: ConfiguredTable): TableRows {
  // A longest-prefix trie knows no batches.
  const rows = name === 'sym_prefixes' ? [...map.walk()] : map.entries();
  return new Map(rows.map(([key, value]) => [key.toString('hex'), value.toString('hex')]));
}

/** The rows of every configured map. */
export function readConfiguredTables(maps: GateMaps): Readonly<Record<ConfiguredTable, TableRows>> {
  return Object.fromEntries(CONFIGURED_TABLES.map((name) => [name, readRows(maps[name], name)])) as Record<ConfiguredTable, TableRows>;
}
