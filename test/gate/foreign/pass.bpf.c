/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What many an older tc program ends with: TC_ACT_OK, which at a tcx hook ends the run of all programs. */
struct __sk_buff;

char LICENSE[] __attribute__((section("license"), used)) = "Dual BSD/GPL";

__attribute__((section("tc"), used)) int pass(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}
