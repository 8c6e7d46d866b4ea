/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The gate's programs. Only here do verdicts become TCX codes. Which program sits where:
 *   sym_up_out, sym_up_in   tcx egress and ingress of the node's uplinks
 *   sym_wl_in, sym_wl_out   tcx ingress (packets from) and egress (packets to) of a workload's host-side interface
 *   sym_tap_in, sym_tap_out tcx ingress (what the agent writes) and egress (what it reads) of the TAP
 *   sym_sweep               run by the agent from time to time
 * The metadata that user space can set, such as skb->mark, is never asked. skb->ingress_ifindex is the kernel's own. */
#include "checksum.h"
#include "decide.h"
#include "hold.h"
#include "refuse.h"
#include "sender.h"
#include "source.h"
#include "sweep.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void set_end(struct sym_end *end, const struct sym_packet *p, int sends, __u32 ifindex, __u32 peer_ifindex)
{
	set_flow_key(&end->key, p, sends);
	end->sends = sends;
	end->ifindex = ifindex;
	end->peer_ifindex = peer_ifindex;
}

/* Most packets: of a live flow. What is not is looked at in full. */
static __always_inline int is_in_flow(const struct sym_packet *p, const struct sym_end *end)
{
	return !p->defect && has_flow(p) && !is_opening(p) && flow_state(p, end) == FLOW_LIVE;
}

static __always_inline int passed(__u32 reason)
{
	if (reason)
		count(reason);
	return SYM_TCX_NEXT;
}

/* `sender_ifindex`: where a refusal goes to; 0 = nowhere. */
static __always_inline int conclude(struct __sk_buff *skb, const struct sym_packet *p, int verdict, __u32 endpoint, __u32 sender_ifindex, __u32 way)
{
	switch (SYM_ACTION(verdict)) {
	case SYM_PASS:
		return passed(SYM_REASON(verdict));
	case SYM_HOLD:
		return hold(skb, endpoint);
	case SYM_REFUSE:
		if (sender_ifindex) {
			count(SYM_REASON(verdict));
			return refuse(skb, p, sender_ifindex, way);
		}
		return drop(SYM_REASON(verdict));
	default:
		return drop(SYM_REASON(verdict));
	}
}

/* Frames that are neither IP nor ARP. */
static __always_inline int other_layer(struct __sk_buff *skb, __u32 ifindex)
{
	if (mode_of(owner_of_interface(ifindex)) == SYM_UNMANAGED)
		return SYM_TCX_NEXT;
	return drop(skb->vlan_present || skb->protocol == bpf_htons(ETH_P_8021Q) || skb->protocol == bpf_htons(ETH_P_8021AD) ? SYM_R_VLAN :
															       SYM_R_ETHERTYPE);
}

/* Nobody's, managed or not: what cannot be read might have any source. */
static __always_inline int hidden(struct __sk_buff *skb)
{
	return drop(skb->vlan_present ? SYM_R_VLAN : SYM_R_TRUNCATED);
}

SEC("tc")
int sym_up_out(struct __sk_buff *skb)
{
	struct sym_packet p = {};
	struct sym_end end = {};
	enum sym_layer layer = parse_packet(skb, &p);
	int verdict;

	if (layer != SYM_LAYER_IP)
		return skb->ingress_ifindex && skb->ingress_ifindex == tap_ifindex() ? drop(SYM_R_COOKIE) :
											other_layer(skb, skb->ingress_ifindex);
	/* What sym_up_in has refused. */
	if (skb->ingress_ifindex == skb->ifindex && is_refusal(&p))
		return SYM_TCX_NEXT;
	end.now = bpf_ktime_get_boot_ns();
	set_end(&end, &p, 1, skb->ingress_ifindex, 0);
	if (end.ifindex && is_in_flow(&p, &end))
		return passed(SYM_R_PASSED_FLOW);
	verdict = find_sender(skb, &p, &end);
	/* A workload that was here a moment ago: what is for it would now go to whoever answers beyond the uplink. */
	if (SYM_ACTION(verdict) == SYM_PASS && end.mode != SYM_UNMANAGED && in_local_prefix(&p.destination))
		return drop(SYM_R_UNATTESTED);
	if (SYM_ACTION(verdict) == SYM_PASS)
		verdict = gate_sender(skb, &p, &end);
	return conclude(skb, &p, verdict, end.endpoint, end.ifindex, SYM_WAY_ROUTED);
}

