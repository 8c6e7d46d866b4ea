/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet as one local workload, its sender or its receiver, has to do with it. A packet between two workloads of one node is gated for both. */
#pragma once
#include "icmp.h"
#include "owner.h"

struct sym_end {
	struct sym_flow_key key; /* the packet's flow, from this end's side */
	__u32 endpoint;
	__u32 mode;         /* enum sym_gate_mode */
	__u32 ifindex;      /* of this end; 0 = any, where nothing can be wrong about it */
	__u32 peer_ifindex; /* of the other end if that is on this node, else 0 */
	__u8 sends;         /* this end is the packet's sender */
	__u8 returned;      /* the packet comes back from the TAP: it is not held again */
	__u8 pad[6];
	__u64 now;
};

/* Echo flows have the identifier at the client's end: so two hosts may ping each other with the same one. */
static __always_inline void set_flow_key(struct sym_flow_key *key, const struct sym_packet *p, int sends)
{
	__be16 source_port = p->source_port, destination_port = p->destination_port;

	if (is_echo(p)) {
		source_port = is_echo_request(p) ? p->echo_id : 0;
		destination_port = is_echo_request(p) ? 0 : p->echo_id;
	}
	key->realm = SYM_REALM;
	copy_address(&key->local, sends ? p->source.words : p->destination.words);
	copy_address(&key->remote, sends ? p->destination.words : p->source.words);
	key->local_port = sends ? source_port : destination_port;
	key->remote_port = sends ? destination_port : source_port;
	key->protocol = p->protocol;
}

/* TCP, UDP and echo have flows; everything else is gated packet by packet. */
static __always_inline int has_flow(const struct sym_packet *p)
{
	return p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP || is_echo(p);
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* Only a client sends these, whatever flow there may be. */
static __always_inline int is_opening(const struct sym_packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	return is_echo(p) && is_echo_request(p);
}

/* May open a flow: a datagram does when it belongs to none. */
static __always_inline int may_open(const struct sym_packet *p)
{
	return p->protocol == IPPROTO_UDP || is_opening(p);
}
