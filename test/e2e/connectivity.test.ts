import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ProbeRow } from '#lab/probe';
import { startWorld, type World } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const FAMILIES = [4, 6] as const;

function rows(
  from: string,
  to: string,
  expected: ProbeRow['expected'],
  kinds: readonly (Pick<ProbeRow, 'protocol'> & Partial<ProbeRow>)[],
): ProbeRow[] {
  return FAMILIES.flatMap((family) => kinds.map((kind) => ({ from, to, family, expected, ...kind })));
}

const TCP = { protocol: 'tcp', port: 8443 } as const;
const UDP = { protocol: 'udp', port: 5353 } as const;
const PING = { protocol: 'echo' } as const;

const PASSED = [
  ...rows('web', 'payments', 'passed', [TCP, UDP, PING]),
  ...rows('cache', 'payments', 'passed', [TCP]),
  ...rows('reports', 'payments', 'passed', [TCP]),
  // Nobody manages either end.
  ...rows('stranger', 'drifter', 'passed', [TCP, UDP, PING]),
];

const REFUSED = [
  ...rows('batch', 'payments', 'refused', [TCP, UDP, PING]),
  ...rows('web', 'reports', 'refused', [TCP, UDP, PING]),
  ...rows('web', 'batch', 'refused', [TCP, UDP, PING]),
  ...rows('drifter', 'payments', 'refused', [TCP, UDP, PING]),
  ...rows('stranger', 'payments', 'refused', [TCP, UDP, PING]),
  ...rows('payments', 'stranger', 'refused', [TCP, UDP, PING]),
  ...rows('payments', 'drifter', 'refused', [TCP, UDP, PING]),
  ...rows('payments', 'web', 'refused', [TCP, UDP, PING, { protocol: 'udp', port: 5999, sourcePort: 5353, note: 'from the service port' }]),
  ...rows('web', 'payments', 'refused', [
    { protocol: 'tcp', port: 9999 },
    { protocol: 'udp', port: 9999 },
  ]),
  ...rows('cache', 'payments', 'refused', [UDP, PING]),
];

const NOTHING = [
  ...rows('batch', 'payments', 'nothing', [
    { ...TCP, sourceOf: 'web' },
    { ...UDP, sourceOf: 'web' },
    { ...PING, sourceOf: 'web' },
  ]),
  ...rows('stranger', 'payments', 'nothing', [
    { ...TCP, sourceOf: 'web' },
    { ...UDP, sourceOf: 'web' },
  ]),
  ...rows('drifter', 'payments', 'nothing', [
    { ...TCP, sourceOf: 'web' },
    { ...UDP, sourceOf: 'web' },
  ]),
];

const title = (row: ProbeRow): string =>
  `${row.sourceOf ? `${row.from} as ${row.sourceOf}` : row.from} > ${row.to} ${row.protocol}${row.port ? `/${row.port}` : ''} IPv${row.family}${row.note ? ` (${row.note})` : ''}`;

describe.each([
  ['what the policies allow passes', PASSED],
  ['what they do not is refused at once', REFUSED],
  ['a forged source arrives nowhere', NOTHING],
])('%s', (_, table) => {
  test.each(table.map((row) => [title(row), row] as const))('%s', async (_title, row) => {
    const result = await world.prober.run(row);
    expect(`${result.seen}${result.asExpected ? '' : ` (${result.code})`}`).toBe(row.expected);
  });
});
