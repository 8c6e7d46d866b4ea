/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors belong to the flow of the packet that they quote, whichever router sends them. */
#pragma once
#include "flow.h"

/* Addresses and as much of the transport header as an error must quote (RFC 792: 8 bytes). */
struct sym_quote4 {
	struct iphdr ip;
	__u8 transport[ICMP_HEADER];
};

struct sym_quote6 {
	struct ipv6hdr ip;
	__u8 transport[ICMP_HEADER];
};

static __always_inline void quote_transport(struct sym_packet *q, const __u8 *transport)
{
	if (has_ports(q->protocol)) {
		__builtin_memcpy(&q->source_port, transport, 2);
		__builtin_memcpy(&q->destination_port, transport + 2, 2);
	} else {
		q->icmp_type = transport[0];
		__builtin_memcpy(&q->echo_id, transport + 4, 2);
	}
}

/* The quoted packet, as far as it names a flow. Returns 0 if it does not. */
static __noinline int parse_quote(struct __sk_buff *skb, const struct sym_packet *p, struct sym_packet *q)
{
	__u32 at = p->transport + ICMP_HEADER;

	q->family = p->family;
	if (p->family == 4) {
		struct sym_quote4 quote;

		if (bpf_skb_load_bytes(skb, at, &quote, sizeof(quote)))
			return 0;
		if (quote.ip.version != 4 || quote.ip.ihl != 5 || quote.ip.frag_off & bpf_htons(IPV4_FRAGMENT))
			return 0;
		q->protocol = quote.ip.protocol;
		map_ipv4(&q->source, quote.ip.saddr);
		map_ipv4(&q->destination, quote.ip.daddr);
		quote_transport(q, quote.transport);
	} else {
		struct sym_quote6 quote;

		if (bpf_skb_load_bytes(skb, at, &quote, sizeof(quote)) || quote.ip.version != 6)
			return 0;
		q->protocol = quote.ip.nexthdr;
		copy_address(&q->source, quote.ip.saddr.in6_u.u6_addr32);
		copy_address(&q->destination, quote.ip.daddr.in6_u.u6_addr32);
		quote_transport(q, quote.transport);
	}
	return 1;
}

/* A frame of its own: with the quote's the stack would be too deep. */
static __noinline int quoted_flow_lives(const struct sym_flow_key *key, const struct sym_end *end)
{
	struct sym_flow *flow = bpf_map_lookup_elem(&sym_flows, key);
	struct sym_pair *pair;

	if (!flow || flow->endpoint != end->endpoint)
		return 0;
	if (flow->flags & SYM_FLOW_FREE)
		return end->mode == SYM_INBOUND;
	pair = pair_of_flow(key, flow);
	return pair && pair_is_live(pair, end->sends, end->now);
}

/* Whether this ICMP error may come from or to this end: it quotes a packet of a live flow, which the error's receiver had sent. */
static __noinline int quotes_live_flow(struct __sk_buff *skb, const struct sym_packet *p, const struct sym_end *end)
{
	struct sym_packet q = {};
	struct sym_flow_key key = {};

	if (!parse_quote(skb, p, &q) || !has_flow(&q) || !same_address(&q.source, &p->destination))
		return 0;
	if (end->sends && !same_address(&q.destination, &p->source))
		return 0;
	/* What the sender of the error quotes it had received. */
	set_flow_key(&key, &q, !end->sends);
	return quoted_flow_lives(&key, end);
}

/* Whether the error quotes a packet that its receiver had sent: what the node's own stack may answer to its workload even before a flow is open,
 * or a first datagram larger than the uplink's MTU would never find out. */
static __noinline int quotes_packet_of_receiver(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct sym_packet q = {};

	return parse_quote(skb, p, &q) && same_address(&q.source, &p->destination);
}
