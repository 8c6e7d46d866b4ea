import { SYM_PAIR, SYM_PAIR_KEY, SYM_PAIR_STATE, SYM_PROTECTION, SYM_RANGE, SYM_ROLE } from '#bpf/gen/layout';
import { addressFromBytes, addressToBytes } from '#core/network/address';
import type { Protocol } from '#core/network/flow';
import type { PortRange } from '#core/policy/port-ranges';
import type { EndpointId, PairKey, PairSpec, SessionIndex } from '../contract.ts';
import { type GrantedRow, grantsOfRow } from './ranges.ts';
import { decodeRow, encodeRow } from './row.ts';

export type PairState = keyof typeof SYM_PAIR_STATE;

/** A pair as its rows tell it; each row has its own epoch. */
export interface PairRows {
  readonly spec: PairSpec;
  readonly rows: readonly EpochRow[];
}

export interface EpochRow {
  readonly granted: GrantedRow;
  readonly epoch: number;
}

/** A map's row. */
export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The key of one protocol and port between a pair's ends; `servicePort` 0 = the row of the whole protocol. */
export function encodePairKey(key: PairKey): Buffer {
  return encodeRow(SYM_PAIR_KEY, {
    realm: key.realm,
    endpoint: key.endpoint,
    local: addressToBytes(key.local),
    remote: addressToBytes(key.remote),
    protocol: key.protocol,
    role: key.role === 'client' ? SYM_ROLE.CLIENT : SYM_ROLE.SERVER,
    service_port: key.servicePort,
  });
}

/** One row of a pair. */
export function encodePairRow(spec: PairSpec, { granted, epoch }: EpochRow, state: PairState): Row {
  return {
    key: encodePairKey({ ...spec, protocol: granted.protocol, servicePort: granted.servicePort }),
    value: encodeRow(SYM_PAIR, {
      pair: spec.pair,
      session: spec.session,
      epoch,
      state: SYM_PAIR_STATE[state],
      protection: SYM_PROTECTION.AUTHENTICATED,
      ranges: granted.ranges.length,
      not_after: spec.notAfterBootNs,
      range: Buffer.concat(granted.ranges.map((range) => encodeRow(SYM_RANGE, range))),
    }),
  };
}

function decodeRanges(bytes: Uint8Array, count: number): readonly PortRange[] {
  return Array.from({ length: count }, (_, i) =>
    decodeRow(SYM_RANGE, Buffer.from(bytes.subarray(i * SYM_RANGE.size, (i + 1) * SYM_RANGE.size))),
  );
}

/** The pairs whose rows these are: rows with the same pair number, ends, role and session belong together. */
export function decodePairRows(rows: Iterable<Row>): readonly PairRows[] {
  const found = new Map<string, PairRows>();
  for (const row of rows) {
    const key = decodeRow(SYM_PAIR_KEY, row.key);
    const value = decodeRow(SYM_PAIR, row.value);
    const granted = { protocol: key.protocol as Protocol, servicePort: key.service_port, ranges: decodeRanges(value.range, value.ranges) };
    const ends = row.key.toString('hex', 0, SYM_PAIR_KEY.fields.protocol.offset);
    const name = `${ends} ${key.role} ${value.pair} ${value.session}`;
    const earlier = found.get(name);
    found.set(name, {
      spec: {
        pair: value.pair,
        realm: key.realm,
        endpoint: key.endpoint as EndpointId,
        local: addressFromBytes(key.local),
        remote: addressFromBytes(key.remote),
        role: key.role === SYM_ROLE.CLIENT ? 'client' : 'server',
        grants: [...(earlier?.spec.grants ?? []), ...grantsOfRow(granted)],
        session: value.session as SessionIndex,
        notAfterBootNs: value.not_after,
      },
      rows: [...(earlier?.rows ?? []), { granted, epoch: value.epoch }],
    });
  }
  return [...found.values()];
}

/** Whether a row of sym_pairs says that packets still queue. */
export function isFlushingRow(row: Row): boolean {
  return decodeRow(SYM_PAIR, row.value).state === SYM_PAIR_STATE.FLUSHING;
}

/** The pair number of a row of sym_pairs. */
export function pairOfRow(value: Buffer): number {
  return decodeRow(SYM_PAIR, value).pair;
}
