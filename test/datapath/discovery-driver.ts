// Watches workloads in the network namespace that it was started in; writes each state as a line. Between `fail` and `heal`,
// which it repeats, every look fails. Bundled by bed.ts.
import { createInterface } from 'node:readline';
import { parseIpPrefix } from '#core/network/prefix';
import { systemClock } from '#daemon/clock';
import { watchWorkloads } from '../../agent/attestation/discovery/watch.ts';
import { writeWire } from './wire.ts';

const say = (message: unknown): boolean => process.stdout.write(`${writeWire(message)}\n`);
let fails = false;
const clock = {
  ...systemClock,
  now: () => {
    if (fails) throw new Error('the clock has stopped');
    return systemClock.now();
  },
};
const watch = watchWorkloads(
  { uplinks: undefined, remotePrefixes: [parseIpPrefix('10.2.0.0/24'), parseIpPrefix('fd02::/64')], uplinksBefore: [], clock },
  say,
);
say(watch.current());
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'close') {
    watch.close();
    process.exit(0);
  }
  if (line === 'fail' || line === 'heal') {
    fails = line === 'fail';
    say(line);
  } else watch.rescan(Number(line));
});
