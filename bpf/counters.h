/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of a packet: an action and the reason that is counted. A look-up returns a verdict; only a hook turns it into a TCX_* code. */
#pragma once
#include "tables.h"

enum sym_action {
	SYM_PASS = 0 << 8,
	SYM_HOLD = 1 << 8,
	SYM_DROP = 2 << 8,   /* in silence */
	SYM_REFUSE = 3 << 8, /* with an answer, where one can be given */
};

#define SYM_ACTION(verdict) ((verdict) & 0xff00)
#define SYM_REASON(verdict) ((verdict) & 0xff)

/* linux/bpf.h has these since 6.6. NEXT lets the interface's other programs decide. */
enum sym_tcx { SYM_TCX_NEXT = -1, SYM_TCX_DROP = 2 };

static __always_inline void count(__u32 reason)
{
	__u64 *packets = bpf_map_lookup_elem(&sym_counters, &reason);

	if (packets)
		(*packets)++;
}

static __always_inline int drop(__u32 reason)
{
	count(reason);
	return SYM_TCX_DROP;
}
