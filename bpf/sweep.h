/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Takes flows away that are over. */
#pragma once
#include "flow.h"

/* Seconds without a packet after which a flow is forgotten. */
enum sym_idle {
	SYM_IDLE_TCP = 86400,
	SYM_IDLE_TCP_UNANSWERED = 120, /* longer than the peer's SYN retries are apart */
	SYM_IDLE_TCP_RESET = 60,       /* its receiver may not have believed it */
	SYM_IDLE_TCP_CLOSED = 10,
	SYM_IDLE_DATAGRAM = 180,
	SYM_IDLE_DATAGRAM_UNANSWERED = 30,
	SYM_IDLE_DATAGRAM_ANSWERED = 15, /* a question and its answer: most will not go on */
};

struct sym_sweep_state {
	__u64 now;
	__u32 endpoint;
	__u32 removed;
	__u32 left;
};

static __always_inline __u32 idle_limit(const struct sym_flow_key *key, const struct sym_flow *flow)
{
	if (key->protocol != IPPROTO_TCP) {
		if (flow->flags & SYM_FLOW_LASTING)
			return SYM_IDLE_DATAGRAM;
		return flow->flags & SYM_FLOW_ANSWERED ? SYM_IDLE_DATAGRAM_ANSWERED : SYM_IDLE_DATAGRAM_UNANSWERED;
	}
	if (is_closed(flow))
		return flow->flags & SYM_FLOW_RESET ? SYM_IDLE_TCP_RESET : SYM_IDLE_TCP_CLOSED;
	return flow->flags & SYM_FLOW_ANSWERED ? SYM_IDLE_TCP : SYM_IDLE_TCP_UNANSWERED;
}

/* A lapsed lease alone is no reason: the agent may be about to renew it. */
static __always_inline int is_over(const struct sym_flow_key *key, const struct sym_flow *flow, __u64 now)
{
	if (!(flow->flags & SYM_FLOW_FREE) && !pair_of_flow(key, flow))
		return 1;
	return (__s64)(now - flow->seen) > (__s64)(idle_limit(key, flow) * SECOND);
}

struct bpf_map;

static long sweep_flow(struct bpf_map *map, struct sym_flow_key *key, struct sym_flow *flow, struct sym_sweep_state *state)
{
	__u32 endpoint = flow->endpoint;
	int unwanted = state->endpoint ? endpoint == state->endpoint : is_over(key, flow, state->now);

	(void)map;
	if (unwanted && remove_flow(key, endpoint))
		state->removed++;
	else
		state->left++;
	return 0;
}

static __always_inline int sweep(struct sym_sweep_args *args)
{
	struct sym_sweep_state state = { .now = bpf_ktime_get_boot_ns(), .endpoint = args->endpoint };

	bpf_for_each_map_elem(&sym_flows, sweep_flow, &state, 0);
	if (state.endpoint)
		bpf_map_delete_elem(&sym_usage, &state.endpoint);
	args->removed = state.removed;
	args->left = state.left;
	return 0;
}
