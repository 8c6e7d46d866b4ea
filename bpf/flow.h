/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows: opened by the client's packet in the epoch of the pair that allows it, dead when that epoch is over. */
#pragma once
#include "counters.h"
#include "pair.h"

#define SECOND 1000000000ULL

enum sym_flow_state {
	FLOW_NONE,
	FLOW_LIVE,
	FLOW_FLUSHING,    /* live, but packets must queue behind held ones */
	FLOW_UNPROVEN,    /* SYM_FLOW_FREE: the caller says whether that is still right */
	FLOW_DEAD_CLIENT, /* by the role of this end */
	FLOW_DEAD_SERVER,
};

/* Writes only what changes, and the time about once a second: a flow's two directions may run on different CPUs. */
static __always_inline void touch_flow(struct sym_flow *flow, const struct sym_packet *p, const struct sym_end *end)
{
	__u8 flags = 0;

	if (end->sends != (flow->role == SYM_CLIENT))
		flags |= SYM_FLOW_ANSWERED;
	if (p->protocol == IPPROTO_TCP) {
		if (p->tcp_flags & TCP_FIN)
			flags |= end->sends ? SYM_FLOW_LOCAL_FIN : SYM_FLOW_REMOTE_FIN;
		if (p->tcp_flags & TCP_RST)
			flags |= SYM_FLOW_RESET;
	}
	if ((flow->flags & flags) != flags)
		flow->flags |= flags;
	if ((__s64)(end->now - flow->seen) > (__s64)SECOND)
		flow->seen = end->now;
}

/* The pair row under which a flow was opened, if it is still of the same epoch. */
static __always_inline struct sym_pair *pair_of_flow(const struct sym_flow_key *key, const struct sym_flow *flow)
{
	struct sym_pair_key pair_key = {};
	struct sym_pair *pair;

	set_pair_key(&pair_key, key, flow->endpoint, flow->role, flow->service_port);
	pair = bpf_map_lookup_elem(&sym_pairs, &pair_key);
	return pair && pair->epoch == flow->epoch ? pair : NULL;
}

/* Where a flow's packets leave and arrive is part of it: a peer on this node is not mistaken for one beyond the uplink that uses its address. */
static __always_inline int same_interfaces(const struct sym_flow *flow, const struct sym_end *end)
{
	return (!end->ifindex || flow->ifindex == end->ifindex) && flow->peer_ifindex == end->peer_ifindex;
}

/* The hot path: one look-up each of flow, pair and session. */
static __always_inline enum sym_flow_state flow_state(const struct sym_packet *p, const struct sym_end *end)
{
	struct sym_flow *flow = bpf_map_lookup_elem(&sym_flows, &end->key);
	struct sym_pair *pair;

	if (!flow || !same_interfaces(flow, end))
		return FLOW_NONE;
	if (flow->flags & SYM_FLOW_FREE) {
		touch_flow(flow, p, end);
		return FLOW_UNPROVEN;
	}
	pair = pair_of_flow(&end->key, flow);
	if (!pair || !pair_is_live(pair, end->sends, end->now))
		return flow->role == SYM_CLIENT ? FLOW_DEAD_CLIENT : FLOW_DEAD_SERVER;
	if (is_flushing(pair, end))
		return FLOW_FLUSHING;
	touch_flow(flow, p, end);
	return FLOW_LIVE;
}

static __always_inline struct sym_usage *usage_of(__u32 endpoint)
{
	struct sym_usage *usage = bpf_map_lookup_elem(&sym_usage, &endpoint), none = {};

	if (usage)
		return usage;
	bpf_map_update_elem(&sym_usage, &endpoint, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sym_usage, &endpoint);
}

/* Whoever deletes the row, and nobody else, gives its place back. */
static __always_inline int remove_flow(const struct sym_flow_key *key, __u32 endpoint)
{
	struct sym_usage *usage;

	if (bpf_map_delete_elem(&sym_flows, key))
		return 0;
	usage = bpf_map_lookup_elem(&sym_usage, &endpoint);
	if (usage)
		__sync_fetch_and_add(&usage->flows, -1);
	return 1;
}

static __always_inline int add_flow(const struct sym_flow_key *key, const struct sym_flow *flow)
{
	struct sym_usage *usage = usage_of(flow->endpoint);

	if (!usage)
		return SYM_DROP | SYM_R_FLOW_TABLE;
	if (__sync_fetch_and_add(&usage->flows, 1) >= SYM_FLOW_QUOTA) {
		__sync_fetch_and_add(&usage->flows, -1);
		return SYM_DROP | SYM_R_FLOW_QUOTA;
	}
	if (bpf_map_update_elem(&sym_flows, key, flow, BPF_NOEXIST) == 0)
		return SYM_PASS | SYM_R_PASSED_OPEN;
	__sync_fetch_and_add(&usage->flows, -1);
	/* Another CPU may have opened it first. */
	return bpf_map_lookup_elem(&sym_flows, key) ? SYM_PASS | SYM_R_PASSED_OPEN : SYM_DROP | SYM_R_FLOW_TABLE;
}

/* Opens the flow of this packet, or opens it anew. `pair` NULL: a free flow. */
static __always_inline int open_flow(const struct sym_end *end, __u8 role, const struct sym_pair *pair, __be16 row_port)
{
	struct sym_flow *old = bpf_map_lookup_elem(&sym_flows, &end->key);
	struct sym_flow flow = {
		.pair = pair ? pair->pair : 0,
		.epoch = pair ? pair->epoch : 0,
		.endpoint = end->endpoint,
		.ifindex = end->ifindex,
		.peer_ifindex = end->peer_ifindex,
		.service_port = row_port,
		.role = role,
		.flags = pair ? 0 : SYM_FLOW_FREE,
		.seen = end->now,
	};

	if (old && old->endpoint == end->endpoint) {
		/* Replaced, not changed in place: nobody sees half of it. */
		if (bpf_map_update_elem(&sym_flows, &end->key, &flow, BPF_EXIST) == 0)
			return SYM_PASS | SYM_R_PASSED_OPEN;
	} else if (old) {
		remove_flow(&end->key, old->endpoint);
	}
	return add_flow(&end->key, &flow);
}
