import { describe, expect, test } from '@jest/globals';
import { formatSelector } from '#core/registration/selector';
import { selectorsOfProcess } from './process.ts';
import { readProcess } from './read-process.ts';

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

  test.each(['', 'Uid:\t0\n', 'Uid:\tx\tx\tx\tx\nGid:\t0\t0\t0\t0\n'])('nothing of a status that is no status: %j', (status) => {
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
