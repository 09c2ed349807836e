// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The same pipeline, which copies packets on their way: takes the balancer's place under the links
 * while somebody listens, over the same maps. See docs/adr/0051-capture.md.
 */
#define EK_CAPTURE
#include "bpf/datapath/balance.h"

static __noinline int ek_balance_plain(struct xdp_md *ctx, __u32 active)
{
	return ek_balance(ctx, active, true);
}

/* The name is the balancer's: who traces that one finds this one. */
SEC("xdp.frags")
int ek_balancer(struct xdp_md *ctx)
{
	struct ek_control *control = ek_get_control();
	__u32 active = control ? READ_ONCE(control->active) : EK_ACTIVE_NONE;
	int action;

	ek_note_arrival(ctx, active);
	action = ek_balance_plain(ctx, active);
	return action == EK_SPECIAL ? ek_balance_special(ctx, active, true) : action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
