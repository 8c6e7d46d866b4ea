import { expect, test } from '@jest/globals';
import type { Enforcement } from '#core/registration/entry';
import { requirementOf } from './enforcement.ts';

const NONE = { kind: 'none' };
const PROOF = { kind: 'proof' };
const NO_SOURCE = { kind: 'impossible', unproven: 'source' };
const NO_DESTINATION = { kind: 'impossible', unproven: 'destination' };

test.each<[Enforcement, Enforcement, boolean, object]>([
  ['off', 'off', true, NONE],
  ['off', 'inbound', true, NO_SOURCE],
  ['off', 'all', true, NO_SOURCE],
  ['inbound', 'inbound', true, PROOF],
  ['inbound', 'all', true, PROOF],
  ['all', 'inbound', true, PROOF],
  ['all', 'all', true, PROOF],
  ['inbound', 'off', true, NO_DESTINATION],
  ['inbound', 'off', false, NONE],
  ['all', 'off', true, NO_DESTINATION],
  ['all', 'off', false, NO_DESTINATION],
  ['off', 'off', false, NONE],
])('%s to %s (destination in the directory: %s)', (source, destination, inDirectory, expected) => {
  expect(requirementOf({ enforcement: source, inDirectory: true }, { enforcement: destination, inDirectory })).toEqual(expected);
});
