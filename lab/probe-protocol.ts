/** What lab/probe.ts and the probe inside a workload say to each other: one JSON object a line, on the probe's stdin and stdout. */

export type ProbeProtocol = 'tcp' | 'udp' | 'echo';

/** Where and how to send. `sourceAddress` must be one of the workload's interface's; `sourcePort` 0 or absent: any. */
export interface SendTarget {
  readonly address: string;
  readonly port: number;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  readonly timeoutMs: number;
}

export type ProbeCommand =
  /** Answers whatever comes, on every address of the workload. */
  | { readonly do: 'listen'; readonly protocol: 'tcp' | 'udp'; readonly port: number }
  /** One exchange: TCP connect and a line, one datagram, one echo request. */
  | ({ readonly do: 'send'; readonly protocol: ProbeProtocol; readonly nonce: string } & SendTarget)
  /** Opens a TCP connection that stays. */
  | ({ readonly do: 'connect'; readonly connection: string } & SendTarget)
  /** One line back and forth on a connection that stays. */
  | { readonly do: 'exchange'; readonly connection: string; readonly nonce: string; readonly timeoutMs: number }
  | { readonly do: 'disconnect'; readonly connection: string }
  | { readonly do: 'count' };

/** `answered`: the echo came back; `error`: the kernel said no (code: errno's name, or ping's words); `silence`: neither, until the time was over. */
export interface SendOutcome {
  readonly kind: 'answered' | 'error' | 'silence';
  readonly ms: number;
  readonly code?: string;
}

/** The code of an exchange on a connection that was over already: nothing was sent, so that it says nothing of what is between the ends. */
export const NOTHING_SENT = 'closed before';

/** Packets that the workload's network namespace has received since it exists, both families together. */
export interface PacketCounts {
  readonly tcp: number;
  readonly udp: number;
  readonly echo: number;
}

export type ProbeReply =
  | { readonly id: number; readonly outcome: SendOutcome }
  | { readonly id: number; readonly counts: PacketCounts }
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly failed: string };

/** Something that a listener got. */
export interface Arrival {
  readonly arrival: true;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly from: string;
  readonly fromPort: number;
  readonly text: string;
}
