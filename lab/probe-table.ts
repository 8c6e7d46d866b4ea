import Table from 'cli-table3';
import type { ProbeResult } from './probe.ts';

/** One line of the table that a quickstart ends with. */
export interface ProofRow {
  readonly who: string;
  readonly whom: string;
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly milliseconds: number;
  readonly note?: string;
}

/** True if the row shows what it was to show. */
export function isProven(row: ProofRow): boolean {
  return row.seen === row.expected;
}

/** A probe's traffic for people: `tcp 8443`, `udp 5999 over IPv6 from port 5353`, `echo with the address of web`. */
function formatTraffic(result: ProbeResult): string {
  return [
    result.protocol,
    ...(result.port === undefined ? [] : [String(result.port)]),
    ...(result.family === 6 ? ['over IPv6'] : []),
    ...(result.sourcePort === undefined ? [] : [`from port ${result.sourcePort}`]),
    ...(result.sourceOf === undefined ? [] : [`with the address of ${result.sourceOf}`]),
  ].join(' ');
}

/** A probe's line. */
export function proofOfProbe(result: ProbeResult): ProofRow {
  return {
    who: result.from,
    whom: result.to,
    what: formatTraffic(result),
    expected: result.expected,
    seen: result.seen,
    milliseconds: result.milliseconds,
    ...(result.note === undefined ? {} : { note: result.note }),
  };
}

/** The table for people. */
export function formatProofTable(rows: readonly ProofRow[]): string {
  const table = new Table({
    head: ['', 'who', 'whom', 'what', 'expected', 'seen', 'ms', 'why'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'left', 'left', 'left', 'left', 'right', 'left'],
  });
  for (const row of rows) {
    const { who, whom, what, expected, seen, milliseconds, note } = row;
    table.push([isProven(row) ? 'ok' : 'FAIL', who, whom, what, expected, seen, milliseconds.toFixed(1), note ?? '']);
  }
  return table.toString();
}
