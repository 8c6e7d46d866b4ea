import Table from 'cli-table3';
import type { ProbeResult } from './probe.ts';

/** A row's traffic for people: `tcp 8443`, `udp 5353 from port 5353`, `echo over IPv6`, `tcp 8443 as web`. */
export function formatTraffic(result: ProbeResult): string {
  return [
    result.protocol,
    ...(result.port === undefined ? [] : [String(result.port)]),
    ...(result.family === 6 ? ['over IPv6'] : []),
    ...(result.sourcePort === undefined ? [] : [`from port ${result.sourcePort}`]),
    ...(result.sourceOf === undefined ? [] : [`with the address of ${result.sourceOf}`]),
  ].join(' ');
}

/** The table that a quickstart ends with. */
export function formatProbeTable(results: readonly ProbeResult[]): string {
  const table = new Table({
    head: ['', 'who', 'whom', 'traffic', 'expected', 'seen', 'ms', 'why'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'left', 'left', 'left', 'left', 'right', 'left'],
  });
  for (const r of results) {
    table.push([r.asExpected ? 'ok' : 'FAIL', r.from, r.to, formatTraffic(r), r.expected, r.seen, r.milliseconds.toFixed(1), r.note ?? '']);
  }
  return table.toString();
}
