/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which live pair allows a packet. */
#pragma once
#include "end.h"

static __always_inline void set_pair_key(struct sym_pair_key *key, const struct sym_flow_key *flow, __u32 endpoint, __u8 role, __be16 port)
{
	key->realm = SYM_REALM;
	key->endpoint = endpoint;
	copy_address(&key->local, flow->local.words);
	copy_address(&key->remote, flow->remote.words);
	key->protocol = flow->protocol;
	key->role = role;
	key->service_port = port;
}

/* The port that the server serves; 0 for protocols without ports. */
static __always_inline __be16 service_port(const struct sym_flow_key *flow, __u8 role)
{
	if (!has_ports(flow->protocol))
		return 0;
	return role == SYM_CLIENT ? flow->remote_port : flow->local_port;
}

/* Sending stops before receiving does, so that the two ends' clocks may differ. */
static __always_inline int pair_is_live(const struct sym_pair *pair, int sends, __u64 now)
{
	__u32 row = pair->session;
	struct sym_session *session = bpf_map_lookup_elem(&sym_sessions, &row);

	return session && now < (sends ? session->tx_until : session->rx_until) && now < pair->not_after;
}

static __always_inline int range_covers(const struct sym_pair *pair, __be16 port)
{
	__u16 wanted = bpf_ntohs(port);

	for (int i = 0; i < SYM_MAX_RANGES; i++) {
		if (i >= pair->ranges)
			return 0;
		if (wanted >= pair->range[i].low && wanted <= pair->range[i].high)
			return 1;
	}
	return 0;
}

/* The live pair row by which this end may have the role: that of the exact port, then that of the protocol. NULL = none. `row_port`: which. */
static __always_inline struct sym_pair *live_pair(const struct sym_end *end, __u8 role, __be16 *row_port)
{
	__be16 port = service_port(&end->key, role);
	struct sym_pair_key key = {};
	struct sym_pair *pair;

	*row_port = port;
	/* Port 0 is nobody's, and would find the row of the ranges. */
	if (!port && has_ports(end->key.protocol))
		return NULL;
	set_pair_key(&key, &end->key, end->endpoint, role, port);
	pair = bpf_map_lookup_elem(&sym_pairs, &key);
	if (pair && pair_is_live(pair, end->sends, end->now))
		return pair;
	if (!port)
		return NULL;
	key.service_port = 0;
	*row_port = 0;
	pair = bpf_map_lookup_elem(&sym_pairs, &key);
	if (pair && range_covers(pair, port) && pair_is_live(pair, end->sends, end->now))
		return pair;
	return NULL;
}

/* True while packets of the pair must queue behind those that the agent holds. */
static __always_inline int is_flushing(const struct sym_pair *pair, const struct sym_end *end)
{
	return pair->state == SYM_FLUSHING && end->sends && !end->returned && agent_alive(end->now);
}

static __always_inline int is_denied(const struct sym_end *end)
{
	struct sym_pair_key key = {};
	struct sym_deny *deny;

	set_pair_key(&key, &end->key, end->endpoint, SYM_CLIENT, service_port(&end->key, SYM_CLIENT));
	deny = bpf_map_lookup_elem(&sym_denied, &key);
	return deny && end->now < deny->until;
}
