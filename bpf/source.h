/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload may put on its own link, before the node's stack sees it: its own source, and of the node itself nothing but neighbour discovery. */
#pragma once
#include "decide.h"

/* linux/socket.h has them for the kernel only. */
#define AF_INET 2
#define AF_INET6 10
/* Traffic class and flow label. */
#define SYM_FLOWINFO 0x0fffffff

static __always_inline int unmanaged_source(const struct sym_packet *p, __u32 endpoint, __u32 owner)
{
	int foreign = owner ? owner != endpoint : in_directory(&p->source);

	if (is_router_message(p))
		return VERDICT(SYM_DROP, SYM_R_NEIGHBOUR);
	return foreign ? VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE) : VERDICT(SYM_PASS, SYM_R_NONE);
}

/* Where the node would send it. To itself: also by a subnet's broadcast or anycast address, or one that the agent does not know yet. By an interface
 * without gate: a bridge, a tunnel, an uplink or workload that has just come. Or nowhere: the look-up does not tell that from itself. */
static __noinline int check_route(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct bpf_fib_lookup route = {
		.ifindex = skb->ifindex,
		.family = p->family == 4 ? AF_INET : AF_INET6,
		/* Rules and multipath routes may ask for all of these. */
		.l4_protocol = p->protocol,
		.sport = p->source_port,
		.dport = p->destination_port,
	};
	__u8 first_bytes[4] __attribute__((aligned(4)));

	if (bpf_skb_load_bytes(skb, ETH_HLEN, first_bytes, sizeof(first_bytes)))
		return VERDICT(SYM_DROP, SYM_R_FAILED);
	if (p->family == 4) {
		route.tos = first_bytes[1];
		route.ipv4_src = p->source.words[3];
		route.ipv4_dst = p->destination.words[3];
	} else {
		route.flowinfo = *(__be32 *)first_bytes & bpf_htonl(SYM_FLOWINFO);
		copy_address((union sym_address *)route.ipv6_src, p->source.words);
		copy_address((union sym_address *)route.ipv6_dst, p->destination.words);
	}
	switch (bpf_fib_lookup(skb, &route, sizeof(route), 0)) {
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return VERDICT(SYM_REFUSE, SYM_R_NODE_DESTINATION);
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		if (gate_kind(route.ifindex))
			return VERDICT(SYM_PASS, SYM_R_NONE);
		break;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		break;
	default:
		return VERDICT(SYM_PASS, SYM_R_NONE);
	}
	/* A workload that has just come will have its gate when the sender tries again. */
	return VERDICT(in_local_prefix(&p->destination) ? SYM_DROP : SYM_REFUSE, SYM_R_NO_GATE);
}

static __always_inline int gated_destination(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (is_node_address(&p->destination))
		return VERDICT(SYM_REFUSE, SYM_R_NODE_DESTINATION);
	if (is_multicast(&p->destination) || is_link_local(&p->destination))
		return VERDICT(SYM_DROP, SYM_R_NODE_DESTINATION);
	return check_route(skb, p);
}

/* `inbound`: gated towards whom the directory knows, else free, the node itself included. */
static __always_inline int inbound_destination(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	if (is_multicast(&p->destination) || is_link_local(&p->destination))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (is_node_address(&p->destination) || !in_directory(&p->destination))
		return open_free(p, end);
	return check_route(skb, p);
}

/* Neighbour discovery is for the link; with another's address behind it the node would carry it on. */
static __always_inline int stays_on_link(const struct sym_packet *p)
{
	return is_multicast(&p->destination) || is_link_local(&p->destination) || is_node_address(&p->destination);
}

/* May the workload behind this interface send this at all? Whether it may send it to whom it is for is asked at the packet's way out. */
static __noinline int check_source(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	__u32 owner = owner_of_address(&p->source);

	if (end->mode == SYM_UNMANAGED)
		return unmanaged_source(p, end->endpoint, owner);
	if (is_neighbour_traffic(p, 1) && stays_on_link(p) && (owner == end->endpoint || is_link_local(&p->source) || is_unspecified(&p->source)))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (owner != end->endpoint)
		return VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE);
	if (p->defect)
		return VERDICT(SYM_DROP, p->defect);
	if (is_neighbour_type(p))
		return VERDICT(SYM_DROP, SYM_R_NEIGHBOUR);
	return end->mode == SYM_INBOUND ? inbound_destination(skb, p, end) : gated_destination(skb, p);
}
