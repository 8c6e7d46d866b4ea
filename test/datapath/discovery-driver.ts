// Watches workloads in the network namespace that it was started in; writes each state as a line. Bundled by bed.ts.
import { createInterface } from 'node:readline';
import { parseIpPrefix } from '#core/network/prefix';
import { watchWorkloads } from '../../agent/attestation/discovery/watch.ts';
import { writeWire } from './wire.ts';

const say = (message: unknown): boolean => process.stdout.write(`${writeWire(message)}\n`);
const watch = watchWorkloads(
  { uplinks: undefined, remotePrefixes: [parseIpPrefix('10.2.0.0/24'), parseIpPrefix('fd02::/64')], uplinksBefore: [] },
  say,
);
say(watch.current());
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'close') {
    watch.close();
    process.exit(0);
  }
  watch.rescan(Number(line));
});
