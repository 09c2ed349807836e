// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The balancer: the pipeline of bpf/datapath/balance.h, on the generation that packets use. */
#include "bpf/datapath/balance.h"

SEC("xdp.frags")
int ek_balancer(struct xdp_md *ctx)
{
	struct ek_control *control = ek_get_control();

	return ek_balance(ctx, control ? READ_ONCE(control->active) : EK_ACTIVE_NONE, true);
}

/* The same pipeline over the staged generation, for the publisher's probes. Counts nothing. */
SEC("xdp.frags")
int ek_verify(struct xdp_md *ctx)
{
	struct ek_control *control = ek_get_control();

	return ek_balance(ctx, control ? READ_ONCE(control->staged) : EK_ACTIVE_NONE, false);
}

char _license[] SEC("license") = "Dual BSD/GPL";
