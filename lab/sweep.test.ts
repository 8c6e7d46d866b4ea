import { expect, test } from '@jest/globals';
import { parseLabFile } from './spec-file.ts';
import type { LabState } from './state.ts';
import { planSweep } from './sweep.ts';

const spec = parseLabFile('trustDomain: east.example\nnodes: {}\n');
const OWNER = { pid: 4711, startTicks: 99 };

const lab = (id: string, owner: LabState['owner']) => ({
  id,
  ageMs: 60_000,
  state: { id, checkout: '/src', owner, startedAtMs: 0, spec, places: [] },
});

test.each([
  ['the owner is dead', { labs: [lab('aa', OWNER)], cgroups: ['aa'], alive: false }, ['aa']],
  ['the owner lives', { labs: [lab('aa', OWNER)], cgroups: ['aa'], alive: true }, []],
  ['it has no owner', { labs: [lab('aa', null)], cgroups: ['aa'], alive: false }, []],
  ['no state, and just begun', { labs: [{ id: 'aa', ageMs: 100, state: undefined }], cgroups: [], alive: false }, []],
  ['no state, and old', { labs: [{ id: 'aa', ageMs: 60_000, state: undefined }], cgroups: [], alive: false }, ['aa']],
  ['a cgroup without a run folder', { labs: [], cgroups: ['bb'], alive: true }, ['bb']],
])('%s', (_, { labs, cgroups, alive }, swept) => {
  expect(planSweep({ labs, cgroups, isAlive: () => alive })).toEqual(swept);
});
