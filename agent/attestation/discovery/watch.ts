import type { IpAddress } from '#core/network/address';
import type { IpPrefix } from '#core/network/prefix';
import { instantFromMs } from '#core/time/instant';
import { type Clock, systemClock, type Timer } from '#daemon/clock';
import { type Link, parseLink } from '../../kernel/netlink/link-message.ts';
import { listLinks } from '../../kernel/netlink/links.ts';
import { MESSAGE } from '../../kernel/netlink/message.ts';
import { listAddresses, listRoutes } from '../../kernel/netlink/routes.ts';
import { GROUP, NetlinkSubscription } from '../../kernel/netlink/socket.ts';
import { type Watch, watchReadable } from '../../kernel/readiness.ts';
import { openProcess } from '../../kernel/pidfd.ts';
import type { AttestedProcess } from '../process.ts';
import { readProcess } from '../read-process.ts';
import { type ClassifiedInterfaces, classifyInterfaces, type UplinkRule, type WorkloadLink } from './interfaces.ts';
import { type OccupiedNamespace, occupiedNamespacesById } from './namespaces.ts';

/** A workload's host-side interface and who runs behind it. */
export interface WorkloadInterface {
  readonly interfaceIndex: number;
  readonly name: string;
  /** Given once: with another number it is another interface, whatever its index and name. */
  readonly instance: number;
  /** Those that the node's own routes send to the interface. */
  readonly addresses: readonly IpAddress[];
  /** Inode number of the network namespace behind it; 0 while nobody has been seen in it. */
  readonly netns: bigint;
  /** Every process in it, as it was when it was looked at; its selectors are its own for certain. */
  readonly processes: readonly AttestedProcess[];
}

/** What there is on the node, as plain data. */
export interface NodeInterfaces {
  readonly workloads: readonly WorkloadInterface[];
  /** Interface indexes. */
  readonly uplinks: readonly number[];
  readonly nodeAddresses: readonly IpAddress[];
}

export interface WatchOptions extends UplinkRule {
  readonly clock?: Clock;
}

/** A running watch. */
export interface WorkloadWatch {
  current(): NodeInterfaces;
  /** Looks at the processes again, now or within 50 ms; for an interface's first packet. Tells the listener if something is new. */
  rescan(interfaceIndex: number): WorkloadInterface | undefined;
  /** Takes the prefixes that other nodes serve, from the node directory. */
  setRemotePrefixes(prefixes: readonly IpPrefix[]): void;
  close(): void;
}

const GROUPS = GROUP.link | GROUP.ipv4Address | GROUP.ipv6Address | GROUP.ipv4Route | GROUP.ipv6Route;
const RECEIVE_BYTES = 8 * 1024 * 1024;
/** Changes that come together are looked at together. */
const SETTLE_MS = 10;
/** The kernel tells of interfaces, not of processes: those are looked for, more often while somebody is expected. */
const EXPECTING_MS = 1000;
/** Rescans on demand are no closer together. */
const RESCAN_MS = 50;
const IDLE_MS = 5000;

