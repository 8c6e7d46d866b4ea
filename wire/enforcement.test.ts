import { expect, test } from '@jest/globals';
import { ENFORCEMENTS } from '#core/registration/entry';
import { Enforcement as Message, TrustDomainSettings } from '#proto/gen/symbolon/authority/types';
import { enforcementFromMessage, enforcementToMessage } from './enforcement.ts';

const refuse = (why: string): never => {
  throw new RangeError(why);
};

test.each([...ENFORCEMENTS, undefined])('%s goes there and back', (enforcement) => {
  expect(enforcementFromMessage(enforcementToMessage(enforcement), refuse)).toBe(enforcement);
});

test.each([4, 99])('%s is never taken for something else', (value) => {
  // As it comes from a newer sender: field 3 of TrustDomainSettings, a varint.
  const { enforcement } = TrustDomainSettings.decode(Uint8Array.of(24, value));
  expect(() => enforcementFromMessage(enforcement, refuse)).toThrow(`enforcement ${value} is unknown`);
});

test('nor is what the generated code makes of names that it does not know', () => {
  expect(() => enforcementFromMessage(Message.UNRECOGNIZED, refuse)).toThrow('is unknown');
});
