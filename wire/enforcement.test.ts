import { expect, test } from '@jest/globals';
import { ENFORCEMENTS } from '#core/registration/entry';
import { Enforcement as Message } from '#proto/gen/symbolon/authority/types';
import { enforcementFromMessage, enforcementToMessage } from './enforcement.ts';

const refuse = (why: string): never => {
  throw new RangeError(why);
};

test.each([...ENFORCEMENTS, undefined])('%s goes there and back', (enforcement) => {
  expect(enforcementFromMessage(enforcementToMessage(enforcement), refuse)).toBe(enforcement);
});

test.each([Message.UNRECOGNIZED, 4, 99])('%s is never taken for something else', (value) => {
  expect(() => enforcementFromMessage(value as Message, refuse)).toThrow(`enforcement ${value} is unknown`);
});
