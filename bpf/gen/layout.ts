// Generated from bpf/maps.h by `node build/layout.js`. Do not edit.
/** Sizes in bytes, and entries, of the pinned maps. */
export const SYM_MAPS = {
  sym_counters: { keySize: 4, valueSize: 8, maxEntries: 64 },
  sym_denied: { keySize: 44, valueSize: 16, maxEntries: 16384 },
  sym_endpoints: { keySize: 4, valueSize: 8, maxEntries: 16384 },
  sym_flows: { keySize: 44, valueSize: 32, maxEntries: 524288 },
  sym_gates: { keySize: 4, valueSize: 12, maxEntries: 16384 },
  sym_local: { keySize: 16, valueSize: 4, maxEntries: 4096 },
  sym_node_conf: { keySize: 4, valueSize: 32, maxEntries: 1 },
  sym_owner: { keySize: 24, valueSize: 4, maxEntries: 65536 },
  sym_pairs: { keySize: 44, valueSize: 56, maxEntries: 262144 },
  sym_peers: { keySize: 16, valueSize: 4, maxEntries: 16384 },
  sym_prefixes: { keySize: 20, valueSize: 4, maxEntries: 65536 },
  sym_sessions: { keySize: 4, valueSize: 32, maxEntries: 16384 },
  sym_usage: { keySize: 4, valueSize: 24, maxEntries: 16385 },
} as const;

export const SYM_LIMIT = {
  MAX_ENDPOINTS: 16384,
  MAX_ADDRESSES: 65536,
  MAX_PAIRS: 262144,
  MAX_SESSIONS: 16384,
  MAX_FLOWS: 524288,
  MAX_DENY: 16384,
  MAX_PREFIXES: 65536,
  MAX_GATES: 16384,
  MAX_PEERS: 16384,
  MAX_LOCAL: 4096,
  MAX_REASONS: 64,
  MAX_RANGES: 8,
  FLOW_QUOTA: 32768,
  COMMON_FLOWS: 393216,
  HOLD_QUOTA: 256,
  MAX_GATE_IFINDEX: 65535,
} as const;

export const SYM_REALM = {
  REALM: 0,
} as const;

export const SYM_ROLE = {
  CLIENT: 1,
  SERVER: 2,
} as const;

export const SYM_GATE_MODE = {
  UNMANAGED: 0,
  UNATTESTED: 1,
  INBOUND: 2,
  ALL: 3,
} as const;

export const SYM_PAIR_STATE = {
  LIVE: 1,
  FLUSHING: 2,
} as const;

export const SYM_PROTECTION = {
  AUTHENTICATED: 1,
  INTEGRITY: 2,
  ENCRYPTED: 3,
} as const;

export const SYM_OWNER_KIND = {
  BY_INTERFACE: 1,
  BY_ADDRESS: 2,
  BY_CGROUP: 3,
} as const;

export const SYM_FLOW_FLAG = {
  LOCAL_FIN: 1,
  REMOTE_FIN: 2,
  RESET: 4,
  ANSWERED: 8,
  FREE: 16,
  ACCEPTED: 32,
  LASTING: 64,
} as const;

export const SYM_GATE_KIND = {
  UPLINK: 1,
  WORKLOAD: 2,
  TAP: 3,
} as const;

export const SYM_REASON = {
  NONE: 0,
  SPOOFED_SOURCE: 1,
  FORGED_BY_NODE: 2,
  UNKNOWN_INTERFACE: 3,
  NO_PAIR: 4,
  NO_FLOW: 5,
  DEAD_FLOW: 6,
  DENIED: 7,
  NOT_IN_DIRECTORY: 8,
  NO_AGENT: 9,
  UNATTESTED: 10,
  NODE_DESTINATION: 11,
  FROM_NODE: 12,
  NOT_A_PEER: 13,
  ICMP_UNRELATED: 14,
  ICMP_TYPE: 15,
  NEIGHBOUR: 16,
  FRAGMENT: 17,
  IP_OPTIONS: 18,
  EXTENSION_HEADER: 19,
  ETHERTYPE: 20,
  VLAN: 21,
  TRUNCATED: 22,
  FLOW_QUOTA: 23,
  FLOW_TABLE: 24,
  COOKIE: 25,
  FOREIGN_TAP: 26,
  TRANSLATED: 27,
  NOT_HAIRPIN: 28,
  FAILED: 29,
  ONE_WAY: 30,
  MAPPED_ADDRESS: 31,
  HOLD_QUOTA: 32,
  CHECKSUM: 33,
  NO_GATE: 34,
  PASSED_FLOW: 40,
  PASSED_OPEN: 41,
  PASSED_OTHER: 42,
  HELD: 43,
  RETURNED: 44,
  SENT_RST: 45,
  SENT_ICMP: 46,
  SENT_LIMITED: 47,
} as const;

export const SYM_OWNER_KEY = {
  size: 24,
  fields: {
    realm: { offset: 0, size: 4, kind: 'u32' },
    kind: { offset: 4, size: 4, kind: 'u32' },
    id: { offset: 8, size: 16, kind: 'bytes' },
  },
} as const;

export const SYM_ENDPOINT = {
  size: 8,
  fields: {
    ifindex: { offset: 0, size: 4, kind: 'u32' },
    gate: { offset: 4, size: 4, kind: 'u32' },
  },
} as const;

export const SYM_USAGE = {
  size: 24,
  fields: {
    flows: { offset: 0, size: 8, kind: 'u64' },
    hold_window: { offset: 8, size: 8, kind: 'u64' },
    held: { offset: 16, size: 8, kind: 'u64' },
  },
} as const;

