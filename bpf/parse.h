/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ethernet, IPv4 and IPv6, and as much of the transport header as the gate asks about. */
#pragma once
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"

#define TCP_FLAG_BYTE 13
#define ICMP_HEADER 8
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6
/* Ethernet, IP and TCP without options: never asked for more, since pulling reallocates cloned packets. A TCP segment of IPv4 has its headers in line,
 * 66 bytes with timestamps, and no payload: what IPv6 needs would be too much to ask. */
#define SYM_HEADERS_IPV4 (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define SYM_HEADERS_IPV6 (ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(struct tcphdr))
/* Extension headers that are walked, so that the agent's port is seen behind them. */
#define SYM_MAX_EXTENSIONS 4
#define IPV4_FRAGMENT 0x3fff
#define IPV4_OFFSET 0x1fff
#define IPV6_OFFSET 0xfff8
#define VLAN_ID 0xfff
/* Priority tags that are taken off. */
#define SYM_MAX_TAGS 2

enum sym_tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

/* HIDDEN: the stack would take it for IP, but here it cannot be read as such. */
enum sym_layer { SYM_LAYER_OTHER, SYM_LAYER_ARP, SYM_LAYER_IP, SYM_LAYER_HIDDEN };

struct sym_packet {
	union sym_address source;
	union sym_address destination;
	__be16 source_port; /* of TCP and UDP */
	__be16 destination_port;
	__be16 echo_id;
	__u16 transport; /* offset of the transport header */
	__u32 end;       /* offset behind the IP packet */
	__u8 family;     /* 4 or 6 */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 tcp_header; /* bytes */
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 hop_limit;
	__u8 router_alert; /* the one extension header was Hop-by-Hop with a router alert */
	__u8 defect;       /* enum sym_reason: why no managed workload may send or get it; 0 = nothing */
	__u8 unseen;       /* the transport header could not be found */
};

static __always_inline void map_ipv4(union sym_address *out, __be32 address)
{
	out->words[0] = 0;
	out->words[1] = 0;
	out->words[2] = bpf_htonl(0xffff);
	out->words[3] = address;
}

/* In an IPv6 header such an address is a lie (RFC 4291 section 2.5.5.2): here it would pass for the IPv4 address. */
static __always_inline int is_mapped_ipv4(const union sym_address *address)
{
	return !address->words[0] && !address->words[1] && address->words[2] == bpf_htonl(0xffff);
}

static __always_inline void copy_address(union sym_address *out, const __u32 *words)
{
	out->words[0] = words[0];
	out->words[1] = words[1];
	out->words[2] = words[2];
	out->words[3] = words[3];
}

static __always_inline int same_address(const union sym_address *a, const union sym_address *b)
{
	return a->words[3] == b->words[3] && a->words[2] == b->words[2] && a->words[1] == b->words[1] && a->words[0] == b->words[0];
}

/* By load_bytes: for the rare packets whose transport header is not where it is expected. */
static __noinline void parse_transport_at(struct __sk_buff *skb, struct sym_packet *p)
{
	__u8 head[ICMP_HEADER];

	p->unseen = 1;
	if (bpf_skb_load_bytes(skb, p->transport, head, sizeof(head)))
		return;
	p->unseen = 0;
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		__builtin_memcpy(&p->source_port, head, 2);
		__builtin_memcpy(&p->destination_port, head + 2, 2);
	} else {
		p->icmp_type = head[0];
		p->icmp_code = head[1];
	}
}

/* RFC 8200 section 4: the headers' lengths are in units of 8 bytes, the first not counted. */
static __noinline void walk_extensions(struct __sk_buff *skb, struct sym_packet *p)
{
	__u8 head[8];

	p->defect = SYM_R_EXTENSION_HEADER;
	p->unseen = 1;
	for (int i = 0; i < SYM_MAX_EXTENSIONS; i++) {
		__u8 kind = p->protocol;

		if (kind != IPPROTO_HOPOPTS && kind != IPPROTO_ROUTING && kind != IPPROTO_DSTOPTS && kind != IPPROTO_FRAGMENT) {
			parse_transport_at(skb, p);
			return;
		}
		if (bpf_skb_load_bytes(skb, p->transport, head, sizeof(head)))
			return;
		p->protocol = head[0];
		p->router_alert = kind == IPPROTO_HOPOPTS && i == 0 && head[1] == 0 && head[2] == 5 && head[3] == 2;
		if (kind == IPPROTO_FRAGMENT) {
			p->defect = SYM_R_FRAGMENT;
			p->transport += 8;
			if ((head[2] << 8 | head[3]) & IPV6_OFFSET) {
				p->unseen = 0; /* nothing to see: only the first fragment has the header */
				return;
			}
		} else {
			p->transport += (head[1] + 1) * 8;
		}
	}
}

