/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* First contact: the packet waits in the agent, behind the TAP. Its source MAC says meanwhile whose it is and where it was going; see maps.h. */
#pragma once
#include "counters.h"
#include "flow.h"
#include "owner.h"

#define SOURCE_MAC ETH_ALEN

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	for (int i = 0; i < ETH_ALEN; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

static __always_inline int load_cookie(struct __sk_buff *skb, struct sym_cookie *cookie)
{
	return bpf_skb_load_bytes(skb, SOURCE_MAC, cookie, sizeof(*cookie));
}

#define HOLD_WINDOW_BITS 27

/* Two CPUs may begin a window at once; some packets more or less are no matter. */
static __noinline int may_hold(__u32 endpoint)
{
	__u64 window = bpf_ktime_get_boot_ns() >> HOLD_WINDOW_BITS;
	struct sym_usage *usage = usage_of(endpoint);

	if (!usage)
		return 0;
	if (usage->hold_window != window) {
		usage->hold_window = window;
		usage->held = 0;
	}
	return __sync_fetch_and_add(&usage->held, 1) < SYM_HOLD_QUOTA;
}

/* Returns the hook's code. */
static __always_inline int hold(struct __sk_buff *skb, __u32 endpoint)
{
	struct sym_cookie cookie = { .endpoint = endpoint, .gate = skb->ifindex };

	if (!may_hold(endpoint))
		return drop(SYM_R_HOLD_QUOTA);
	if (skb->ifindex > SYM_MAX_GATE_IFINDEX || bpf_skb_store_bytes(skb, SOURCE_MAC, &cookie, sizeof(cookie), 0))
		return drop(SYM_R_FAILED);
	count(SYM_R_HELD);
	return bpf_redirect(tap_ifindex(), 0);
}

/* The endpoint of a frame that came back from the TAP to the gate it was held at, and its source MAC put right; 0 if it is none of ours. */
static __noinline __u32 take_back(struct __sk_buff *skb, const struct sym_packet *p)
{
	__u32 ifindex = skb->ifindex;
	struct sym_gate *gate = bpf_map_lookup_elem(&sym_gates, &ifindex);
	struct sym_cookie cookie;
	__u32 endpoint;

	if (!gate || load_cookie(skb, &cookie))
		return 0;
	endpoint = cookie.endpoint;
	if (cookie.gate != ifindex || !endpoint || owner_of_address(&p->source) != endpoint)
		return 0;
	return bpf_skb_store_bytes(skb, SOURCE_MAC, gate->mac, ETH_ALEN, 0) ? 0 : endpoint;
}

/* An answer to a frame that came back from the TAP has the source MAC that the kernel gave it: the interface's own. See from_tap(). */
static __always_inline int has_own_mac(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct sym_gate *gate = bpf_map_lookup_elem(&sym_gates, &ifindex);
	__u8 mac[ETH_ALEN];

	return gate && !bpf_skb_load_bytes(skb, SOURCE_MAC, mac, ETH_ALEN) && same_mac(mac, gate->mac);
}

/* What the agent writes: on to the gate that the cookie names. */
static __always_inline int from_tap(struct __sk_buff *skb)
{
	struct sym_cookie cookie;
	struct sym_gate *gate;
	__u32 ifindex, endpoint;

	if (load_cookie(skb, &cookie))
		return drop(SYM_R_COOKIE);
	ifindex = cookie.gate;
	endpoint = cookie.endpoint;
	gate = bpf_map_lookup_elem(&sym_gates, &ifindex);
	if (!gate || (gate->kind != SYM_UPLINK && gate->kind != SYM_WORKLOAD) || !interface_of(endpoint))
		return drop(SYM_R_COOKIE);
	if (same_mac((__u8 *)&cookie, gate->mac))
		return drop(SYM_R_COOKIE);
	count(SYM_R_RETURNED);
	return bpf_redirect(ifindex, 0);
}

/* Only what hold() put there reaches the agent: it came in by the interface of the workload that the cookie names. */
static __always_inline int to_tap(struct __sk_buff *skb)
{
	struct sym_cookie cookie;

	if (load_cookie(skb, &cookie) || !skb->ingress_ifindex || interface_of(cookie.endpoint) != skb->ingress_ifindex)
		return drop(SYM_R_FOREIGN_TAP);
	return SYM_TCX_NEXT;
}