export const SYM_PAIR_KEY = {
  size: 44,
  fields: {
    realm: { offset: 0, size: 4, kind: 'u32' },
    endpoint: { offset: 4, size: 4, kind: 'u32' },
    local: { offset: 8, size: 16, kind: 'bytes' },
    remote: { offset: 24, size: 16, kind: 'bytes' },
    protocol: { offset: 40, size: 1, kind: 'u8' },
    role: { offset: 41, size: 1, kind: 'u8' },
    service_port: { offset: 42, size: 2, kind: 'be16' },
  },
} as const;

export const SYM_PAIR = {
  size: 56,
  fields: {
    pair: { offset: 0, size: 4, kind: 'u32' },
    session: { offset: 4, size: 4, kind: 'u32' },
    epoch: { offset: 8, size: 4, kind: 'u32' },
    state: { offset: 12, size: 1, kind: 'u8' },
    protection: { offset: 13, size: 1, kind: 'u8' },
    ranges: { offset: 14, size: 1, kind: 'u8' },
    flags: { offset: 15, size: 1, kind: 'u8' },
    not_after: { offset: 16, size: 8, kind: 'u64' },
    range: { offset: 24, size: 32, kind: 'sym_range[]' },
  },
} as const;

export const SYM_RANGE = {
  size: 4,
  fields: {
    low: { offset: 0, size: 2, kind: 'u16' },
    high: { offset: 2, size: 2, kind: 'u16' },
  },
} as const;

export const SYM_SESSION = {
  size: 32,
  fields: {
    tx_until: { offset: 0, size: 8, kind: 'u64' },
    rx_until: { offset: 8, size: 8, kind: 'u64' },
    epoch: { offset: 16, size: 4, kind: 'u32' },
    peer_node: { offset: 20, size: 4, kind: 'u32' },
    flags: { offset: 24, size: 4, kind: 'u32' },
    pad: { offset: 28, size: 4, kind: 'u32' },
  },
} as const;

export const SYM_FLOW_KEY = {
  size: 44,
  fields: {
    realm: { offset: 0, size: 4, kind: 'u32' },
    local: { offset: 4, size: 16, kind: 'bytes' },
    remote: { offset: 20, size: 16, kind: 'bytes' },
    local_port: { offset: 36, size: 2, kind: 'be16' },
    remote_port: { offset: 38, size: 2, kind: 'be16' },
    protocol: { offset: 40, size: 1, kind: 'u8' },
    pad: { offset: 41, size: 3, kind: 'bytes' },
  },
} as const;

export const SYM_FLOW = {
  size: 32,
  fields: {
    pair: { offset: 0, size: 4, kind: 'u32' },
    epoch: { offset: 4, size: 4, kind: 'u32' },
    endpoint: { offset: 8, size: 4, kind: 'u32' },
    ifindex: { offset: 12, size: 4, kind: 'u32' },
    peer_ifindex: { offset: 16, size: 4, kind: 'u32' },
    service_port: { offset: 20, size: 2, kind: 'be16' },
    role: { offset: 22, size: 1, kind: 'u8' },
    flags: { offset: 23, size: 1, kind: 'u8' },
    seen: { offset: 24, size: 8, kind: 'u64' },
  },
} as const;

export const SYM_DENY = {
  size: 16,
  fields: {
    until: { offset: 0, size: 8, kind: 'u64' },
    reason: { offset: 8, size: 4, kind: 'u32' },
    pad: { offset: 12, size: 4, kind: 'u32' },
  },
} as const;

export const SYM_PREFIX_KEY = {
  size: 20,
  fields: {
    bits: { offset: 0, size: 4, kind: 'u32' },
    address: { offset: 4, size: 16, kind: 'bytes' },
  },
} as const;

export const SYM_PREFIX = {
  size: 4,
  fields: {
    local: { offset: 0, size: 4, kind: 'u32' },
  },
} as const;

export const SYM_GATE = {
  size: 12,
  fields: {
    kind: { offset: 0, size: 4, kind: 'u32' },
    mac: { offset: 4, size: 6, kind: 'bytes' },
    pad: { offset: 10, size: 2, kind: 'bytes' },
  },
} as const;

export const SYM_NODE = {
  size: 32,
  fields: {
    alive_until: { offset: 0, size: 8, kind: 'u64' },
    tap_ifindex: { offset: 8, size: 4, kind: 'u32' },
    agent_port: { offset: 12, size: 2, kind: 'be16' },
    pad: { offset: 14, size: 2, kind: 'bytes' },
    next_epoch: { offset: 16, size: 4, kind: 'u32' },
    next_endpoint: { offset: 20, size: 4, kind: 'u32' },
    flow_share: { offset: 24, size: 4, kind: 'u32' },
    pad2: { offset: 28, size: 4, kind: 'u32' },
  },
} as const;

export const SYM_COOKIE = {
  size: 6,
  fields: {
    endpoint: { offset: 0, size: 4, kind: 'u32' },
    gate: { offset: 4, size: 2, kind: 'u16' },
  },
} as const;

export const SYM_SWEEP_ARGS = {
  size: 16,
  fields: {
    endpoint: { offset: 0, size: 4, kind: 'u32' },
    removed: { offset: 4, size: 4, kind: 'u32' },
    left: { offset: 8, size: 4, kind: 'u32' },
    pad: { offset: 12, size: 4, kind: 'u32' },
  },
} as const;
