import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Protocol } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import { grantedRows, grantsOfRow, MAX_SINGLE_PORTS, rowsCover } from './ranges.ts';

const grant = (protocol: number, lowPort: number, highPort = lowPort): Grant => ({ protocol, lowPort, highPort });

test.each([
  ['nothing', [], []],
  ['a single port', [grant(6, 8443)], ['6/8443']],
  ['touching single ports apart', [grant(6, 8443), grant(6, 8444)], ['6/8443', '6/8444']],
  ['a port twice once', [grant(6, 1), grant(6, 1)], ['6/1']],
  ['ranges in one row', [grant(17, 10, 20), grant(17, 30, 40)], ['17/0 10-20 30-40']],
  ['overlapping and touching ranges joined', [grant(17, 15, 25), grant(17, 10, 20), grant(17, 26, 30)], ['17/0 10-30']],
  ['a single port beside the range that holds it', [grant(6, 15), grant(6, 10, 20)], ['6/15', '6/0 10-20']],
  ['a protocol without ports', [grant(1, 0, 65_535), grant(1, 0, 65_535)], ['1/0']],
  ['every port but 0', [grant(6, 0, 65_535)], ['6/0 1-65535']],
  ['port 0 alone as nothing', [grant(6, 0)], []],
])('%s', (_, grants, expected) => {
  expect(
    grantedRows(grants).map(({ protocol, servicePort, ranges }) =>
      [`${protocol}/${servicePort}`, ...ranges.map((r) => `${r.low}-${r.high}`)].join(' '),
    ),
  ).toEqual(expected);
});

describe('too many', () => {
  const singles = (n: number): Grant[] => Array.from({ length: n }, (_, i) => grant(6, 1000 + i));
  const ranges = (n: number): Grant[] => Array.from({ length: n }, (_, i) => grant(6, 1000 + 10 * i, 1005 + 10 * i));
  test.each([
    ['ports', singles(MAX_SINGLE_PORTS), singles(MAX_SINGLE_PORTS + 1)],
    ['ranges', ranges(8), ranges(9)],
  ])('%s are refused with the number that there may be', (what, most, more) => {
    expect(() => grantedRows(most)).not.toThrow();
    expect(() => grantedRows(more)).toThrow(new RegExp(`${more.length} separate (port )?${what}.*holds ${most.length}`));
  });
});

const arbitraryGrant = fc
  .tuple(fc.constantFrom(6, 17), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 10 }))
  .map(([protocol, low, more]) => grant(protocol, low, low + more));

test('rows allow exactly what the grants allow', () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryGrant, { maxLength: 6 }),
      fc.constantFrom(6, 17),
      fc.integer({ min: 1, max: 75 }),
      (grants, protocol, port) => {
        const allowed = grants.some((g) => g.protocol === protocol && g.lowPort <= port && port <= g.highPort);
        expect(rowsCover(grantedRows(grants), protocol as Protocol, port)).toBe(allowed);
      },
    ),
  );
});

test('the grants of rows have the same rows again', () => {
  fc.assert(
    fc.property(fc.array(arbitraryGrant, { maxLength: 6 }), (grants) => {
      const rows = grantedRows(grants);
      expect(grantedRows(rows.flatMap(grantsOfRow))).toEqual(rows);
    }),
  );
});
