/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The contract between the gate (bpf/) and the agent (agent/datapath): every map's key, value and limit. bpf/gen/ is its TypeScript layout; the maps
 * themselves are in tables.h. Addresses are 16 bytes, IPv4 as IPv4-mapped IPv6. Times are CLOCK_BOOTTIME nanoseconds. Ports are in network byte
 * order unless a comment says otherwise. Padding is zero: keys are compared with it. */
#pragma once
#include <linux/types.h>

/* Enumerators, not macros: BTF keeps them, and so they reach the layout. */
enum sym_limit {
	SYM_MAX_ENDPOINTS = 16384,
	SYM_MAX_ADDRESSES = 65536,
	SYM_MAX_PAIRS = 262144,
	SYM_MAX_SESSIONS = 16384,
	SYM_MAX_FLOWS = 524288,
	SYM_MAX_DENY = 16384,
	SYM_MAX_PREFIXES = 65536,
	SYM_MAX_GATES = 16384,
	SYM_MAX_PEERS = 16384,
	SYM_MAX_LOCAL = 4096,
	SYM_MAX_REASONS = 64,
	SYM_MAX_RANGES = 8,
	/* Flows that one endpoint may have open at once. */
	SYM_FLOW_QUOTA = 32768,
	/* When all have so many, each may have its share (sym_node.flow_share) of what is left, and no more. */
	SYM_COMMON_FLOWS = 393216,
	/* Packets of one endpoint that are held in 2^27 ns (134 ms): its flood must not fill the TAP, which others wait in too. */
	SYM_HOLD_QUOTA = 256,
	/* Highest ifindex that can be a gate: it has 16 bits in the hold cookie. */
	SYM_MAX_GATE_IFINDEX = 65535,
};

/* The only realm so far. */
enum sym_realm { SYM_REALM = 0 };

enum sym_role { SYM_CLIENT = 1, SYM_SERVER = 2 };

enum sym_gate_mode { SYM_UNMANAGED = 0, SYM_UNATTESTED = 1, SYM_INBOUND = 2, SYM_ALL = 3 };

/* FLUSHING: packets of the workload still go to the TAP, frames that come back from it pass. Without a heartbeat it counts as LIVE. */
enum sym_pair_state { SYM_LIVE = 1, SYM_FLUSHING = 2 };

enum sym_protection { SYM_AUTHENTICATED = 1, SYM_INTEGRITY = 2, SYM_ENCRYPTED = 3 };

union sym_address {
	__u8 bytes[16];
	__u32 words[4];
};

/* ---- sym_owner: whose packet is it. Value: u32 endpoint ---- */
enum sym_owner_kind { SYM_BY_INTERFACE = 1, SYM_BY_ADDRESS = 2, SYM_BY_CGROUP = 3 };

struct sym_owner_key {
	__u32 realm;
	__u32 kind;           /* enum sym_owner_kind */
	union sym_address id; /* address; or u32 ifindex, or u64 cgroup id, little-endian, zero-padded */
};

/* ---- sym_endpoints, by u32 endpoint; written by the agent alone. Take an endpoint's pairs away before its row ---- */
struct sym_endpoint {
	__u32 ifindex; /* host-side interface */
	__u32 gate;    /* enum sym_gate_mode */
};

/* ---- sym_usage, by u32 endpoint, 0 = all of them together; written by the gate alone ---- */
struct sym_usage {
	__u64 flows;       /* open flows, against SYM_FLOW_QUOTA */
	__u64 hold_window; /* now >> 27, when it last had a packet to hold */
	__u64 held;        /* in that window, against SYM_HOLD_QUOTA */
};

/* ---- sym_pairs: live pairs, one row for each granted protocol and service port, or protocol with ranges ---- */
struct sym_pair_key {
	__u32 realm;
	__u32 endpoint;           /* 0 = the class is owned by some endpoint's live pair */
	union sym_address local;  /* needed, or one workload spoofs another */
	union sym_address remote;
	__u8 protocol;
	__u8 role;           /* enum sym_role: of the local end */
	__be16 service_port; /* 0 = the whole protocol; for TCP and UDP only within the ranges */
};

struct sym_range {
	__u16 low; /* host byte order, both included */
	__u16 high;
};

