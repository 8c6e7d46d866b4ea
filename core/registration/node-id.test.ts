import { describe, expect, test } from '@jest/globals';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { adminRightsOf, adminSpiffeId, authoritySpiffeId, isNodeOf, isReservedId, nodeNameOf, nodeSpiffeId } from './node-id.ts';

const EAST = parseTrustDomain('east.example');
const WEST = parseTrustDomain('west.example');
const id = (path: string): ReturnType<typeof parseSpiffeId> => parseSpiffeId(`spiffe://east.example${path}`);

describe('node IDs', () => {
  test.each(['east-1', 'a', '_', '-', 'A.b', 'x'.repeat(63)])('of the name %s read back', (name) => {
    const nodeId = nodeSpiffeId(EAST, name);
    expect(nodeId).toBe(`spiffe://east.example/symbolon/node/${name}`);
    expect(nodeNameOf(nodeId)).toBe(name);
    expect(isNodeOf(nodeId, EAST)).toBe(true);
    expect(isNodeOf(nodeId, WEST)).toBe(false);
  });

  test.each(['', '.', '..', '.a', 'a/b', 'a b', 'a\n', 'ä', 'x'.repeat(64), '../admin/x'])('cannot be made of the name %j', (name) => {
    expect(() => nodeSpiffeId(EAST, name)).toThrow(
      expect.objectContaining({ code: 'ENTRY_INVALID', context: { field: 'name', value: name } }),
    );
  });

  test.each([
    '',
    '/web',
    '/symbolon',
    '/symbolon/node',
    '/symbolon/node/a/b',
    '/symbolon/authority',
    '/symbolon/admin/a',
    '/ns/symbolon/node/a',
  ])('are not %j', (path) => {
    expect(nodeNameOf(id(path))).toBeUndefined();
    expect(isNodeOf(id(path), EAST)).toBe(false);
  });
});

describe('reserved IDs', () => {
  test.each([
    ['', false],
    ['/web', false],
    ['/symbolons/node/a', false],
    ['/Symbolon/node/a', false],
    ['/ns/symbolon', false],
    ['/symbolon', true],
    ['/symbolon/x', true],
    ['/symbolon/node/a', true],
  ])('%j: %s', (path, expected) => {
    expect(isReservedId(id(path))).toBe(expected);
  });

  test('are those that the system makes', () => {
    for (const made of [
      nodeSpiffeId(EAST, 'n'),
      authoritySpiffeId(EAST),
      adminSpiffeId(EAST, 'a', 'write'),
      adminSpiffeId(EAST, 'a', 'read'),
    ]) {
      expect(isReservedId(made)).toBe(true);
    }
  });
});

describe('administrators', () => {
  test.each([
    [adminSpiffeId(EAST, 'ci', 'write'), 'write'],
    [adminSpiffeId(EAST, 'ci', 'read'), 'read'],
    [nodeSpiffeId(EAST, 'ci'), undefined],
    [authoritySpiffeId(EAST), undefined],
    [id('/admin/ci'), undefined],
    [id('/symbolon/admin'), undefined],
    [id('/symbolon/admin/ci/x'), undefined],
    [id('/ns/symbolon/admin/ci'), undefined],
  ])('%s may: %s', (who, rights) => {
    expect(adminRightsOf(who)).toBe(rights);
  });
});
