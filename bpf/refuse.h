/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Refusals: the packet itself becomes the answer, a TCP reset or an ICMP error, and goes back to its sender. */
#pragma once
#include "counters.h"
#include "icmp.h"

#define SYM_ANSWERS_PER_SECOND 1000
#define SYM_ANSWERS_BURST 1000
#define ANSWER_HOP_LIMIT 64
#define ICMP_QUOTED (ICMP_HEADER)
#define NANOSECONDS 1000000000ULL

struct sym_bucket {
	__u64 filled;
	__u64 tokens;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sym_bucket);
} sym_answers SEC(".maps");

/* A token bucket for each CPU. */
static __always_inline int may_answer(__u64 now)
{
	__u32 row = 0;
	struct sym_bucket *bucket = bpf_map_lookup_elem(&sym_answers, &row);
	__u64 earned;

	if (!bucket)
		return 0;
	earned = (now - bucket->filled) / (NANOSECONDS / SYM_ANSWERS_PER_SECOND);
	if (earned) {
		bucket->tokens += earned;
		if (bucket->tokens > SYM_ANSWERS_BURST)
			bucket->tokens = SYM_ANSWERS_BURST;
		bucket->filled = now;
	}
	if (!bucket->tokens)
		return 0;
	bucket->tokens--;
	return 1;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Both addresses, protocol and length (RFC 8200 section 8.1). The IPv4-mapped prefix adds 0xffff twice, which is nothing in this arithmetic. */
static __always_inline __u64 pseudo_header(const struct sym_packet *p, __u8 protocol, __u32 length)
{
	return (__u64)(__u32)bpf_csum_diff(NULL, 0, (__be32 *)p->source.words, 32, 0) + bpf_htons(protocol) + bpf_htons(length);
}

/* Whether the checksum is still to be filled in on the way out (CHECKSUM_PARTIAL: packets of this machine). The kernel does not say; but
 * bpf_l4_csum_replace leaves such a field alone. Spoils the field. */
static __always_inline int is_partial(struct __sk_buff *skb, __u32 at)
{
	__u16 probe = 0;

	if (bpf_skb_store_bytes(skb, at, &probe, sizeof(probe), 0))
		return 0;
	bpf_l4_csum_replace(skb, at, 0, 1, sizeof(probe));
	bpf_skb_load_bytes(skb, at, &probe, sizeof(probe));
	return probe == 0;
}

static __always_inline int resize(struct __sk_buff *skb, __u32 length)
{
	return bpf_skb_change_tail(skb, length, 0);
}

/* Makes the IP header that of an answer with so many bytes behind it. Addresses change places. */
static __noinline int answer_ip(struct __sk_buff *skb, const struct sym_packet *p, __u8 protocol, __u16 payload)
{
	if (p->family == 4) {
		struct iphdr ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = bpf_htons(sizeof(ip) + payload),
			.ttl = ANSWER_HOP_LIMIT,
			.protocol = protocol,
			.saddr = p->destination.words[3],
			.daddr = p->source.words[3],
		};

		ip.check = ~fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&ip, sizeof(ip), 0));
		return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
	}
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons(payload),
		.nexthdr = protocol,
		.hop_limit = ANSWER_HOP_LIMIT,
	};

	copy_address((union sym_address *)&ip.saddr, p->destination.words);
	copy_address((union sym_address *)&ip.daddr, p->source.words);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

/* RFC 9293 section 3.5.2: a reset for a segment with ACK takes its sequence number from there, else it acknowledges the segment. */
static __noinline int answer_tcp(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct tcphdr in, out = { .source = p->destination_port, .dest = p->source_port, .doff = sizeof(out) / 4, .rst = 1 };
	__u32 payload = p->end - p->transport - p->tcp_header;
	int partial;
	__u64 sum;

	if (bpf_skb_load_bytes(skb, p->transport, &in, sizeof(in)))
		return -1;
	partial = is_partial(skb, p->transport + TCP_CHECKSUM);
	if (in.ack) {
		out.seq = in.ack_seq;
	} else {
		out.ack = 1;
		out.ack_seq = bpf_htonl(bpf_ntohl(in.seq) + in.syn + in.fin + payload);
	}
	sum = pseudo_header(p, IPPROTO_TCP, sizeof(out));
	if (partial)
		out.check = fold(sum);
	else
		out.check = ~fold(sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&out, sizeof(out), 0));
	if (resize(skb, p->transport + sizeof(out)) || answer_ip(skb, p, IPPROTO_TCP, sizeof(out)))
		return -1;
	return bpf_skb_store_bytes(skb, p->transport, &out, sizeof(out), BPF_F_RECOMPUTE_CSUM);
}

