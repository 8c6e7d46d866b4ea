// Runs one Datapath in the network namespace that it was started in, as told on stdin: a line of JSON each way. Bundled by bed.ts.
import { createInterface } from 'node:readline';
import type { Datapath } from '../../agent/datapath/contract.ts';
import { openDatapath } from '../../agent/datapath/open.ts';
import { interfaceIndex } from '../../agent/kernel/interface-index.ts';
import { readWire, writeWire } from './wire.ts';

interface Request {
  readonly id: number;
  readonly call: keyof Datapath | 'interfaceIndex';
  readonly args: readonly unknown[];
}

function say(message: unknown): void {
  process.stdout.write(`${writeWire(message)}\n`);
}

async function main(): Promise<void> {
  const [objectPath = '', pinDirectory = '', tapName = ''] = process.argv.slice(2);
  const datapath = await openDatapath({ objectPath, pinDirectory, tapName });
  datapath.onHeld((held) => say({ held }));
  say({ ready: datapath.found });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = readWire(line) as Request;
    try {
      const target = request.call === 'interfaceIndex' ? interfaceIndex : Reflect.get(datapath, request.call);
      const result: unknown = await Reflect.apply(target as (...args: readonly unknown[]) => unknown, datapath, request.args);
      say({ id: request.id, result });
      if (request.call === 'close') return;
    } catch (error) {
      say({ id: request.id, error: String(error) });
    }
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
