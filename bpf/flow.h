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

static __always_inline int from_client(const struct sym_flow *flow, const struct sym_end *end)
{
	return end->sends == (flow->role == SYM_CLIENT);
}

static __always_inline int is_acceptance(const struct sym_packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

static __always_inline int has_payload(const struct sym_packet *p)
{
	return p->end > (__u32)p->transport + p->tcp_header;
}

/* A connection that was cut may still be open at the server, and its ports may be somebody else's by now: until the server accepts the connection anew,
 * nothing of the old one passes. What the server's old socket says without payload does (RFC 5961's challenge), and the client's reset in answer: else
 * an honest client could not use the port again. */
static __always_inline int is_of_older_connection(const struct sym_flow *flow, const struct sym_packet *p, const struct sym_end *end)
{
	if (p->protocol != IPPROTO_TCP || flow->flags & SYM_FLOW_ACCEPTED || p->tcp_flags & TCP_RST)
		return 0;
	return from_client(flow, end) || (!is_acceptance(p) && has_payload(p));
}

/* Writes only what changes, and the time about once a second: a flow's two directions may run on different CPUs. */
static __always_inline void touch_flow(struct sym_flow *flow, const struct sym_packet *p, const struct sym_end *end)
{
	int later = (__s64)(end->now - flow->seen) > (__s64)SECOND;
	__u8 set = 0, clear = 0;

	if (!from_client(flow, end))
		set |= SYM_FLOW_ANSWERED;
	if (p->protocol == IPPROTO_TCP) {
		if (!from_client(flow, end) && is_acceptance(p))
			set |= SYM_FLOW_ACCEPTED;
		if (p->tcp_flags & TCP_FIN)
			set |= end->sends ? SYM_FLOW_LOCAL_FIN : SYM_FLOW_REMOTE_FIN;
		/* A reset that its receiver did not believe is known by what follows. */
		if (p->tcp_flags & TCP_RST)
			set |= SYM_FLOW_RESET;
		else if (later)
			clear = SYM_FLOW_RESET;
	} else if (later && flow->flags & SYM_FLOW_ANSWERED) {
		set |= SYM_FLOW_LASTING;
	}
	if (later || (set & ~flow->flags & SYM_FLOW_RESET))
		flow->seen = end->now;
	if ((flow->flags & set) != set || flow->flags & clear)
		flow->flags = (flow->flags | set) & ~clear;
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
	if (is_of_older_connection(flow, p, end))
		return FLOW_NONE;
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

static __always_inline void count_flow(struct sym_usage *usage, struct sym_usage *all, int change)
{
	if (usage)
		__sync_fetch_and_add(&usage->flows, change);
	if (all)
		__sync_fetch_and_add(&all->flows, change);
}

/* Whoever deletes the row, and nobody else, gives its place back. */
static __always_inline int remove_flow(const struct sym_flow_key *key, __u32 endpoint)
{
	__u32 everyone = 0;

	if (bpf_map_delete_elem(&sym_flows, key))
		return 0;
	count_flow(bpf_map_lookup_elem(&sym_usage, &endpoint), bpf_map_lookup_elem(&sym_usage, &everyone), -1);
	return 1;
}

/* One endpoint cannot take what the others need: where room is short each has its share. */
static __always_inline int may_have_flow(const struct sym_usage *usage, const struct sym_usage *all)
{
	const struct sym_node *node = this_node();

	if ((__s64)usage->flows > SYM_FLOW_QUOTA)
		return 0;
	return (__s64)all->flows <= SYM_COMMON_FLOWS || (node && (__s64)usage->flows <= node->flow_share);
}

static __always_inline int add_flow(const struct sym_flow_key *key, const struct sym_flow *flow)
{
	struct sym_usage *usage = usage_of(flow->endpoint), *all = usage_of(0);

	if (!usage || !all)
		return SYM_REFUSE | SYM_R_FLOW_TABLE;
	count_flow(usage, all, 1);
	if (!may_have_flow(usage, all)) {
		count_flow(usage, all, -1);
		return SYM_REFUSE | SYM_R_FLOW_QUOTA;
	}
	if (bpf_map_update_elem(&sym_flows, key, flow, BPF_NOEXIST) == 0)
		return SYM_PASS | SYM_R_PASSED_OPEN;
	count_flow(usage, all, -1);
	/* Another CPU may have opened it first. */
	return bpf_map_lookup_elem(&sym_flows, key) ? SYM_PASS | SYM_R_PASSED_OPEN : SYM_REFUSE | SYM_R_FLOW_TABLE;
}

static __always_inline int is_closed(const struct sym_flow *flow)
{
	const __u8 both = SYM_FLOW_LOCAL_FIN | SYM_FLOW_REMOTE_FIN;

	return flow->flags & SYM_FLOW_RESET || (flow->flags & both) == both;
}

/* Whether a flow is what would be opened now: a SYN, or one more ping, within a live flow changes nothing about it. */
static __always_inline int is_open_already(const struct sym_flow *old, const struct sym_flow *flow)
{
	return old->endpoint == flow->endpoint && old->epoch == flow->epoch && old->role == flow->role && old->ifindex == flow->ifindex &&
	       old->peer_ifindex == flow->peer_ifindex && old->service_port == flow->service_port &&
	       !((old->flags ^ flow->flags) & SYM_FLOW_FREE) && !is_closed(old);
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

	if (old && is_open_already(old, &flow)) {
		if ((__s64)(end->now - old->seen) > (__s64)SECOND)
			old->seen = end->now;
		return SYM_PASS | SYM_R_PASSED_OPEN;
	}
	if (old && old->endpoint == end->endpoint) {
		/* Replaced, not changed in place: nobody sees half of it. */
		if (bpf_map_update_elem(&sym_flows, &end->key, &flow, BPF_EXIST) == 0)
			return SYM_PASS | SYM_R_PASSED_OPEN;
	} else if (old) {
		remove_flow(&end->key, old->endpoint);
	}
	return add_flow(&end->key, &flow);
}
