/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent has told the gate about the node: its heartbeat, interfaces, addresses and the node directory. */
#pragma once
#include "parse.h"
#include "tables.h"

static __always_inline struct sym_node *this_node(void)
{
	__u32 row = 0;

	return bpf_map_lookup_elem(&sym_node_conf, &row);
}

static __always_inline int agent_alive(__u64 now)
{
	struct sym_node *node = this_node();

	return node && node->tap_ifindex && now < node->alive_until;
}

static __always_inline __u32 tap_ifindex(void)
{
	struct sym_node *node = this_node();

	return node ? node->tap_ifindex : 0;
}

/* enum sym_gate_kind, or 0 for an interface without gate. */
static __always_inline __u32 gate_kind(__u32 ifindex)
{
	struct sym_gate *gate = bpf_map_lookup_elem(&sym_gates, &ifindex);

	return gate ? gate->kind : 0;
}

static __always_inline struct sym_prefix *directory_entry(const union sym_address *address)
{
	struct sym_prefix_key key = { .bits = 128 };

	copy_address(&key.address, address->words);
	return bpf_map_lookup_elem(&sym_prefixes, &key);
}

static __always_inline int in_directory(const union sym_address *address)
{
	return directory_entry(address) != NULL;
}

static __always_inline int in_local_prefix(const union sym_address *address)
{
	struct sym_prefix *prefix = directory_entry(address);

	return prefix && prefix->local;
}

static __always_inline int is_node_address(const union sym_address *address)
{
	return bpf_map_lookup_elem(&sym_local, address) != NULL;
}

static __always_inline int is_link_local(const union sym_address *address)
{
	if (is_mapped_ipv4(address))
		return (address->words[3] & bpf_htonl(0xffff0000)) == bpf_htonl(0xa9fe0000);
	return (address->words[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline int is_unspecified(const union sym_address *address)
{
	return !address->words[0] && !address->words[1] && !address->words[3] && (!address->words[2] || address->words[2] == bpf_htonl(0xffff));
}

/* Multicast or limited broadcast. */
static __always_inline int is_multicast(const union sym_address *address)
{
	if (is_mapped_ipv4(address))
		return (address->words[3] & bpf_htonl(0xe0000000)) == bpf_htonl(0xe0000000);
	return (address->words[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}
