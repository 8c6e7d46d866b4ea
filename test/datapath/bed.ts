import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import type { NodeInterfaces } from '../../agent/attestation/discovery/watch.ts';
import type { Datapath, HeldFlow } from '../../agent/datapath/contract.ts';
import { readWire, writeWire } from './wire.ts';

const ROOT = join(__dirname, '../..');

export interface QuietConnection {
  /** `answered`, or how the connection has ended. */
  readonly ask: () => Promise<string>;
  readonly stop: () => void;
}

/** What a program of a workload saw, and after how many milliseconds. */
export interface Seen {
  readonly seen: string;
  readonly ms: number;
}

type Calls = {
  readonly [C in keyof Datapath]: Datapath[C] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** A Datapath in a process of its own, inside a node's network namespace. */
export interface RunningDatapath extends Pick<Calls, Exclude<keyof Datapath, 'found' | 'onHeld'>> {
  readonly found: Datapath['found'];
  /** Flows held so far, oldest first. */
  readonly held: readonly HeldFlow[];
  /** The next held flow that `nextHeld` has not returned yet. */
  nextHeld(): Promise<HeldFlow>;
  interfaceIndex(name: string): Promise<number>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/**
 * Two nodes `x` and `y` beyond a router, each with workloads behind veths: `a` (10.1.0.2, fd01::2) and `c` (10.1.0.3, fd01::3) on x, `b` (10.2.0.2,
 * fd02::2) on y. Interfaces on the nodes: `up0`, and `w` + the workload's name.
 */
export class Bed {
  private readonly id = `syd${process.pid % 100_000}`;
  private readonly directory = mkdtempSync('/tmp/sy-bed-');
  private readonly children = new Set<ChildProcess>();

  constructor() {
    for (const name of ['driver', 'discovery-driver', 'traffic']) {
      buildSync({
        entryPoints: [join(__dirname, `${name}.ts`)],
        outfile: join(this.directory, `${name}.js`),
        bundle: true,
        platform: 'node',
        alias: { koffi: join(ROOT, 'node_modules/koffi/index.cjs') },
        external: [join(ROOT, 'node_modules/koffi/index.cjs')],
        logLevel: 'warning',
      });
    }
    mkdirSync(join(this.directory, 'bpf'));
    execFileSync('mount', ['-t', 'bpf', 'none', join(this.directory, 'bpf')]);
    for (const name of ['r', 'x', 'y', 'a', 'b', 'c']) {
      execFileSync('ip', ['netns', 'add', this.namespace(name)]);
      this.inside(name, 'ip link set lo up; cd /proc/sys/net; echo 0 > ipv6/conf/default/accept_dad; echo 0 > ipv6/conf/all/accept_dad');
    }
    for (const name of ['r', 'x', 'y']) this.inside(name, 'cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding');
    this.node('x', 1);
    this.node('y', 2);
    this.workload('x', 'a', '10.1.0.2', 'fd01::2');
    this.workload('x', 'c', '10.1.0.3', 'fd01::3');
    this.workload('y', 'b', '10.2.0.2', 'fd02::2');
  }

  /** The network namespace's name. */
  namespace(name: string): string {
    return `${this.id}${name}`;
  }

  /** Runs shell commands in a namespace; returns what they print. */
  inside(name: string, commands: string): string {
    return execFileSync('nsenter', [`--net=/run/netns/${this.namespace(name)}`, 'sh', '-ec', commands], { encoding: 'utf8' });
  }

  private node(name: string, n: number): void {
    this.inside('r', `ip link add r${name} type veth peer name up0 netns ${this.namespace(name)}; ip link set r${name} up`);
    this.inside(
      name,
      `ip link set up0 up; ip addr add 10.99.${n}.1/24 dev up0; ip addr add fd99:${n}::1/64 dev up0 nodad
       ip route add default via 10.99.${n}.254; ip -6 route add default via fd99:${n}::fe`,
    );
    this.inside(
      'r',
      `ip addr add 10.99.${n}.254/24 dev r${name}; ip addr add fd99:${n}::fe/64 dev r${name} nodad
       ip route add 10.${n}.0.0/24 via 10.99.${n}.1; ip -6 route add fd0${n}::/64 via fd99:${n}::1`,
    );
  }

  /** A namespace behind a veth, as a pod has it; `index`: of the node's side. */
  workload(node: string, name: string, v4: string, v6: string, index?: number): void {
    this.inside(
      node,
      `ip link add w${name} ${index === undefined ? '' : `index ${index}`} type veth peer name eth0 netns ${this.namespace(name)}; ip link set w${name} up
       ip addr add 169.254.1.1/32 dev w${name}; ip addr add fe80::1/64 dev w${name} nodad
       ip route add ${v4}/32 dev w${name}; ip -6 route add ${v6}/128 dev w${name}`,
    );
    this.inside(
      name,
      `ip link set eth0 up; ip addr add ${v4}/32 dev eth0; ip addr add ${v6}/128 dev eth0 nodad
       ip route add 169.254.1.1/32 dev eth0; ip route add default via 169.254.1.1 dev eth0; ip -6 route add default via fe80::1 dev eth0`,
    );
  }

  private start(name: string, command: string, args: readonly string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=/run/netns/${this.namespace(name)}`, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Starts a Datapath on a node, or starts it again: what is pinned stays. */
  async datapath(node: string): Promise<RunningDatapath> {
    const child = this.start(node, process.execPath, [
      join(this.directory, 'driver.js'),
      join(ROOT, 'dist/bpf/gate.o'),
      join(this.directory, 'bpf', node),
      'symtap0',
    ]);
    const pending = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
    const held: HeldFlow[] = [];
    let taken = 0;
    let wake: (() => void) | undefined;
    const found = await new Promise<Datapath['found']>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the driver ended before it was ready')));
      if (!child.stdout) return;
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = readWire(line) as { ready?: Datapath['found']; held?: HeldFlow; id?: number; result?: unknown; error?: string };
        if (said.ready) resolve(said.ready);
        if (said.held) {
          held.push(said.held);
          wake?.();
        }
        const waiting = pending.get(said.id ?? -1);
        if (said.error === undefined) waiting?.resolve(said.result);
        else waiting?.reject(new Error(said.error));
      });
    });
    let id = 0;
    const call = (name: string, ...args: readonly unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        pending.set(++id, { resolve, reject });
        child.stdin?.write(`${writeWire({ id, call: name, args })}\n`);
      });
    const methods = {
      found,
      held,
      nextHeld: async (): Promise<HeldFlow> => {
        for (;;) {
          const next = held[taken];
          if (next) {
            taken++;
            return next;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      kill: (): Promise<void> =>
        new Promise((resolve) => {
          child.once('exit', () => resolve());
          child.kill('SIGKILL');
        }),
    };
    return new Proxy(methods, {
      get: (target, name) => {
        // Not a promise, whatever `await` asks.
        if (typeof name === 'symbol' || name === 'then') return undefined;
        return name in target ? Reflect.get(target, name) : (...args: readonly unknown[]) => call(name, ...args);
      },
    }) as unknown as RunningDatapath;
  }

  /** Watches workloads on a node, as attestation does. `states` grows. */
  async discovery(node: string): Promise<{
    readonly states: readonly NodeInterfaces[];
    readonly rescan: (index: number) => void;
    /** Resolves when it has been heard. */
    readonly tell: (what: 'fail' | 'heal') => Promise<void>;
  }> {
    const child = this.start(node, process.execPath, [join(this.directory, 'discovery-driver.js')]);
    const states: NodeInterfaces[] = [];
    let heard = (): void => undefined;
    await new Promise<void>((resolve) => {
      if (child.stdout)
        createInterface({ input: child.stdout }).on('line', (line) => {
          const said = readWire(line) as NodeInterfaces | string;
          if (typeof said === 'string') return heard();
          states.push(said);
          resolve();
        });
    });
    const say = (line: string): void => void child.stdin?.write(`${line}\n`);
    const tell = (what: string): Promise<void> =>
      new Promise((resolve) => {
        heard = resolve;
        say(what);
      });
    return { states, rescan: (index) => say(String(index)), tell };
  }

  /** Runs a program in a workload as a user; it ends with the bed, or when `stop` is called. */
  run(name: string, uid: number, command: string, ...args: readonly string[]): { readonly stop: () => void } {
    const child = this.start(name, 'setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', command, ...args]);
    return { stop: () => child.kill('SIGKILL') };
  }

  /** Runs the workload's program until it ends; returns its last report. */
  async traffic(name: string, ...args: readonly string[]): Promise<Seen> {
    const child = this.start(name, process.execPath, [join(this.directory, 'traffic.js'), ...args]);
    let last = '';
    if (child.stdout) for await (const line of createInterface({ input: child.stdout })) last = line;
    return JSON.parse(last) as Seen;
  }

  /** Starts the workload's program; `reports` grows while it runs. */
  async background(name: string, ...args: readonly string[]): Promise<{ readonly reports: readonly string[]; readonly stop: () => void }> {
    const child = this.start(name, process.execPath, [join(this.directory, 'traffic.js'), ...args]);
    const reports: string[] = [];
    await new Promise<void>((resolve) => {
      if (child.stdout)
        createInterface({ input: child.stdout }).on('line', (line) => {
          reports.push(line.startsWith('{') ? (JSON.parse(line) as Seen).seen : line);
          resolve();
        });
    });
    return { reports, stop: () => child.kill('SIGKILL') };
  }

  /** A connection that is silent while nobody asks over it: what happens to it meanwhile it learns only then. */
  async quiet(name: string, host: string, port: string): Promise<QuietConnection> {
    const child = this.start(name, process.execPath, [join(this.directory, 'traffic.js'), 'ask', host, port]);
    if (!child.stdout || !child.stdin) throw new Error('the program has no pipes');
    const { stdin } = child;
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value } = await lines.next();
      return value === undefined ? 'ended' : (JSON.parse(value) as Seen).seen;
    };
    if ((await next()) !== 'connected') throw new Error(`no connection from ${name} to ${host}`);
    return {
      ask: async () => {
        stdin.write('\n');
        return await next();
      },
      stop: () => child.kill('SIGKILL'),
    };
  }

  /** Pings; returns how many answers came. */
  async ping(name: string, host: string, count = 1): Promise<number> {
    const child = this.start(name, 'ping', ['-n', '-c', String(count), '-i', '0.05', '-W', '2', host]);
    let text = '';
    if (child.stdout) for await (const chunk of child.stdout) text += String(chunk);
    return Number(/(\d+) received/.exec(text)?.[1] ?? 0);
  }

  /** Ends every program and takes away everything that the bed made. */
  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
    execFileSync('umount', [join(this.directory, 'bpf')]);
    for (const name of ['a', 'b', 'c', 'x', 'y', 'r']) {
      try {
        execFileSync('ip', ['netns', 'del', this.namespace(name)], { stdio: 'ignore' });
      } catch {
        // a test may have deleted it
      }
    }
    rmSync(this.directory, { recursive: true });
  }
}
