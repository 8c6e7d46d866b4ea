/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps; see maps.h for their meaning. The large ones are not preallocated: a node with ten workloads should not pay for a thousand. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_ADDRESSES);
	__type(key, struct sym_owner_key);
	__type(value, __u32);
} sym_owner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct sym_endpoint);
} sym_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_ENDPOINTS + 1);
	__type(key, __u32);
	__type(value, struct sym_usage);
} sym_usage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_PAIRS);
	__type(key, struct sym_pair_key);
	__type(value, struct sym_pair);
} sym_pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYM_MAX_SESSIONS);
	__type(key, __u32);
	__type(value, struct sym_session);
} sym_sessions SEC(".maps");

/* Never an LRU: those evict early, and half of what they hold at once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_FLOWS);
	__type(key, struct sym_flow_key);
	__type(value, struct sym_flow);
} sym_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SYM_MAX_DENY);
	__type(key, struct sym_pair_key);
	__type(value, struct sym_deny);
} sym_denied SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_PREFIXES);
	__type(key, struct sym_prefix_key);
	__type(value, struct sym_prefix);
} sym_prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_GATES);
	__type(key, __u32);
	__type(value, struct sym_gate);
} sym_gates SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sym_node);
} sym_node_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_PEERS);
	__type(key, union sym_address);
	__type(value, __u32);
} sym_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SYM_MAX_LOCAL);
	__type(key, union sym_address);
	__type(value, __u32);
} sym_local SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SYM_MAX_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} sym_counters SEC(".maps");
