import { expect, test } from '@jest/globals';
import { findCgroupRoot } from './cgroup.ts';

test.each([
  ['cgroup v2 only', '31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw', '/sys/fs/cgroup'],
  [
    'beside cgroup v1',
    '40 31 0:37 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 none rw',
    '/sys/fs/cgroup/unified',
  ],
])('the unified hierarchy is found: %s', (_, text, root) => {
  expect(findCgroupRoot(text)).toBe(root);
});

test.each([
  ['there is none', '31 23 0:28 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu'],
  ['only a part of it is mounted', '31 23 0:28 /some/group /sys/fs/cgroup rw - cgroup2 cgroup2 rw'],
])('a sentence says what to do where %s', (_, text) => {
  expect(() => findCgroupRoot(text)).toThrow(
    expect.objectContaining({ code: 'PREREQUISITE_MISSING', message: expect.stringContaining('mount -t cgroup2') }),
  );
});
