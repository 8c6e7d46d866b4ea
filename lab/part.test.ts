import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type StartedPart, waitUntilReady } from './part.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-part-'));
  writeFileSync(join(folder, 'cgroup.procs'), `${process.pid}\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A started part that never gets ready, unless it is said so. */
const part = (change: Partial<StartedPart>): StartedPart => ({
  what: 'the agent of east-1',
  cgroup: folder,
  logFile: join(folder, 'log'),
  logStart: 0,
  waitsFor: async () => 'its SVID has not been issued yet',
  patienceMs: 0,
  ...change,
});
const EARLIER = 'symbolon-agent: of old\n';
const JSON_LINE = '{"level":"warn","stack":"Error\\n    at run (agent.js:1:1)"}\n';

test('what is ready is not waited for', async () => {
  await waitUntilReady(part({ waitsFor: async () => undefined }));
});

test('what is not ready in time is said with what it waits for; its log is named, not shown', async () => {
  writeFileSync(join(folder, 'log'), JSON_LINE);
  await expect(waitUntilReady(part({}))).rejects.toMatchObject({
    code: 'LAB_FAILED',
    message: `the agent of east-1 is not ready after 0 s, and goes on: its SVID has not been issued yet; its log is ${join(folder, 'log')}`,
  });
});

test.each<[what: string, log: string | undefined, words: string, logStart?: number]>([
  ['its last words', `${JSON_LINE}symbolon-agent: --listen-port is taken\n    more\n`, ': symbolon-agent: --listen-port is taken'],
  ['nothing but what came after the last line of JSON', `symbolon-agent: before\n${JSON_LINE}`, ''],
  ['nothing of an earlier run', EARLIER, '', EARLIER.length],
  ['what came after an earlier run', `${EARLIER}symbolon-agent: new\n`, ': symbolon-agent: new', EARLIER.length],
  ['nothing where there is no log', undefined, ''],
])('what has ended is said with %s', async (_, log, words, logStart = 0) => {
  writeFileSync(join(folder, 'cgroup.procs'), '');
  if (log !== undefined) writeFileSync(join(folder, 'log'), log);
  await expect(waitUntilReady(part({ patienceMs: 60_000, logStart }))).rejects.toMatchObject({
    message: `the agent of east-1 ended right after its start${words}; its log is ${join(folder, 'log')}`,
  });
});

test('what no waiting ends is not waited for', async () => {
  const hopeless = part({ patienceMs: 60_000, waitsFor: () => Promise.reject(new Error('the authority does not run')) });
  await expect(waitUntilReady(hopeless)).rejects.toThrow('the authority does not run');
});
