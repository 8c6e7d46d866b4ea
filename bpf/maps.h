/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The contract between the gate (bpf/) and the agent (agent/datapath): every map's key, value and limit. bpf/gen/ is its TypeScript layout.
 * Addresses are 16 bytes, IPv4 as IPv4-mapped IPv6. Times are CLOCK_BOOTTIME nanoseconds. Ports are in network byte order. */
#pragma once
#include <linux/types.h>

#define SYM_MAX_ENDPOINTS 16384
#define SYM_MAX_ADDRESSES 65536
#define SYM_MAX_PAIRS 262144
#define SYM_MAX_SESSIONS 16384
#define SYM_MAX_FLOWS 262144
#define SYM_MAX_DENY 65536
#define SYM_MAX_PREFIXES 65536
#define SYM_MAX_RANGES 8
/* Flows that one endpoint may have open at once. */
#define SYM_FLOW_QUOTA 16384

enum sym_role { SYM_CLIENT = 1, SYM_SERVER = 2 };

enum sym_gate_mode { SYM_UNMANAGED = 0, SYM_UNATTESTED = 1, SYM_INBOUND = 2, SYM_ALL = 3 };

enum sym_pair_state { SYM_LIVE = 1, SYM_FLUSHING = 2 };

enum sym_protection { SYM_AUTHENTICATED = 1, SYM_INTEGRITY = 2, SYM_ENCRYPTED = 3 };

/* ---- whose packet is it ---- */
enum sym_owner_kind { SYM_BY_INTERFACE = 1, SYM_BY_ADDRESS = 2, SYM_BY_CGROUP = 3 };

struct sym_owner_key {
	__u32 realm;
	__u32 kind;   /* enum sym_owner_kind */
	__u8 id[16];  /* address; or u32 ifindex, or u64 cgroup id, little-endian, zero-padded */
};
/* value: u32 endpoint */

struct sym_endpoint {
	__u32 ifindex;   /* host-side interface */
	__u32 gate;      /* enum sym_gate_mode */
	__u32 flows;     /* open flows, against SYM_FLOW_QUOTA */
	__u32 pad;
};

/* ---- pairs ---- */
struct sym_pair_key {
	__u32 realm;
	__u32 endpoint;      /* 0 = the class is owned by some endpoint's live pair */
	__u8 local[16];
	__u8 remote[16];     /* local is needed, or one workload spoofs another */
	__u8 protocol;
	__u8 role;           /* enum sym_role: of the local end */
	__be16 service_port; /* 0 = the whole protocol, within the ranges */
};

struct sym_range {
	__u16 low;  /* host byte order, both included */
	__u16 high;
};

/* Immutable once written: a change is a new value. */
struct sym_pair {
	__u32 pair;
	__u32 session;
	__u32 epoch;
	__u8 state;      /* enum sym_pair_state */
	__u8 protection; /* enum sym_protection */
	__u8 ranges;     /* used in range[]; only in rows of service_port 0 */
	__u8 flags;
	__u64 not_after;
	struct sym_range range[SYM_MAX_RANGES];
};

/* One write renews, or ends, every pair of a node session. */
struct sym_session {
	__u64 tx_until;
	__u64 rx_until;
	__u32 epoch;
	__u32 peer_node;
	__u32 flags;
	__u32 pad;
};

/* ---- flows ---- */
struct sym_flow_key {
	__u32 realm;
	__u8 local[16];
	__u8 remote[16];
	__be16 local_port;  /* echo: the identifier, in both */
	__be16 remote_port;
	__u8 protocol;
	__u8 pad[3];
};

struct sym_flow {
	__u32 pair;
	__u32 epoch;    /* of the pair when the flow was opened: another one now means dead */
	__u32 endpoint;
	__u8 role;      /* enum sym_role: of the local end; the client opened it */
	__u8 closing;   /* 1 = a FIN was seen from the local end, 2 = from the remote, 4 = RST */
	__u8 pad[2];
	__u64 seen;
};

/* ---- refusals that the agent has decided: LRU, never among pairs. Key: sym_pair_key ---- */
struct sym_deny {
	__u64 until;
	__u32 reason;
	__u32 pad;
};

/* ---- the node ---- */
struct sym_prefix_key {
	__u32 bits;    /* of the 16-byte form */
	__u8 address[16];
};

struct sym_prefix {
	__u32 local; /* 1 = this node serves it */
};

enum sym_gate_kind { SYM_UPLINK = 1, SYM_WORKLOAD = 2, SYM_TAP = 3 };

/* by ifindex */
struct sym_gate {
	__u32 kind; /* enum sym_gate_kind */
	__u8 mac[6];
	__u8 pad[2];
};

/* One row. */
struct sym_node {
	__u64 alive_until; /* no heartbeat of the agent: hold nothing, refuse */
	__u32 tap_ifindex;
	__be16 agent_port;
	__u8 pad[2];
	__u32 next_epoch;
	__u32 next_endpoint; /* like next_epoch: never given twice while the maps live */
};

/* A held frame carries this in place of its source MAC, to the agent and back: little-endian. The agent returns it as it was. */
struct sym_cookie {
	__u32 endpoint;
	__u16 gate; /* low 16 bits of the ifindex that it was on its way through */
} __attribute__((packed));
