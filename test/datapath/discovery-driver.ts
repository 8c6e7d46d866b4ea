// Watches workloads in the network namespace that it was started in; writes each state as a line. Bundled by bed.ts.
import { createInterface } from 'node:readline';
import { watchWorkloads } from '../../agent/attestation/discovery/watch.ts';
import { writeWire } from './wire.ts';

const say = (message: unknown): boolean => process.stdout.write(`${writeWire(message)}\n`);
const watch = watchWorkloads({ uplinks: undefined, remotePrefixes: [] }, say);
say(watch.current());
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'close') {
    watch.close();
    process.exit(0);
  }
  watch.rescan(Number(line));
});
