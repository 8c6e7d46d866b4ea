import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callUnary } from '#daemon/grpc/call';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { testPolicy } from '../../authority/testing/test-authority.ts';
import { AuthorityProcess } from './authority-process.ts';

let folder: string;
let running: AuthorityProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-crash-'));
});
afterEach(async () => {
  await running?.kill();
  running = undefined;
  rmSync(folder, { recursive: true });
});

const ROUNDS = 8;
const WRITERS = 4;

/** What was acknowledged: policies that must be there by name, names that must not, and the newest revision. */
interface Acknowledged {
  readonly present: Map<string, string>;
  readonly absent: Set<string>;
  /** Asked for and not answered: may be there or not. */
  readonly unknown: Set<string>;
  revision: bigint;
}

/** Creates policies, and deletes every third again, until the authority is gone. */
async function write(authority: AuthorityProcess, prefix: string, known: Acknowledged): Promise<void> {
  const acknowledge = (revision: bigint): void => {
    if (revision > known.revision) known.revision = revision;
  };
  for (let i = 0; ; i++) {
    const name = `${prefix}-${i}`;
    try {
      known.unknown.add(name);
      const { policy, revision } = await callUnary(authority.client, ControlService.createAuthPolicy, { policy: testPolicy(name) });
      acknowledge(revision);
      if (i % 3 === 0) {
        acknowledge((await callUnary(authority.client, ControlService.deleteAuthPolicy, { id: policy?.id ?? '' })).revision);
        known.absent.add(name);
      } else known.present.set(name, policy?.id ?? '');
      known.unknown.delete(name);
    } catch {
      return;
    }
  }
}

test('kill -9 while writing loses nothing that was acknowledged, and brings nothing back', async () => {
  const known: Acknowledged = { present: new Map(), absent: new Set(), unknown: new Set(), revision: 0n };
  let bundle: Buffer | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    running = AuthorityProcess.spawn(folder);
    await running.ready();
    bundle ??= readFileSync(join(folder, 'ca.pem'));
    const { policies } = await callUnary(running.client, ControlService.listAuthPolicies, {});
    const found = new Map(policies.map((policy) => [policy.name, policy.id]));
    expect([...known.present].filter(([name, id]) => found.get(name) !== id)).toEqual([]);
    expect([...known.absent].filter((name) => found.has(name))).toEqual([]);
    expect(policies.filter(({ name }) => !known.present.has(name) && !known.unknown.has(name))).toEqual([]);
    const { revision } = await callUnary(running.client, ControlService.getStatus, {});
    expect(revision).toBeGreaterThanOrEqual(known.revision);
    known.revision = revision;

    const writers = Array.from({ length: WRITERS }, (_, writer) => write(running as AuthorityProcess, `r${round}-w${writer}`, known));
    const enough = known.present.size + 2 * WRITERS;
    while (known.present.size < enough) await sleep(5);
    await sleep(Math.random() * 50);
    await running.kill();
    running = undefined;
    await Promise.all(writers);
  }
  expect(known.absent.size).toBeGreaterThan(0);
  expect(readFileSync(join(folder, 'ca.pem'))).toEqual(bundle);
}, 120_000);

test('kill -9 at any moment of the first start leaves a folder that the next start takes', async () => {
  for (let round = 0; round < 5; round++) {
    const data = join(folder, `d${round}`);
    const first = AuthorityProcess.spawn(data);
    await sleep(150 + round * 50);
    await first.kill();
    running = AuthorityProcess.spawn(data);
    await running.ready();
    await running.kill();
    running = undefined;
  }
}, 120_000);
