import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

// Every run here misses something, so that the script ends before it touches anything.
const TOOLS = ['bash', 'dirname', 'grep', 'head', 'id', 'printf', 'sed', 'sort', 'uname'];

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sy-setup-'));
  for (const tool of TOOLS) symlinkSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim(), join(path, tool));
});
afterEach(() => rmSync(path, { recursive: true }));

const program = (name: string, says: string): void => writeFileSync(join(path, name), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });

/** What the script says, line by line, and how it ends, where only the tools above and the given programs are on the PATH. */
function setUp(programs: Readonly<Record<string, string>>): { readonly status: number | null; readonly says: readonly string[] } {
  for (const [name, says] of Object.entries(programs)) program(name, says);
  const { status, stderr, stdout } = spawnSync('bash', [join(__dirname, 'setup.sh')], { encoding: 'utf8', env: { PATH: path } });
  return { status, says: (stdout + stderr).split('\n').filter((line) => line !== '') };
}

const GOOD = { node: '20.19.0', npm: '10.0.0', uname: '6.6.1', terraform: 'Terraform v1.11.4' };

test.each([
  ['no Terraform', { ...GOOD, terraform: undefined }, /^setup: no Terraform: install Terraform 1\.11 or newer .* on the PATH\.$/],
  ['an old Terraform', { ...GOOD, terraform: 'Terraform v1.9.8' }, /^setup: Terraform 1\.9\.8 is too old: install 1\.11/],
  ['an old kernel', { ...GOOD, uname: '6.1.0-13-amd64' }, /^setup: Linux 6\.1\.0-13-amd64 is too old: install a kernel of 6\.6/],
  ['an old Node', { ...GOOD, node: '20.9.0' }, /^setup: Node 20\.9\.0 is too old: install 20\.19/],
  ['no Node', { ...GOOD, node: undefined }, /^setup: no Node\.js: install Node 20\.19/],
])('%s is one sentence, and nothing is touched', (_, programs, sentence) => {
  rmSync(join(path, 'uname'));
  const there = Object.fromEntries(Object.entries(programs).filter((entry): entry is [string, string] => entry[1] !== undefined));
  expect(setUp(there)).toEqual({ status: 3, says: [expect.stringMatching(sentence)] });
});

/** Lies outside of the PATH of the script. */
const outside = (tool: string): string => spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim();
const IN_A_PLACE_WITHOUT = [outside('unshare'), '--mount', '--', outside('sh'), '-ec'];

// Where it is really so: as another user, or among other mounts.
test.each([
  [
    'not root',
    [outside('setpriv'), '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
    /^setup: not root: .*; run this as root \(for example with sudo -E\)\.$/,
  ],
  [
    'no BTF',
    [...IN_A_PLACE_WITHOUT, `${outside('mount')} -t tmpfs none /sys/kernel/btf; exec "$@"`, 'sh'],
    /^setup: no BTF: \/sys\/kernel\/btf\/vmlinux is missing; boot a kernel .*\.$/,
  ],
  [
    'no cgroup2',
    [...IN_A_PLACE_WITHOUT, `${outside('umount')} --lazy --all --types cgroup2; exec "$@"`, 'sh'],
    /^setup: no cgroup2: mount one, for example: /,
  ],
])('%s is one sentence, and nothing is touched', (_, [file = '', ...args], sentence) => {
  rmSync(join(path, 'uname'));
  for (const [name, says] of Object.entries(GOOD)) program(name, says);
  // A checkout that everybody may read and nobody has set up.
  const checkout = join(path, 'checkout');
  mkdirSync(join(checkout, 'build'), { recursive: true });
  chmodSync(path, 0o755);
  cpSync(join(__dirname, 'setup.sh'), join(checkout, 'build/setup.sh'));
  const before = readdirSync(path, { recursive: true });
  const { status, stderr, stdout } = spawnSync(file, [...args, join(path, 'bash'), join(checkout, 'build/setup.sh')], {
    encoding: 'utf8',
    env: { PATH: path },
  });
  expect([status, stdout, stderr.trimEnd().split('\n')]).toEqual([3, '', [expect.stringMatching(sentence)]]);
  expect(readdirSync(path, { recursive: true })).toEqual(before);
});

test('everything that is missing is said at once', () => {
  rmSync(join(path, 'uname'));
  const { status, says } = setUp({ uname: '5.4.0' });
  expect([status, says.length]).toEqual([3, 3]);
});
