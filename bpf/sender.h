/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who sent a packet that is about to leave by an uplink or to a workload: the interface it came in by says so, and the address must agree. */
#pragma once
#include "decide.h"
#include "hold.h"

static __always_inline void set_endpoint(struct sym_end *end, __u32 endpoint)
{
	end->endpoint = endpoint;
	end->mode = mode_of(endpoint);
}

static __always_inline int sender_from_tap(struct __sk_buff *skb, const struct sym_packet *p, struct sym_end *end)
{
	__u32 endpoint = take_back(skb, p);

	if (!endpoint)
		return VERDICT(SYM_DROP, SYM_R_COOKIE);
	set_endpoint(end, endpoint);
	end->ifindex = interface_of(endpoint);
	end->returned = 1;
	return VERDICT(SYM_PASS, SYM_R_NONE);
}

/* Neither interface nor address belongs to an endpoint. Workloads of whatever node are not beyond an interface that has no gate. */
static __always_inline int sender_unknown(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (!skb->ingress_ifindex || gate_kind(skb->ingress_ifindex) || !in_directory(&p->source))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	return VERDICT(SYM_DROP, SYM_R_UNKNOWN_INTERFACE);
}

/* Fills in the sending end. PASS: gate it, as `end->mode` says. */
static __noinline int find_sender(struct __sk_buff *skb, const struct sym_packet *p, struct sym_end *end)
{
	__u32 by_address, by_interface;

	if (skb->ingress_ifindex && skb->ingress_ifindex == tap_ifindex())
		return sender_from_tap(skb, p, end);
	by_address = owner_of_address(&p->source);
	by_interface = owner_of_interface(skb->ingress_ifindex);
	set_endpoint(end, by_interface);
	if (!by_interface && !by_address)
		return sender_unknown(skb, p);
	if (by_interface == by_address)
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (by_interface && by_address)
		return VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE);
	if (by_address)
		return mode_of(by_address) == SYM_UNMANAGED ? VERDICT(SYM_PASS, SYM_R_NONE) : VERDICT(SYM_DROP, SYM_R_FORGED_BY_NODE);
	/* The node has given the packet another source. Only where no pair is needed can that pass. */
	if (end->mode == SYM_INBOUND && !in_directory(&p->destination))
		end->mode = SYM_UNMANAGED;
	return end->mode == SYM_UNMANAGED ? VERDICT(SYM_PASS, SYM_R_NONE) : VERDICT(SYM_DROP, SYM_R_TRANSLATED);
}
