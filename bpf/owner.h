/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which endpoint an interface or an address belongs to. 0 = none. */
#pragma once
#include "node.h"

static __always_inline __u32 owner_of(const struct sym_owner_key *key)
{
	__u32 *endpoint = bpf_map_lookup_elem(&sym_owner, key);

	return endpoint ? *endpoint : 0;
}

static __always_inline __u32 owner_of_interface(__u32 ifindex)
{
	struct sym_owner_key key = { .realm = SYM_REALM, .kind = SYM_BY_INTERFACE, .id.words = { ifindex } };

	return ifindex ? owner_of(&key) : 0;
}

static __always_inline __u32 owner_of_address(const union sym_address *address)
{
	struct sym_owner_key key = { .realm = SYM_REALM, .kind = SYM_BY_ADDRESS };

	copy_address(&key.id, address->words);
	return owner_of(&key);
}

/* An endpoint without a row counts as not attested: unknown means deny. No endpoint at all is not managed. */
static __always_inline __u32 mode_of(__u32 endpoint)
{
	struct sym_endpoint *row;

	if (!endpoint)
		return SYM_UNMANAGED;
	row = bpf_map_lookup_elem(&sym_endpoints, &endpoint);
	return row ? row->gate : SYM_UNATTESTED;
}

static __always_inline __u32 interface_of(__u32 endpoint)
{
	struct sym_endpoint *row = bpf_map_lookup_elem(&sym_endpoints, &endpoint);

	return row ? row->ifindex : 0;
}
