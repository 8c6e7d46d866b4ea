/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the checksum goes that is filled in only after the gate (CHECKSUM_PARTIAL), by the kernel or the interface. The sender says where: a workload
 * that may write raw packets can name its port, or the source address of IPv6, and would be somebody else behind the gate. */
#pragma once
#include <bpf/bpf_core_read.h>
#include "end.h"

#define CHECKSUM_PARTIAL 3

/* As much of the kernel's own struct as is read; libbpf finds the fields by their names. */
struct sk_buff {
	unsigned char *head;
	unsigned char *data;
	__u16 csum_start; /* from head */
	__u16 csum_offset;
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *context) __ksym;

/* Whether what the gate has read may be overwritten yet: addresses, and of TCP, UDP and ICMP their header. Behind that, as SCTP's and in packets within
 * packets, the checksum may be anywhere. */
static __always_inline int checksum_goes_astray(struct __sk_buff *skb, const struct sym_packet *p)
{
	struct sk_buff *kernel_skb = bpf_cast_to_kern_ctx(skb);
	__u64 field;

	if (BPF_CORE_READ_BITFIELD(kernel_skb, ip_summed) != CHECKSUM_PARTIAL)
		return 0;
	field = (__u64)kernel_skb->head + kernel_skb->csum_start + kernel_skb->csum_offset - (__u64)kernel_skb->data;
	if (p->protocol == IPPROTO_TCP && field == p->transport + TCP_CHECKSUM)
		return 0;
	if (p->protocol == IPPROTO_UDP && field == p->transport + UDP_CHECKSUM)
		return 0;
	return (__s64)field < p->transport + (__s64)(has_ports(p->protocol) || is_icmp(p) ? sizeof(struct tcphdr) : 0);
}
