import type { IpAddress } from '#core/network/address';
import type { IpPrefix } from '#core/network/prefix';
import { describeError } from '#core/errors/error';
import { instantFromMs } from '#core/time/instant';
import { type Clock, systemClock, type Timer } from '#daemon/clock';
import { type Logger, silentLogger } from '#daemon/log';
import { type Link, parseLink } from '../../kernel/netlink/link-message.ts';
import { listLinks } from '../../kernel/netlink/links.ts';
import { MESSAGE } from '../../kernel/netlink/message.ts';
import { listAddresses, listRoutes } from '../../kernel/netlink/routes.ts';
import { GROUP, NetlinkSubscription } from '../../kernel/netlink/socket.ts';
import { setIpv6Setting } from '../../kernel/ipv6-setting.ts';
import { type Watch, watchReadable } from '../../kernel/readiness.ts';
import type { AttestedProcess } from '../process.ts';
import { type ClassifiedInterfaces, classifyInterfaces, type UplinkRule, type WorkloadLink } from './interfaces.ts';
import { MAX_INCOMPLETE_LOOKS } from '../incomplete-look.ts';
import { lookAtNamespaces, type LookOrder, type OccupiedNamespace } from './namespaces.ts';

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
  /** Looks in a row, up to this one, that were incomplete: a process in it ended before it could be inspected. 0: `processes` is all there are. */
  readonly incompleteLooks: number;
}

/** What there is on the node, as plain data. */
export interface NodeInterfaces {
  readonly workloads: readonly WorkloadInterface[];
  /** Interface indexes. */
  readonly uplinks: readonly number[];
  readonly uplinkNames: readonly string[];
  readonly nodeAddresses: readonly IpAddress[];
  /** What is wrong, for people; empty = nothing. */
  readonly problems: readonly string[];
}

export interface WatchOptions extends Omit<UplinkRule, 'workloads'> {
  readonly clock?: Clock;
  readonly log?: Logger;
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
/** An incomplete look is repeated after this time … */
const INCOMPLETE_MS = 50;
/** … or after so many times what it took: looking must not become all that the agent does. */
const REST = 4;

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
  incompleteLooks: number;
  /** Whether the node has ever sent an address to it. */
  routed: boolean;
}

/**
 * What an interface is known again by, also after messages were lost: with another address or far end it is another one. Nothing of this is the
 * workload's to change but the namespace that it moves its end to.
 */
function marksOf({ mac, peerIndex, peerNamespaceId }: Link): string {
  return `${mac} ${peerIndex} ${peerNamespaceId}`;
}

class KernelWatch implements WorkloadWatch {
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly subscription: NetlinkSubscription;
  private readonly readable: Watch;
  private readonly known = new Map<number, KnownInterface>();
  private instances = 0;
  private lookedAt = instantFromMs(0);
  private remotePrefixes: readonly IpPrefix[] | undefined;
  private order: LookOrder = 'newest first';
  private tookMs = 0;
  private failed = false;
  private state: NodeInterfaces = { workloads: [], uplinks: [], uplinkNames: [], nodeAddresses: [], problems: [] };
  private settle: Timer | undefined;
  private poll: Timer | undefined;

  constructor(
    private readonly options: WatchOptions,
    private readonly listener: (interfaces: NodeInterfaces) => void,
  ) {
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? silentLogger;
    this.remotePrefixes = options.remotePrefixes;
    // Heard first, read then: nothing falls in between.
    this.subscription = new NetlinkSubscription(GROUPS, RECEIVE_BYTES);
    this.readable = watchReadable(this.subscription.fd, () => this.hear());
    this.state = this.look();
    this.schedulePoll();
  }

  private hear(): void {
    try {
      this.readNews();
    } catch (error) {
      this.log.error({ error }, 'what the kernel tells of interfaces could not be read');
    }
    this.settle ??= this.later(SETTLE_MS);
  }