/* To the node itself: only agents may speak to the agent. */
static __always_inline int to_node(const struct sym_packet *p)
{
	struct sym_node *node = this_node();

	if (p->unseen)
		return drop(p->defect);
	if (p->protocol != IPPROTO_TCP || !node || p->destination_port != node->agent_port || !node->agent_port)
		return SYM_TCX_NEXT;
	return bpf_map_lookup_elem(&sym_peers, &p->source) ? SYM_TCX_NEXT : drop(SYM_R_NOT_A_PEER);
}

SEC("tc")
int sym_up_in(struct __sk_buff *skb)
{
	struct sym_packet p = {};
	struct sym_end end = {};
	enum sym_layer layer;
	int verdict;

	layer = parse_arriving(skb, &p);
	if (layer == SYM_LAYER_HIDDEN)
		return hidden(skb);
	if (layer != SYM_LAYER_IP)
		return SYM_TCX_NEXT;
	end.now = bpf_ktime_get_boot_ns();
	set_end(&end, &p, 0, 0, 0);
	if (is_in_flow(&p, &end))
		return passed(SYM_R_PASSED_FLOW);
	set_endpoint(&end, owner_of_address(&p.destination));
	if (!end.endpoint) {
		if (is_node_address(&p.destination))
			return to_node(&p);
		return in_local_prefix(&p.destination) ? drop(SYM_R_UNATTESTED) : SYM_TCX_NEXT;
	}
	end.ifindex = interface_of(end.endpoint);
	if (end.mode != SYM_UNMANAGED && owner_of_address(&p.source))
		return drop(SYM_R_SPOOFED_SOURCE);
	verdict = gate_receiver(skb, &p, &end);
	return conclude(skb, &p, verdict, end.endpoint, skb->ifindex, SYM_WAY_BACK);
}

SEC("tc")
int sym_wl_in(struct __sk_buff *skb)
{
	struct sym_packet p = {};
	struct sym_end end = {};
	struct sym_flow *flow;
	enum sym_layer layer = parse_arriving(skb, &p);

	if (layer == SYM_LAYER_ARP)
		return SYM_TCX_NEXT;
	if (layer == SYM_LAYER_HIDDEN)
		return hidden(skb);
	if (layer != SYM_LAYER_IP)
		return other_layer(skb, skb->ifindex);
	if (checksum_goes_astray(skb, &p))
		return drop(SYM_R_CHECKSUM);
	set_end(&end, &p, 1, skb->ifindex, 0);
	if (!p.defect && has_flow(&p)) {
		/* Opened from here, so the source is right. Whether it still lives is asked on the way out. */
		flow = bpf_map_lookup_elem(&sym_flows, &end.key);
		if (flow && flow->ifindex == end.ifindex && !(flow->flags & SYM_FLOW_FREE))
			return SYM_TCX_NEXT;
	}
	end.now = bpf_ktime_get_boot_ns();
	set_endpoint(&end, owner_of_interface(skb->ifindex));
	return conclude(skb, &p, check_source(skb, &p, &end), end.endpoint, skb->ifindex, SYM_WAY_BACK);
}

/* The receiving end of a packet to the workload behind this interface, whatever the packet went through since the uplink. `peer_ifindex` 0: it came in by
 * an uplink, and nobody beyond has an address of ours, also behind address translation. */
static __always_inline int receive(struct __sk_buff *skb, struct sym_packet *p, struct sym_end *end, __u32 peer_ifindex)
{
	set_end(end, p, 0, skb->ifindex, peer_ifindex);
	if (is_in_flow(p, end))
		return VERDICT(SYM_PASS, SYM_R_PASSED_FLOW);
	set_endpoint(end, owner_of_interface(skb->ifindex));
	if (!peer_ifindex && end->mode != SYM_UNMANAGED && owner_of_address(&p->source))
		return VERDICT(SYM_DROP, SYM_R_SPOOFED_SOURCE);
	return gate_receiver(skb, p, end);
}