/* Destination unreachable, with as much of the packet as RFC 792 asks for. */
struct sym_answer4 {
	__u8 type, code;
	__be16 checksum;
	__be16 unused[2];
	__u8 quote[sizeof(struct iphdr) + ICMP_QUOTED];
};

struct sym_answer6 {
	__u8 type, code;
	__be16 checksum;
	__be16 unused[2];
	__u8 quote[sizeof(struct ipv6hdr) + ICMP_QUOTED];
};

/* A partial UDP checksum will be written where UDP has its field: into the error's unused bytes. Left to itself there, with zero where ICMP has its own
 * field, it makes the message's sum what it has to be. */
static __noinline int answer_icmp4(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct sym_answer4 out = { .type = ICMP4_UNREACHABLE, .code = ICMP4_ADMIN_PROHIBITED };

	if (bpf_skb_load_bytes(skb, ETH_HLEN, out.quote, sizeof(out.quote)))
		return -1;
	if (!is_partial(skb, p->transport + UDP_CHECKSUM))
		out.checksum = ~fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&out, sizeof(out), 0));
	if (resize(skb, p->transport + sizeof(out)) || answer_ip(skb, p, IPPROTO_ICMP, sizeof(out)))
		return -1;
	return bpf_skb_store_bytes(skb, p->transport, &out, sizeof(out), BPF_F_RECOMPUTE_CSUM);
}

static __noinline int answer_icmp6(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct sym_answer6 out = { .type = ICMP6_UNREACHABLE, .code = ICMP6_ADMIN_PROHIBITED };
	__u64 sum = pseudo_header(p, IPPROTO_ICMPV6, sizeof(out));

	if (bpf_skb_load_bytes(skb, ETH_HLEN, out.quote, sizeof(out.quote)))
		return -1;
	if (is_partial(skb, p->transport + UDP_CHECKSUM))
		out.unused[1] = fold(sum);
	else
		out.checksum = ~fold(sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&out, sizeof(out), 0));
	if (resize(skb, p->transport + sizeof(out)) || answer_ip(skb, p, IPPROTO_ICMPV6, sizeof(out)))
		return -1;
	return bpf_skb_store_bytes(skb, p->transport, &out, sizeof(out), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int make_answer(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return answer_tcp(skb, p);
	return p->family == 4 ? answer_icmp4(skb, p) : answer_icmp6(skb, p);
}

/* RFC 1122 section 3.2.2: never about errors, nor to or about more than one host. */
static __always_inline int is_answerable(const struct sym_packet *p)
{
	if (is_multicast(&p->destination) || is_multicast(&p->source) || is_unspecified(&p->source))
		return 0;
	if (p->protocol == IPPROTO_TCP)
		return !(p->tcp_flags & TCP_RST);
	return p->protocol == IPPROTO_UDP || (is_icmp(p) && is_echo_request(p));
}

enum sym_way {
	SYM_WAY_BACK, /* out of the interface by which it came: the MAC addresses change places */
	SYM_WAY_ROUTED, /* to a neighbour behind the interface */
};

/* Answers and returns the hook's code. `ifindex`: where the sender is. */
static __noinline int refuse(struct __sk_buff *skb, const struct sym_packet *p, __u32 ifindex, __u32 way)
{
	__u8 macs[2 * ETH_ALEN], back[2 * ETH_ALEN];

	if (!is_answerable(p))
		return SYM_TCX_DROP;
	if (!may_answer(bpf_ktime_get_ns())) {
		count(SYM_R_SENT_LIMITED);
		return SYM_TCX_DROP;
	}
	if (bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)) || make_answer(skb, p)) {
		count(SYM_R_FAILED);
		return SYM_TCX_DROP;
	}
	count(p->protocol == IPPROTO_TCP ? SYM_R_SENT_RST : SYM_R_SENT_ICMP);
	if (way == SYM_WAY_ROUTED)
		return bpf_redirect_neigh(ifindex, NULL, 0, 0);
	__builtin_memcpy(back, macs + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(back + ETH_ALEN, macs, ETH_ALEN);
	bpf_skb_store_bytes(skb, 0, back, sizeof(back), 0);
	return bpf_redirect(ifindex, 0);
}
