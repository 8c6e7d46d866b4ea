import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { RegistrationEntry } from '#core/registration/entry';
import { parseSpiffeId, type SpiffeId } from '#core/spiffe/id';
import type { Attestation } from './attestation.ts';
import { judgeIncomplete, MAX_INCOMPLETE_LOOKS } from './incomplete-look.ts';

const web = parseSpiffeId('spiffe://east.example/web');
const batch = parseSpiffeId('spiffe://east.example/batch');
const identity = (spiffeId: SpiffeId): Attestation => ({
  kind: 'identity',
  entry: { id: 'e', spiffeId } as RegistrationEntry,
  addresses: [parseIpAddress('10.1.0.2')],
});
const unmanaged: Attestation = { kind: 'unmanaged' };
const pending: Attestation = { kind: 'pending' };
const refused: Attestation = { kind: 'refused', reason: 'process 7 matches no identity' };

type Row = readonly [string, Attestation, SpiffeId | 'unmanaged' | undefined, Attestation['kind']];
const ROWS: readonly Row[] = [
  ['an identity is kept', identity(web), web, 'identity'],
  ['an identity is not given', identity(web), undefined, 'pending'],
  ['nor in the place of another', identity(web), batch, 'pending'],
  ['nor to who was unmanaged', identity(web), 'unmanaged', 'pending'],
  ['who was unmanaged stays so', unmanaged, 'unmanaged', 'unmanaged'],
  ['nobody becomes unmanaged', unmanaged, undefined, 'pending'],
  ['least of all who had an identity', unmanaged, web, 'refused'],
  ['a stranger who was seen counts', refused, web, 'refused'],
  ['a namespace in which nobody could be seen waits', pending, web, 'pending'],
];

describe('judgeIncomplete', () => {
  test.each(ROWS)('of an incomplete look: %s', (_, found, was, kind) => {
    expect(judgeIncomplete(found, was, 1).kind).toBe(kind);
    expect(judgeIncomplete(found, was, MAX_INCOMPLETE_LOOKS - 1).kind).toBe(kind);
  });

  test.each(ROWS)('of a complete one everything is believed: %s', (_, found, was) => {
    expect(judgeIncomplete(found, was, 0)).toBe(found);
  });

  test.each(ROWS)('of the last of too many nothing: %s', (_, found, was) => {
    expect(judgeIncomplete(found, was, MAX_INCOMPLETE_LOOKS)).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('faster than they can be looked at'),
    });
  });
});