/* Immutable once written: a change is a new value. */
struct sym_pair {
	__u32 pair;
	__u32 session;   /* row of sym_sessions */
	__u32 epoch;     /* from sym_node.next_epoch: never 0, never given twice while the maps live */
	__u8 state;      /* enum sym_pair_state */
	__u8 protection; /* enum sym_protection */
	__u8 ranges;     /* used in range[]; only in rows of service_port 0 */
	__u8 flags;
	__u64 not_after;
	struct sym_range range[SYM_MAX_RANGES];
};

/* ---- sym_sessions: array. One write renews, or ends, every pair of a node session. Row 0 is never used: a zeroed row has no lease ---- */
struct sym_session {
	__u64 tx_until;
	__u64 rx_until;
	__u32 epoch;
	__u32 peer_node;
	__u32 flags;
	__u32 pad;
};

/* ---- sym_flows: from the local end's side. A flow between two workloads of one node has two rows, one for each end ---- */
struct sym_flow_key {
	__u32 realm;
	union sym_address local;
	union sym_address remote;
	__be16 local_port; /* echo: the identifier at the client's end, 0 at the server's */
	__be16 remote_port;
	__u8 protocol;
	__u8 pad[3];
};

enum sym_flow_flag {
	SYM_FLOW_LOCAL_FIN = 1,
	SYM_FLOW_REMOTE_FIN = 2,
	SYM_FLOW_RESET = 4,
	SYM_FLOW_ANSWERED = 8, /* the other end has sent too */
	SYM_FLOW_FREE = 16,    /* opened by an `inbound` endpoint towards what no directory knows: no pair */
	SYM_FLOW_ACCEPTED = 32, /* TCP: the server has answered the SYN that opened it */
	SYM_FLOW_LASTING = 64, /* datagrams: went on for more than a second after the first answer */
};

struct sym_flow {
	__u32 pair;
	__u32 epoch;         /* of the pair row when the flow was opened: another one now means dead */
	__u32 endpoint;
	__u32 ifindex;       /* of the local end */
	__u32 peer_ifindex;  /* of the remote end when it is on this node, else 0 */
	__be16 service_port; /* of the pair row that allows it: exact, or 0 */
	__u8 role;           /* enum sym_role: of the local end; the client opened it */
	__u8 flags;          /* enum sym_flow_flag */
	__u64 seen;
};

/* ---- sym_denied: refusals that the agent has decided: LRU, never among pairs. Key: sym_pair_key of the client, exact port ---- */
struct sym_deny {
	__u64 until;
	__u32 reason; /* the agent's own; counted as SYM_R_DENIED */
	__u32 pad;
};

/* ---- sym_prefixes: LPM trie ---- */
struct sym_prefix_key {
	__u32 bits; /* of the 16-byte form: IPv4 /24 = 120 */
	union sym_address address;
};

struct sym_prefix {
	__u32 local; /* 1 = this node serves it */
};

/* ---- sym_gates, by u32 ifindex ---- */
enum sym_gate_kind { SYM_UPLINK = 1, SYM_WORKLOAD = 2, SYM_TAP = 3 };

struct sym_gate {
	__u32 kind;  /* enum sym_gate_kind */
	__u8 mac[6]; /* of the interface itself: put back into frames that return from the TAP */
	__u8 pad[2];
};

/* ---- sym_node_conf: array of one row ---- */
struct sym_node {
	__u64 alive_until; /* no heartbeat of the agent: hold nothing, refuse */
	__u32 tap_ifindex;
	__be16 agent_port;
	__u8 pad[2];
	__u32 next_epoch;    /* the agent's; the gate does not read it */
	__u32 next_endpoint; /* like next_epoch: never given twice while the maps live */
	__u32 flow_share;    /* see SYM_COMMON_FLOWS */
	__u32 pad2;
};

/* ---- sym_peers: agents that may connect to this one's port; sym_local: the node's own addresses. Key: union sym_address, value: u32, ignored ---- */

/* ---- held packets ----
 * A held packet arrives at the TAP (IFF_TAP | IFF_NO_PI, no vnet header) as an Ethernet frame whose source MAC is this cookie. The TAP must not have
 * offloads (no TUNSETOFFLOAD): the kernel then segments and completes checksums before the agent reads. Written back with the same cookie, the frame
 * leaves by the gate and is gated again in full, as a packet of cookie.endpoint; the endpoint must own its source address. After attestation the agent
 * writes the new endpoint's number into frames that were held under the old one. A frame that still has no pair is refused, not held again. */
