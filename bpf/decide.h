/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The gate's rules, once for the end that sends a packet and once for the end that receives it. */
#pragma once
#include "quote.h"

#define VERDICT(action, reason) ((action) | (reason))

/* First contact, or the pair has ended: hold it for the agent, if there is any use in that. */
static __always_inline int without_pair(const struct sym_packet *p, const struct sym_end *end)
{
	if (is_denied(end))
		return VERDICT(SYM_REFUSE, SYM_R_DENIED);
	if (!in_directory(&p->destination))
		return VERDICT(SYM_REFUSE, SYM_R_NOT_IN_DIRECTORY);
	if (end->returned)
		return VERDICT(SYM_REFUSE, SYM_R_NO_PAIR);
	return agent_alive(end->now) ? VERDICT(SYM_HOLD, SYM_R_HELD) : VERDICT(SYM_REFUSE, SYM_R_NO_AGENT);
}

static __noinline int sender_of_unattested(const struct sym_packet *p, const struct sym_end *end)
{
	/* Dropped, not refused: the sender tries again, and may be attested then. */
	if (end->returned || !in_directory(&p->destination))
		return VERDICT(SYM_DROP, SYM_R_UNATTESTED);
	return agent_alive(end->now) ? VERDICT(SYM_HOLD, SYM_R_HELD) : VERDICT(SYM_DROP, SYM_R_NO_AGENT);
}

/* Protocols without flows: packets of both directions look alike, so both must be allowed. */
static __noinline int both_ways(const struct sym_packet *p, const struct sym_end *end)
{
	__be16 row_port;
	struct sym_pair *as_client = live_pair(end, SYM_CLIENT, &row_port);
	struct sym_pair *as_server = live_pair(end, SYM_SERVER, &row_port);

	if (!as_client)
		return end->sends ? without_pair(p, end) : VERDICT(SYM_REFUSE, SYM_R_NO_PAIR);
	if (!as_server)
		return VERDICT(SYM_REFUSE, SYM_R_ONE_WAY);
	if (is_flushing(as_client, end))
		return VERDICT(SYM_HOLD, SYM_R_HELD);
	return VERDICT(SYM_PASS, SYM_R_PASSED_OTHER);
}

/* A packet that opens a flow whose client is this end. */
static __noinline int open_as_client(const struct sym_packet *p, const struct sym_end *end, enum sym_flow_state state)
{
	__be16 row_port;
	struct sym_pair *pair = live_pair(end, SYM_CLIENT, &row_port);

	if (pair)
		return is_flushing(pair, end) ? VERDICT(SYM_HOLD, SYM_R_HELD) : open_flow(end, SYM_CLIENT, pair, row_port);
	/* A server's late reply is no first contact. */
	if (state == FLOW_DEAD_SERVER && !is_opening(p))
		return VERDICT(SYM_REFUSE, SYM_R_DEAD_FLOW);
	return without_pair(p, end);
}

static __noinline int open_as_server(const struct sym_end *end)
{
	__be16 row_port;
	struct sym_pair *pair = live_pair(end, SYM_SERVER, &row_port);

	return pair ? open_flow(end, SYM_SERVER, pair, row_port) : VERDICT(SYM_REFUSE, SYM_R_NO_PAIR);
}

static __always_inline int no_such_flow(enum sym_flow_state state)
{
	return VERDICT(SYM_REFUSE, state == FLOW_DEAD_CLIENT || state == FLOW_DEAD_SERVER ? SYM_R_DEAD_FLOW : SYM_R_NO_FLOW);
}

/* `inbound`: what it opens itself towards peers without identity passes. The flow is for the replies. */
static __noinline int open_free(const struct sym_packet *p, const struct sym_end *end)
{
	if (!may_open(p) || flow_state(p, end) == FLOW_UNPROVEN)
		return VERDICT(SYM_PASS, SYM_R_PASSED_OTHER);
	return open_flow(end, SYM_CLIENT, NULL, 0);
}

/* May this end send the packet? */
__noinline int gate_sender(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	enum sym_flow_state state;

	if (!p || !end)
		return VERDICT(SYM_DROP, SYM_R_FAILED);
	if (end->mode == SYM_UNMANAGED)
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (p->defect)
		return VERDICT(SYM_DROP, p->defect);
	if (end->mode == SYM_UNATTESTED)
		return sender_of_unattested(p, end);
	if (end->mode == SYM_INBOUND && !in_directory(&p->destination))
		return open_free(p, end);
	if (is_neighbour_type(p))
		return VERDICT(SYM_DROP, SYM_R_NEIGHBOUR);
	if (is_icmp_error(p))
		return quotes_live_flow(skb, p, end) ? VERDICT(SYM_PASS, SYM_R_PASSED_OTHER) : VERDICT(SYM_DROP, SYM_R_ICMP_UNRELATED);
	if (is_icmp(p) && !is_echo(p))
		return VERDICT(SYM_DROP, SYM_R_ICMP_TYPE);
	if (!has_flow(p))
		return both_ways(p, end);
	state = is_opening(p) ? FLOW_NONE : flow_state(p, end);
	if (state == FLOW_LIVE)
		return VERDICT(SYM_PASS, SYM_R_PASSED_FLOW);
	if (state == FLOW_FLUSHING)
		return VERDICT(SYM_HOLD, SYM_R_HELD);
	return may_open(p) ? open_as_client(p, end, state) : no_such_flow(state);
}

/* A free flow's other end has no identity, and is not mistaken for somebody who has. */
static __always_inline int free_flow_holds(const struct sym_packet *p, const struct sym_end *end)
{
	return end->mode == SYM_INBOUND && !in_directory(&p->source);
}

/* May this end get the packet? Never held: a forged source must not start anything. */
__noinline int gate_receiver(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	enum sym_flow_state state;

	if (!p || !end)
		return VERDICT(SYM_DROP, SYM_R_FAILED);
	if (end->mode == SYM_UNMANAGED)
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (end->mode == SYM_UNATTESTED)
		return VERDICT(SYM_DROP, SYM_R_UNATTESTED);
	if (p->defect)
		return VERDICT(SYM_DROP, p->defect);
	if (is_neighbour_type(p))
		return VERDICT(SYM_DROP, SYM_R_NEIGHBOUR);
	if (is_icmp_error(p))
		return quotes_live_flow(skb, p, end) ? VERDICT(SYM_PASS, SYM_R_PASSED_OTHER) : VERDICT(SYM_DROP, SYM_R_ICMP_UNRELATED);
	if (is_icmp(p) && !is_echo(p))
		return VERDICT(SYM_DROP, SYM_R_ICMP_TYPE);
	if (!has_flow(p))
		return both_ways(p, end);
	state = is_opening(p) ? FLOW_NONE : flow_state(p, end);
	if (state == FLOW_LIVE || (state == FLOW_UNPROVEN && free_flow_holds(p, end)))
		return VERDICT(SYM_PASS, SYM_R_PASSED_FLOW);
	return may_open(p) ? open_as_server(end) : no_such_flow(state);
}