/* The sending end of a packet from another workload of this node. */
static __always_inline int send_on_node(struct __sk_buff *skb, struct sym_packet *p, struct sym_end *end)
{
	int verdict;

	set_end(end, p, 1, skb->ingress_ifindex, skb->ifindex);
	if (is_in_flow(p, end))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	verdict = find_sender(skb, p, end);
	if (SYM_ACTION(verdict) != SYM_PASS)
		return verdict;
	return gate_sender(skb, p, end);
}

/* The node itself has no identity: it may do what keeps the link working, tell of errors, and answer what an `inbound` workload has asked. */
static __noinline int receive_from_node(struct __sk_buff *skb, const struct sym_packet *p, struct sym_end *end)
{
	set_end(end, p, 0, skb->ifindex, 0);
	set_endpoint(end, owner_of_interface(skb->ifindex));
	if (end->mode == SYM_UNMANAGED || is_neighbour_traffic(p, 0))
		return VERDICT(SYM_PASS, SYM_R_NONE);
	if (end->mode == SYM_UNATTESTED || p->defect)
		return VERDICT(SYM_DROP, SYM_R_FROM_NODE);
	if (is_icmp_error(p) && (quotes_live_flow(skb, p, end) || (is_node_address(&p->source) && quotes_packet_of_receiver(skb, p))))
		return VERDICT(SYM_PASS, SYM_R_PASSED_OTHER);
	if (end->mode == SYM_INBOUND && has_flow(p) && !is_opening(p) && is_node_address(&p->source) && flow_state(p, end) == FLOW_UNPROVEN)
		return VERDICT(SYM_PASS, SYM_R_PASSED_FLOW);
	return VERDICT(SYM_DROP, SYM_R_FROM_NODE);
}

/* Back to where it came from, or from an interface that has no gate: nothing but a refusal of ours. */
static __always_inline int receive_hairpin(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (is_refusal(p) || mode_of(owner_of_interface(skb->ifindex)) == SYM_UNMANAGED)
		return SYM_TCX_NEXT;
	return drop(SYM_R_NOT_HAIRPIN);
}

static __always_inline int receive_from_elsewhere(struct __sk_buff *skb, const struct sym_packet *p)
{
	if (mode_of(owner_of_interface(skb->ifindex)) != SYM_UNMANAGED || in_local_prefix(&p->source))
		return drop(SYM_R_UNKNOWN_INTERFACE);
	return SYM_TCX_NEXT;
}

SEC("tc")
int sym_wl_out(struct __sk_buff *skb)
{
	struct sym_packet p = {};
	struct sym_end end = {};
	enum sym_layer layer = parse_packet(skb, &p);
	__u32 kind;
	int verdict;

	if (layer == SYM_LAYER_ARP)
		return SYM_TCX_NEXT;
	if (layer != SYM_LAYER_IP)
		return other_layer(skb, skb->ifindex);
	end.now = bpf_ktime_get_boot_ns();
	if (!skb->ingress_ifindex)
		return conclude(skb, &p, receive_from_node(skb, &p, &end), 0, 0, 0);
	kind = gate_kind(skb->ingress_ifindex);
	if (kind == SYM_UPLINK)
		return conclude(skb, &p, receive(skb, &p, &end, 0), 0, 0, 0);
	if (!kind)
		return receive_from_elsewhere(skb, &p);
	if (skb->ingress_ifindex == skb->ifindex || (kind == SYM_TAP && has_own_mac(skb)))
		return receive_hairpin(skb, &p);
	verdict = send_on_node(skb, &p, &end);
	if (SYM_ACTION(verdict) == SYM_PASS)
		verdict = receive(skb, &p, &end, end.ifindex);
	else
		return conclude(skb, &p, verdict, end.endpoint, end.ifindex, SYM_WAY_ROUTED);
	return conclude(skb, &p, verdict, end.endpoint, end.peer_ifindex, SYM_WAY_ROUTED);
}

SEC("tc")
int sym_tap_in(struct __sk_buff *skb)
{
	return from_tap(skb);
}

SEC("tc")
int sym_tap_out(struct __sk_buff *skb)
{
	return to_tap(skb);
}

SEC("syscall")
int sym_sweep(struct sym_sweep_args *args)
{
	return sweep(args);
}
