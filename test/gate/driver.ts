// Runs inside a test's network namespace: loads the gate, writes its maps, attaches it, and says what it did. One JSON request and answer per line.
import { createInterface } from 'node:readline';
import { SYM_MAPS, SYM_REASON, SYM_SWEEP_ARGS } from '../../bpf/gen/layout.ts';
import { bootNs } from '../../agent/kernel/boot-clock.ts';
import { BpfObject } from '../../agent/kernel/bpf-object.ts';
import { runSyscallProgram } from '../../agent/kernel/bpf-program.ts';
import { Tap } from '../../agent/kernel/tap.ts';
import { attachTcx, detachTcx, firstLinkAt, type TcDirection, TcxLink } from '../../agent/kernel/tcx-link.ts';
import { runPacketProgram } from './run-packet.ts';

const [objectPath = '', pins = ''] = process.argv.slice(2);
const object = BpfObject.load(objectPath, pins);
const maps = new Map(Object.keys(SYM_MAPS).map((name) => [name, object.map(name)]));
let tap: Tap | undefined;

/** struct __sk_buff of linux/bpf.h: the fields that a test run may set. */
const SKB = { bytes: 192, mark: 8, ingressInterface: 36, interface: 40 } as const;

export type Request =
  | { readonly do: 'set' | 'delete' | 'get'; readonly map: string; readonly key: string; readonly value?: string }
  | { readonly do: 'count'; readonly map: string }
  | {
      readonly do: 'run';
      readonly program: string;
      readonly packet: string;
      readonly interface: number;
      readonly ingressInterface: number;
      readonly mark?: number;
      /** Runs it so often, each time on the packet as it was; the answer is the last one's. */
      readonly times?: number;
    }
  | { readonly do: 'attach'; readonly program: string; readonly interface: number; readonly direction: TcDirection }
  | { readonly do: 'detach'; readonly program: string; readonly interface: number }
  | { readonly do: 'is-first'; readonly program: string; readonly interface: number; readonly direction: TcDirection }
  /** A program of somebody else's object, before all that is there. */
  | {
      readonly do: 'attach-foreign';
      readonly object: string;
      readonly program: string;
      readonly interface: number;
      readonly direction: TcDirection;
    }
  | { readonly do: 'counters' | 'now' | 'read-tap' }
  | { readonly do: 'open-tap'; readonly name: string }
  | { readonly do: 'write-tap'; readonly packet: string }
  | { readonly do: 'sweep'; readonly endpoint: number };

const linkPath = (request: { readonly program: string; readonly interface: number }): string =>
  `${pins}/link-${request.program}-${request.interface}`;

function mapOf(name: string) {
  const map = maps.get(name);
  if (!map) throw new Error(`no map ${name}`);
  return map;
}

function counters(): Record<string, number> {
  const rows = Object.entries(SYM_REASON).map(([name, reason]) => [name, Number(mapOf('sym_counters').sumPerCpu(reason))] as const);
  return Object.fromEntries(rows.filter(([, packets]) => packets > 0));
}

function run(request: Extract<Request, { do: 'run' }>) {
  const context = Buffer.alloc(SKB.bytes);
  context.writeUInt32LE(request.mark ?? 0, SKB.mark);
  context.writeUInt32LE(request.ingressInterface, SKB.ingressInterface);
  context.writeUInt32LE(request.interface, SKB.interface);
  const once = () => runPacketProgram(object.programFd(request.program), Buffer.from(request.packet, 'hex'), context);
  for (let i = 1; i < (request.times ?? 1); i++) once();
  const { verdict, packet } = once();
  return { verdict, packet: packet.toString('hex') };
}

function sweep(endpoint: number) {
  const { fields, size } = SYM_SWEEP_ARGS;
  const args = Buffer.alloc(size);
  args.writeUInt32LE(endpoint, fields.endpoint.offset);
  runSyscallProgram(object.programFd('sym_sweep'), args);
  return { removed: args.readUInt32LE(fields.removed.offset), left: args.readUInt32LE(fields.left.offset) };
}

function answer(request: Request): unknown {
  switch (request.do) {
    case 'set':
      return mapOf(request.map).set(Buffer.from(request.key, 'hex'), Buffer.from(request.value ?? '', 'hex'));
    case 'delete':
      return mapOf(request.map).delete(Buffer.from(request.key, 'hex'));
    case 'get':
      return mapOf(request.map).get(Buffer.from(request.key, 'hex'))?.toString('hex');
    case 'count':
      return mapOf(request.map).entries().length;
    case 'run':
      return run(request);
    case 'attach':
      return attachTcx(object.programFd(request.program), request.interface, request.direction, linkPath(request));
    case 'is-first': {
      const link = TcxLink.open(linkPath(request));
      const first = firstLinkAt(request.interface, request.direction) === link.info().id;
      link.close();
      return first;
    }
    case 'detach':
      return detachTcx(linkPath(request));
    case 'attach-foreign': {
      const foreign = BpfObject.load(request.object, pins);
      return attachTcx(foreign.programFd(request.program), request.interface, request.direction, linkPath(request));
    }
    case 'counters':
      return counters();
    case 'now':
      return String(bootNs());
    case 'open-tap':
      tap = Tap.open(request.name);
      return tap.interfaceIndex;
    case 'read-tap':
      return tap?.read()?.toString('hex');
    case 'write-tap':
      return tap?.write(Buffer.from(request.packet, 'hex'));
    case 'sweep':
      return sweep(request.endpoint);
    default:
      throw new Error('unknown request');
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  try {
    console.log(JSON.stringify({ result: answer(JSON.parse(line) as Request) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
});