  private readNews(): void {
    for (let news = this.subscription.read(); news; news = this.subscription.read()) {
      if (news.kind === 'lost') continue;
      for (const message of news.messages) if (message.type === MESSAGE.deleteLink) this.forget(parseLink(message).index);
    }
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
    const marks = marksOf(link);
    const known = this.known.get(link.index);
    if (known?.marks === marks) return known;
    const recognised: KnownInterface = { instance: ++this.instances, marks, incompleteLooks: 0, routed: false };
    this.known.set(link.index, recognised);
    return recognised;
  }

  /** A workload is no router of the node's: what it advertises is not to be believed by the kernel either. */
  private silence(name: string): void {
    try {
      setIpv6Setting(name, 'accept_ra', 0);
    } catch (error) {
      this.log.warn({ interface: name, error }, "a workload's router advertisements could not be switched off");
    }
  }

  private pollMs(): number {
    const { workloads } = this.state;
    // Who has been refused for it is looked at no more often than who is expected.
    const incomplete = ({ incompleteLooks: looks }: WorkloadInterface): boolean => looks > 0 && looks < MAX_INCOMPLETE_LOOKS;
    if (workloads.some(incomplete)) return Math.max(INCOMPLETE_MS, REST * this.tookMs);
    const expecting = workloads.some(({ processes, incompleteLooks }) => processes.length === 0 || incompleteLooks > 0);
    return expecting || this.failed ? EXPECTING_MS : IDLE_MS;
  }

  private schedulePoll(): void {
    this.poll?.cancel();
    this.poll = this.clock.after(this.pollMs(), () => this.refresh());
  }

  private refresh(): void {
    const before = this.state;
    try {
      this.state = this.look();
      this.failed = false;
    } catch (error) {
      // What was true stays true until somebody has looked again.
      this.failed = true;
      this.log.error({ error }, 'the node could not be looked at');
      this.state = { ...before, problems: [`the node's interfaces and processes could not be looked at: ${describeError(error)}`] };
    }
    this.schedulePoll();
    if (asText(before) !== asText(this.state)) this.listener(this.state);
  }

  private classify(): ClassifiedInterfaces {
    const state = { links: listLinks(), addresses: listAddresses(), routes: listRoutes() };
    const wasWorkload = (link: Link): boolean => {
      const known = this.known.get(link.index);
      return known !== undefined && known.routed && known.marks === marksOf(link);
    };
    const workloads = state.links.filter(wasWorkload).map(({ index }) => index);
    return classifyInterfaces(state, {
      uplinks: this.options.uplinks,
      remotePrefixes: this.remotePrefixes,
      uplinksBefore: this.options.uplinksBefore,
      workloads: new Set(workloads),
    });
  }

  private look(): NodeInterfaces {
    this.lookedAt = this.clock.now();
    const { workloads, ...rest } = this.classify();
    // In turns, so that a process that hides from one order is met by the other.
    this.order = this.order === 'newest first' ? 'oldest first' : 'newest first';
    const occupied = workloads.length === 0 ? [] : lookAtNamespaces(this.order);
    this.tookMs = this.clock.now() - this.lookedAt;
    return { workloads: workloads.map((workload) => this.describe(workload, occupied)), ...rest };
  }

  private describe({ link, addresses }: WorkloadLink, occupied: readonly OccupiedNamespace[]): WorkloadInterface {
    const known = this.recognise(link);
    const behind =
      occupied.find(({ id }) => id !== undefined && id === link.peerNamespaceId) ??
      occupied.find(({ id, namespace }) => id === undefined && namespace === known.netns);
    // Before an address is sent to it, it may be an uplink whose routes are still to come.
    if (!known.routed && addresses.length > 0) {
      known.routed = true;
      this.silence(link.name);
    }
    if (behind) known.netns = behind.namespace;
    known.incompleteLooks = behind && behind.missed > 0 ? known.incompleteLooks + 1 : 0;
    return {
      interfaceIndex: link.index,
      name: link.name,
      instance: known.instance,
      addresses,
      netns: known.netns ?? 0n,
      processes: behind?.processes ?? [],
      incompleteLooks: known.incompleteLooks,
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
