import { expect, test } from '@jest/globals';
import { SymbolonError } from '#core/errors/error';
import { failedOperation, invalidValue } from './diagnostic.ts';
import { diagnosticsToProto, pathToProto } from './diagnostic-proto.ts';
import { attributePath, formatPath } from './path.ts';

const PATH = attributePath('sources', { attribute: 'spiffe_ids' }, { member: 'x"y' });

test('a path is in the text, and as far as the protocol can say it in the diagnostic', () => {
  expect(formatPath(PATH)).toBe('sources.spiffe_ids["x\\"y"]');
  expect(formatPath(attributePath('authorities', { key: 'a.example' }, { attribute: 'cert' }))).toBe('authorities["a.example"].cert');
  expect(pathToProto(PATH).steps.map((s) => s.selector?.value)).toEqual(['sources', 'spiffe_ids']);
  expect(pathToProto(attributePath('l', { index: 2 }, { key: 'k' })).steps.map((s) => s.selector?.value)).toEqual(['l', 2n, 'k']);
  const [message] = diagnosticsToProto([invalidValue(PATH, new Error('it is wrong'))]);
  expect(message).toMatchObject({ severity: 1, detail: 'sources.spiffe_ids["x\\"y"]: it is wrong.' });
});

test('an error of ours is its message; any other says that it is ours to mend', () => {
  const ours = new SymbolonError('NOT_FOUND', 'there is no node "a"', { what: 'a' });
  expect(failedOperation('Cannot read', ours)).toEqual({ severity: 'error', summary: 'Cannot read', detail: 'there is no node "a".' });
  expect(failedOperation('Cannot read', 'oops').detail).toBe('Unexpected failure inside the provider; please report it: oops.');
});
