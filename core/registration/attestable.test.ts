import { describe, expect, test } from '@jest/globals';
import { selectorsOfProcess } from '../../agent/attestation/process.ts';
import { checkAttestable } from './attestable.ts';
import { parseSelector } from './selector.ts';

test('whatever the agent finds on a process may be asked for', () => {
  const found = selectorsOfProcess(
    'Name:\tweb\nUid:\t0\t0\t0\t0\nGid:\t4294967294\t4294967294\t0\t0\nGroups:\t27 100 \n',
    '0::/apps/web x.service/a:b\n',
  );
  expect(found).toHaveLength(7);
  for (const selector of found ?? []) expect(() => checkAttestable(selector)).not.toThrow();
});

describe('what it never finds is refused', () => {
  test.each([
    ['unix:uid:01001', 'without leading zeros'],
    ['unix:uid:4294967295', '0 to 4294967294'],
    ['unix:uid:99999999999', '0 to 4294967294'],
    ['unix:gid:-1', '"-1"'],
    ['unix:uid:root', '"root"'],
    ['unix:supplementary_gid:', '""'],
    ['unix:user:web', 'expected unix:uid:N, unix:gid:N, unix:supplementary_gid:N or cgroup:path:/a/b'],
    ['k8s:ns:shop', 'is of a kind that no agent attests'],
    ['cgroup:id:7', 'is of a kind that no agent attests'],
    ['cgroup:path:apps', 'no path of a cgroup'],
    ['cgroup:path:/', 'no path of a cgroup'],
    ['cgroup:path:/apps/', 'without a slash at its end'],
    ['cgroup:path:/../x', 'no path of a cgroup'],
  ])('%s', (text, why) => {
    expect(() => checkAttestable(parseSelector(text))).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID' }));
    expect(() => checkAttestable(parseSelector(text))).toThrow(why);
  });
});