struct sym_cookie {
	__u32 endpoint; /* little-endian, both */
	__u16 gate;     /* ifindex of the uplink, or of the destination's host-side interface */
} __attribute__((packed));

/* ---- sym_sweep: argument of BPF_PROG_TEST_RUN (ctx_in, read back from there) ---- */
struct sym_sweep_args {
	__u32 endpoint; /* in: remove every flow of it, and its sym_usage row; 0 = only flows that are idle, closed or dead, of all */
	__u32 removed;  /* out */
	__u32 left;     /* out */
	__u32 pad;
};

/* ---- sym_counters: per-CPU array of u64 packets. Never renumbered: gaps are for later ---- */
enum sym_reason {
	SYM_R_NONE = 0,
	/* refused or dropped */
	SYM_R_SPOOFED_SOURCE = 1,    /* a workload sent from an address that is not its own */
	SYM_R_FORGED_BY_NODE = 2,    /* a workload's address, but not from its interface */
	SYM_R_UNKNOWN_INTERFACE = 3, /* forwarded from an interface that has no gate */
	SYM_R_NO_PAIR = 4,           /* opens a flow, and no live pair allows it */
	SYM_R_NO_FLOW = 5,           /* neither opens a flow nor belongs to one */
	SYM_R_DEAD_FLOW = 6,         /* the flow's pair has ended, lapsed or begun a new epoch */
	SYM_R_DENIED = 7,            /* the agent has refused it */
	SYM_R_NOT_IN_DIRECTORY = 8,  /* no peer can be authenticated there */
	SYM_R_NO_AGENT = 9,          /* would be held, but the agent has no heartbeat */
	SYM_R_UNATTESTED = 10,       /* from or to a workload that is not attested, or an address in our prefix that nobody owns */
	SYM_R_NODE_DESTINATION = 11, /* to the node itself, link-local, multicast or broadcast; or there is no route */
	SYM_R_FROM_NODE = 12,        /* from the node itself to a managed workload */
	SYM_R_NOT_A_PEER = 13,       /* to the agent's port */
	SYM_R_ICMP_UNRELATED = 14,   /* an ICMP error that quotes no live flow */
	SYM_R_ICMP_TYPE = 15,        /* redirects, and whatever is neither echo nor error */
	SYM_R_NEIGHBOUR = 16,        /* neighbour discovery with a hop limit below 255, to beyond the link, or of a type that this side may not send */
	SYM_R_FRAGMENT = 17,
	SYM_R_IP_OPTIONS = 18,
	SYM_R_EXTENSION_HEADER = 19,
	SYM_R_ETHERTYPE = 20,
	SYM_R_VLAN = 21,
	SYM_R_TRUNCATED = 22,   /* or lengths that contradict each other */
	SYM_R_FLOW_QUOTA = 23,  /* the endpoint has as many flows as it may */
	SYM_R_FLOW_TABLE = 24,  /* the flow could not be stored */
	SYM_R_COOKIE = 25,      /* a frame from the TAP whose cookie names no gate, or not the source's owner */
	SYM_R_FOREIGN_TAP = 26, /* a packet on its way to the TAP that we did not hold */
	SYM_R_TRANSLATED = 27,  /* masqueraded on the way from a managed workload: cannot be gated */
	SYM_R_NOT_HAIRPIN = 28, /* came back to its own interface, and is no refusal of ours */
	SYM_R_FAILED = 29,      /* a helper failed */
	SYM_R_ONE_WAY = 30,     /* a protocol without flows that is allowed in one direction only */
	SYM_R_MAPPED_ADDRESS = 31, /* an IPv4-mapped address in an IPv6 header */
	SYM_R_HOLD_QUOTA = 32,  /* the endpoint has too many packets to hold */
	SYM_R_CHECKSUM = 33,    /* the checksum, still to be filled in, would overwrite what the gate has read */
	SYM_R_NO_GATE = 34,     /* would leave the node by an interface that has no gate */
	/* not refusals */
	SYM_R_PASSED_FLOW = 40,
	SYM_R_PASSED_OPEN = 41,  /* opened a flow */
	SYM_R_PASSED_OTHER = 42, /* of managed workloads: ICMP errors, neighbour discovery, protocols without flows */
	SYM_R_HELD = 43,
	SYM_R_RETURNED = 44, /* came back from the TAP */
	SYM_R_SENT_RST = 45,
	SYM_R_SENT_ICMP = 46,
	SYM_R_SENT_LIMITED = 47, /* refused without an answer: too many */
};
