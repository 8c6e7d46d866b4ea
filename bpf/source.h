/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload may put on its own link, before the node's stack sees it: its own source, and of the node itself nothing but neighbour discovery. */
#pragma once
#include "decide.h"

/* linux/socket.h has them for the kernel only. */
#define AF_INET 2
#define AF_INET6 10

static __always_inline int unmanaged_source(const struct sym_packet *p, __u32 endpoint, __u32 owner)
{
	int foreign = owner ? owner != endpoint : in_directory(&p->source);

	return foreign ? VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE) : VERDICT(SYM_PASS, SYM_R_NONE);
}

static __always_inline int inbound_destination(const struct sym_packet *p, const struct sym_end *end)
{
	if (is_multicast(&p->destination) || is_link_local(&p->destination))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (is_node_address(&p->destination) || !in_directory(&p->destination))
		return open_free(p, end);
	return VERDICT(SYM_PASS, SYM_R_NONE);
}

/* Whether the node would take the packet for itself: also by a subnet's broadcast or anycast address, or one that the agent does not know yet. What
 * the node does not forward leaves by no gate. */
static __noinline int stays_on_node(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct bpf_fib_lookup route = { .ifindex = skb->ifindex, .family = p->family == 4 ? AF_INET : AF_INET6 };

	if (p->family == 4) {
		route.ipv4_src = p->source.words[3];
		route.ipv4_dst = p->destination.words[3];
	} else {
		copy_address((union sym_address *)route.ipv6_src, p->source.words);
		copy_address((union sym_address *)route.ipv6_dst, p->destination.words);
	}
	return bpf_fib_lookup(skb, &route, sizeof(route), 0) == BPF_FIB_LKUP_RET_NOT_FWDED;
}

static __always_inline int gated_destination(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (is_node_address(&p->destination))
		return VERDICT(SYM_REFUSE, SYM_R_NODE_DESTINATION);
	if (is_multicast(&p->destination) || is_link_local(&p->destination) || stays_on_node(skb, p))
		return VERDICT(SYM_DROP, SYM_R_NODE_DESTINATION);
	return VERDICT(SYM_PASS, SYM_R_NONE);
}

/* May the workload behind this interface send this at all? Whether it may send it to whom it is for is asked at the packet's way out. */
static __noinline int check_source(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	__u32 owner = owner_of_address(&p->source);

	if (end->mode == SYM_UNMANAGED)
		return unmanaged_source(p, end->endpoint, owner);
	if (is_neighbour_traffic(p, 1) && (owner == end->endpoint || is_link_local(&p->source) || is_unspecified(&p->source)))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (owner != end->endpoint)
		return VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE);
	if (p->defect)
		return VERDICT(SYM_DROP, p->defect);
	if (is_neighbour_type(p))
		return VERDICT(SYM_DROP, SYM_R_NEIGHBOUR);
	return end->mode == SYM_INBOUND ? inbound_destination(p, end) : gated_destination(skb, p);
}