function asText(interfaces: NodeInterfaces): string {
  return JSON.stringify(interfaces, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/**
 * Watches the node's interfaces, routes and processes. The listener is told at each change, with everything; not for the first state, which
 * `current` has. Throws KERNEL_CALL_FAILED.
 */
export function watchWorkloads(options: WatchOptions, listener: (interfaces: NodeInterfaces) => void): WorkloadWatch {
  return new KernelWatch(options, listener);
}

/** An interface that has been seen; gone when the kernel says so. */
interface KnownInterface {
  readonly instance: number;
  readonly marks: string;
  /** Remembered while nobody runs there: a veth does not outlive its far end's namespace. */
  netns?: bigint;
}

/** A process of the namespace; undefined if it has ended or gone elsewhere. */
function inspect(pid: number, namespace: bigint | undefined): AttestedProcess | undefined {
  const handle = openProcess(pid);
  if (!handle) return undefined;
  try {
    const found = readProcess(handle);
    return found?.networkNamespace === namespace ? found : undefined;
  } finally {
    handle.close();
  }
}

class KernelWatch implements WorkloadWatch {
  private readonly clock: Clock;
  private readonly subscription: NetlinkSubscription;
  private readonly readable: Watch;
  private readonly known = new Map<number, KnownInterface>();
  private instances = 0;
  private lookedAt = instantFromMs(0);
  private remotePrefixes: readonly IpPrefix[];
  private state: NodeInterfaces = { workloads: [], uplinks: [], nodeAddresses: [] };
  private settle: Timer | undefined;
  private poll: Timer | undefined;

  constructor(
    private readonly options: WatchOptions,
    private readonly listener: (interfaces: NodeInterfaces) => void,
  ) {
    this.clock = options.clock ?? systemClock;
    this.remotePrefixes = options.remotePrefixes;
    // Heard first, read then: nothing falls in between.
    this.subscription = new NetlinkSubscription(GROUPS, RECEIVE_BYTES);
    this.readable = watchReadable(this.subscription.fd, () => this.hear());
    this.state = this.look();
    this.schedulePoll();
  }

  private hear(): void {
    for (let news = this.subscription.read(); news; news = this.subscription.read()) {
      if (news.kind === 'lost') continue;
      for (const message of news.messages) if (message.type === MESSAGE.deleteLink) this.forget(parseLink(message).index);
    }
    this.settle ??= this.later(SETTLE_MS);
  }

  private later(ms: number): Timer {
    return this.clock.after(ms, () => {
      this.settle = undefined;
      this.refresh();
    });
  }

  private forget(index: number): void {
    this.known.delete(index);
  }

  /** The interface of this index as it is known; a new instance if it is not the one of before. */
  private recognise(link: Link): KnownInterface {
    // Also after messages were lost an interface with another address or far end is another one. Nothing of this is the workload's to change but
    // the namespace that it moves its end to.
    const marks = `${link.mac} ${link.peerIndex} ${link.peerNamespaceId}`;
    const known = this.known.get(link.index);
    if (known?.marks === marks) return known;
    const recognised = { instance: ++this.instances, marks };
    this.known.set(link.index, recognised);
    return recognised;
  }

  private schedulePoll(): void {
    this.poll?.cancel();
    const expecting = this.state.workloads.some(({ processes }) => processes.length === 0);
    this.poll = this.clock.after(expecting ? EXPECTING_MS : IDLE_MS, () => this.refresh());
  }

  private refresh(): void {
    const before = this.state;
    this.state = this.look();
    this.schedulePoll();
    if (asText(before) !== asText(this.state)) this.listener(this.state);
  }

  private classify(): ClassifiedInterfaces {
    const state = { links: listLinks(), addresses: listAddresses(), routes: listRoutes() };
    return classifyInterfaces(state, { uplinks: this.options.uplinks, remotePrefixes: this.remotePrefixes });
  }

  private look(): NodeInterfaces {
    this.lookedAt = this.clock.now();
    const { workloads, uplinks, nodeAddresses } = this.classify();
    const occupied = workloads.length === 0 ? new Map<number, OccupiedNamespace>() : occupiedNamespacesById();
    return { workloads: workloads.map((workload) => this.describe(workload, occupied)), uplinks, nodeAddresses };
  }

  private describe({ link, addresses }: WorkloadLink, occupied: ReadonlyMap<number, OccupiedNamespace>): WorkloadInterface {
    const behind = occupied.get(link.peerNamespaceId ?? -1);
    const known = this.recognise(link);
    if (behind) known.netns = behind.namespace;
    return {
      interfaceIndex: link.index,
      name: link.name,
      instance: known.instance,
      addresses,
      netns: known.netns ?? 0n,
      processes: (behind?.pids ?? []).flatMap((pid) => inspect(pid, behind?.namespace) ?? []),
    };
  }

  current(): NodeInterfaces {
    return this.state;
  }

  rescan(interfaceIndex: number): WorkloadInterface | undefined {
    // A workload must not make the agent read all of /proc as fast as it can send.
    if (this.clock.now() - this.lookedAt >= RESCAN_MS) this.refresh();
    else this.settle ??= this.later(RESCAN_MS);
    return this.state.workloads.find((workload) => workload.interfaceIndex === interfaceIndex);
  }

  setRemotePrefixes(prefixes: readonly IpPrefix[]): void {
    this.remotePrefixes = prefixes;
    this.refresh();
  }

  close(): void {
    this.settle?.cancel();
    this.poll?.cancel();
    this.readable.close();
    this.subscription.close();
  }
}