static __always_inline void parse_transport(struct sym_packet *p, void *transport, void *data_end)
{
	if (p->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = transport;

		if ((void *)(tcp + 1) > data_end) {
			p->defect = SYM_R_TRUNCATED;
			p->unseen = 1;
			return;
		}
		p->source_port = tcp->source;
		p->destination_port = tcp->dest;
		p->tcp_flags = ((__u8 *)tcp)[TCP_FLAG_BYTE];
		p->tcp_header = tcp->doff * 4;
		if (p->tcp_header < sizeof(*tcp) || p->transport + p->tcp_header > p->end)
			p->defect = SYM_R_TRUNCATED;
	} else if (p->protocol == IPPROTO_UDP) {
		struct udphdr *udp = transport;

		if ((void *)(udp + 1) > data_end) {
			p->defect = SYM_R_TRUNCATED;
			return;
		}
		p->source_port = udp->source;
		p->destination_port = udp->dest;
	} else if (p->protocol == (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		__u8 *icmp = transport;

		if ((void *)(icmp + ICMP_HEADER) > data_end) {
			p->defect = SYM_R_TRUNCATED;
			return;
		}
		p->icmp_type = icmp[0];
		p->icmp_code = icmp[1];
		p->echo_id = *(__be16 *)(icmp + 4);
	}
}

static __always_inline void parse_ipv4(struct __sk_buff *skb, struct sym_packet *p, struct iphdr *ip, void *data_end)
{
	__u16 fragment = bpf_ntohs(ip->frag_off);

	p->family = 4;
	p->protocol = ip->protocol;
	p->hop_limit = ip->ttl;
	map_ipv4(&p->source, ip->saddr);
	map_ipv4(&p->destination, ip->daddr);
	p->transport = ETH_HLEN + ip->ihl * 4;
	/* Segments joined to more than 64 KiB have no length. */
	p->end = ip->tot_len ? ETH_HLEN + bpf_ntohs(ip->tot_len) : skb->len;
	if (p->end > skb->len || p->end < p->transport || ip->ihl < 5) {
		p->defect = SYM_R_TRUNCATED;
		p->unseen = 1;
	} else if (fragment & IPV4_FRAGMENT || ip->ihl != 5) {
		p->defect = fragment & IPV4_FRAGMENT ? SYM_R_FRAGMENT : SYM_R_IP_OPTIONS;
		if (!(fragment & IPV4_OFFSET))
			parse_transport_at(skb, p);
	} else {
		parse_transport(p, ip + 1, data_end);
	}
}

static __always_inline void parse_ipv6(struct __sk_buff *skb, struct sym_packet *p, struct ipv6hdr *ip, void *data_end)
{
	p->family = 6;
	p->protocol = ip->nexthdr;
	p->hop_limit = ip->hop_limit;
	copy_address(&p->source, ip->saddr.in6_u.u6_addr32);
	copy_address(&p->destination, ip->daddr.in6_u.u6_addr32);
	p->transport = ETH_HLEN + sizeof(*ip);
	p->end = ip->payload_len ? p->transport + bpf_ntohs(ip->payload_len) : skb->len;
	if (p->end > skb->len) {
		p->defect = SYM_R_TRUNCATED;
		p->unseen = 1;
		return;
	}
	switch (p->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
		walk_extensions(skb, p);
		break;
	default:
		parse_transport(p, ip + 1, data_end);
	}
	if (is_mapped_ipv4(&p->source) || is_mapped_ipv4(&p->destination))
		p->defect = SYM_R_MAPPED_ADDRESS;
}

/* How many bytes of headers are to be in line. */
static __always_inline __u32 headers_wanted(const struct __sk_buff *skb)
{
	const void *data_end = (void *)(long)skb->data_end;
	const struct ethhdr *eth = (void *)(long)skb->data;
	__u32 wanted = SYM_HEADERS_IPV6;

	if ((void *)(eth + 1) <= data_end && eth->h_proto == bpf_htons(ETH_P_IP))
		wanted = SYM_HEADERS_IPV4;
	return skb->len < wanted ? skb->len : wanted;
}

/* `p` is zeroed by the caller. Leaves direct pointers into the packet invalid. */
static __always_inline enum sym_layer parse_packet(struct __sk_buff *skb, struct sym_packet *p)
{
	void *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;
	__u32 wanted = headers_wanted(skb);
	struct ethhdr *eth;

	if (data + wanted > data_end) {
		bpf_skb_pull_data(skb, wanted);
		data = (void *)(long)skb->data;
		data_end = (void *)(long)skb->data_end;
	}
	eth = data;
	if ((void *)(eth + 1) > data_end || skb->vlan_present)
		return SYM_LAYER_OTHER;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > data_end || ip->version != 4)
			return SYM_LAYER_OTHER;
		parse_ipv4(skb, p, ip, data_end);
		return SYM_LAYER_IP;
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > data_end || ip->version != 6)
			return SYM_LAYER_OTHER;
		parse_ipv6(skb, p, ip, data_end);
		return SYM_LAYER_IP;
	}
	return eth->h_proto == bpf_htons(ETH_P_ARP) ? SYM_LAYER_ARP : SYM_LAYER_OTHER;
}

static __always_inline int has_priority_tag(struct __sk_buff *skb)
{
	return skb->vlan_present && !(skb->vlan_tci & VLAN_ID);
}

/* At an ingress. A tag without VLAN (IEEE 802.1Q: priority) says nothing about where a packet belongs: the kernel takes it off behind the gate, and
 * what is in it is the interface's own. */
static __always_inline enum sym_layer parse_arriving(struct __sk_buff *skb, struct sym_packet *p)
{
	enum sym_layer layer;

	for (int i = 0; i < SYM_MAX_TAGS; i++)
		if (has_priority_tag(skb) && bpf_skb_vlan_pop(skb))
			return SYM_LAYER_HIDDEN;
	layer = parse_packet(skb, p);
	if (layer != SYM_LAYER_OTHER)
		return layer;
	if (has_priority_tag(skb))
		return SYM_LAYER_HIDDEN;
	return !skb->vlan_present && (skb->protocol == bpf_htons(ETH_P_IP) || skb->protocol == bpf_htons(ETH_P_IPV6)) ? SYM_LAYER_HIDDEN :
															SYM_LAYER_OTHER;
}
