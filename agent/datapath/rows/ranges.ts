import { SYM_LIMIT } from '#bpf/gen/layout';
import { SymbolonError } from '#core/errors/error';
import { hasPorts, type Protocol } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import { mergeRanges, type PortRange } from '#core/policy/port-ranges';

/** What one pair row allows: one port, or (`servicePort` 0) the ranges of a protocol, none for a protocol without ports. */
export interface GrantedRow {
  readonly protocol: Protocol;
  readonly servicePort: number;
  readonly ranges: readonly PortRange[];
}

/** Single ports that a pair may have for one protocol, each a row of its own. */
export const MAX_SINGLE_PORTS = 64;

function checkCount(count: number, most: number, what: string, protocol: Protocol): void {
  if (count <= most) return;
  throw new SymbolonError(
    'PAIR_REFUSED',
    `the pair is granted ${count} separate ${what} of protocol ${protocol}, and the gate holds ${most}; ` +
      'join them to fewer ranges in the auth policies between the two workloads',
    { reason: 'unsupported' },
  );
}

function rowsOf(protocol: Protocol, granted: readonly PortRange[]): readonly GrantedRow[] {
  if (!hasPorts(protocol)) return [{ protocol, servicePort: 0, ranges: [] }];
  // A port of its own keeps a row of its own, whatever ranges come and go around it: only its own end cuts its flows.
  const single = [...new Set(granted.filter(({ low, high }) => low === high).map(({ low }) => low))];
  const ranges = mergeRanges(granted.filter(({ low, high }) => low !== high));
  checkCount(single.length, MAX_SINGLE_PORTS, 'ports', protocol);
  checkCount(ranges.length, SYM_LIMIT.MAX_RANGES, 'port ranges', protocol);
  return [
    ...single.map((servicePort) => ({ protocol, servicePort, ranges: [] })),
    ...(ranges.length === 0 ? [] : [{ protocol, servicePort: 0, ranges }]),
  ];
}

/** The rows that grants need. Throws PAIR_REFUSED (`unsupported`) if a protocol has more ports or ranges than the gate holds. */
export function grantedRows(grants: readonly Grant[]): readonly GrantedRow[] {
  const byProtocol = new Map<Protocol, PortRange[]>();
  for (const { protocol, lowPort, highPort } of grants) {
    const ranges = byProtocol.get(protocol as Protocol) ?? [];
    // The port 0 of a key stands for the protocol; no server has it.
    if (highPort > 0 || !hasPorts(protocol as Protocol)) ranges.push({ low: Math.max(lowPort, 1), high: highPort });
    byProtocol.set(protocol as Protocol, ranges);
  }
  return [...byProtocol].flatMap(([protocol, ranges]) => rowsOf(protocol, ranges));
}

/** The grant list that gives this row again. */
export function grantsOfRow(row: GrantedRow): readonly Grant[] {
  const { protocol, servicePort, ranges } = row;
  if (!hasPorts(protocol)) return [{ protocol, lowPort: 0, highPort: 65_535 }];
  if (servicePort !== 0) return [{ protocol, lowPort: servicePort, highPort: servicePort }];
  return ranges.map(({ low, high }) => ({ protocol, lowPort: low, highPort: high }));
}

/** Whether everything that `inner` allows is allowed by `outer` too; both are rows of one key. */
export function rowCovers(outer: GrantedRow, inner: GrantedRow): boolean {
  return inner.ranges.every((i) => outer.ranges.some((o) => o.low <= i.low && o.high >= i.high));
}

/** Whether the rows allow a protocol and port. */
export function rowsCover(rows: readonly GrantedRow[], protocol: Protocol, servicePort: number): boolean {
  return rows.some(
    (row) =>
      row.protocol === protocol &&
      (row.servicePort === servicePort || row.ranges.some(({ low, high }) => low <= servicePort && servicePort <= high)),
  );
}
