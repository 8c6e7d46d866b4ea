import { describe, expect, test } from '@jest/globals';
import { formatSelector } from '#core/registration/selector';
import { selectorsOfProcess } from './process.ts';
import { readProcess, unlessEnded } from './read-process.ts';

const STATUS = 'Name:\tUid: 0\nUmask:\t0022\nUid:\t0\t1001\t1001\t1001\nGid:\t0\t1002\t1002\t1002\nGroups:\t27 100 \n';
const texts = (status: string, cgroup: string) => selectorsOfProcess(status, cgroup)?.map(formatSelector);

describe('selectorsOfProcess', () => {
  test('effective IDs, supplementary groups, the cgroup and those above it', () => {
    expect(texts(STATUS, '1:name=systemd:/old\n0::/apps/web\n')).toEqual([
      'unix:uid:1001',
      'unix:gid:1002',
      'unix:supplementary_gid:27',
      'unix:supplementary_gid:100',
      'cgroup:path:/apps',
      'cgroup:path:/apps/web',
    ]);
  });

  test.each([
    ['the root cgroup', '0::/\n'],
    ['a cgroup outside of the agent’s own', '0::/../other\n'],
    ['no version 2 hierarchy', '1:cpu:/apps\n'],
  ])('no cgroup selector for %s', (_, cgroup) => {
    expect(texts(STATUS.replace(/Groups.*\n/, 'Groups:\t \n'), cgroup)).toEqual(['unix:uid:1001', 'unix:gid:1002']);
  });

  // The kernel writes a name as it is, but for line feeds and backslashes (proc(5)).
  test.each([
    ['a carriage return', '\rUid:\t0\t2001'],
    ['two of them', 'x\r\rGid:\t7\t7'],
    ['a line separator', '\u2028Uid:\t0\t2001'],
    ['a paragraph separator', '\u2029Groups:\t0 '],
    ['a vertical tab', '\vUid:\t0\t2001'],
    ['no line end', 'Uid:\t0\t2001\t'],
  ])('a process cannot forge its IDs by a name with %s', (_, name) => {
    expect(texts(STATUS.replace('Uid: 0', name), '0::/')?.slice(0, 3)).toEqual([
      'unix:uid:1001',
      'unix:gid:1002',
      'unix:supplementary_gid:27',
    ]);
  });

  test.each([
    ['a carriage return', '1:name=systemd:/x\r0::/apps/web\n0::/mine\n', ['cgroup:path:/mine']],
    ['a line separator', '1:name=systemd:/x\u20280::/apps/web\n', []],
    [
      'a carriage return in the version 2 path',
      '0::/mine/x\r0::/apps/web\n',
      ['cgroup:path:/mine', 'cgroup:path:/mine/x\r0::', 'cgroup:path:/mine/x\r0::/apps', 'cgroup:path:/mine/x\r0::/apps/web'],
    ],
    ['a second line', '0::/apps/web\n0::/mine\n', []],
  ])('nor its cgroup by a path with %s', (_, cgroup, expected) => {
    expect(texts(STATUS, cgroup)?.filter((text) => text.startsWith('cgroup:'))).toEqual(expected);
  });

  const NAMED = 'Name:\tx\n';
  test.each([
    '',
    `${NAMED}Uid:\t0\n`,
    `${NAMED}Uid:\tx\tx\tx\tx\nGid:\t0\t0\t0\t0\nGroups:\t\n`,
    `${NAMED}Uid:\t0\t0\t0\t0\nUid:\t7\t7\t7\t7\nGid:\t0\t0\t0\t0\nGroups:\t\n`,
    `${NAMED}Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n`,
    'Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\n',
  ])('nothing of a status that is no status: %j', (status) => {
    expect(selectorsOfProcess(status, '0::/')).toBeUndefined();
  });
});

describe('readProcess', () => {
  test('reads this process', () => {
    const found = readProcess({ pid: process.pid, isAlive: () => true });
    expect(found?.selectors.map(formatSelector)).toContain(`unix:uid:${process.geteuid?.()}`);
    expect(found?.networkNamespace).toBeGreaterThan(0n);
  });

  test.each([
    ['has ended before', { pid: 2 ** 22 + 1, isAlive: () => false }],
    ['has ended meanwhile, its number taken by another', { pid: process.pid, isAlive: () => false }],
  ])('nothing of a process that %s', (_, held) => {
    expect(readProcess(held)).toBeUndefined();
  });
});

describe('unlessEnded', () => {
  const failing = (code: string) => (): never => {
    throw Object.assign(new Error(code), { code });
  };

  test.each(['ENOENT', 'ESRCH', 'EACCES', 'EINVAL'])('%s: the process has ended', (code) => {
    expect(unlessEnded(failing(code))).toBeUndefined();
  });

  test.each(['EMFILE', 'EIO'])('%s does not: whoever is there must not be overlooked', (code) => {
    expect(() => unlessEnded(failing(code))).toThrow(code);
  });
});
