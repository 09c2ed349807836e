// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The balancer: parse -> VIP -> slot -> backend -> encapsulate -> count -> verdict.
 *
 * A packet reads the active word once and by that one generation of all tables; it writes its own
 * headers and three counters, and no memory per flow. See docs/dataplane.md.
 */
#include "bpf/datapath/maps.h"
#include "bpf/datapath/frame.h"
#include "bpf/datapath/vip.h"
#include "bpf/datapath/select.h"
#include "bpf/datapath/encap.h"
#include "bpf/datapath/count.h"

/* What becomes of the packet in the kernel, by verdict; EK_FORWARD leaves as *action says. */
static __always_inline int ek_leave(enum ek_verdict verdict, int action)
{
	if (likely(verdict == EK_FORWARD))
		return action;
	if (verdict == EK_PASS_NOT_IP || verdict == EK_PASS_NO_VIP || verdict == EK_PASS_UNREADABLE)
		return XDP_PASS;
	return XDP_DROP;
}

static __always_inline int ek_balance(struct xdp_md *ctx, __u32 active, bool counting)
{
	struct ek_packet pkt = {};
	struct ek_backend *backend;
	enum ek_verdict verdict;
	int action = XDP_DROP;
	struct ek_vip *vip;
	__u64 hash;

	verdict = ek_read_frame(ctx, &pkt);
	if (unlikely(verdict != EK_FORWARD)) {
		verdict = ek_judge_unfit(active, &pkt, verdict);
		goto out;
	}
	vip = ek_find_vip(active, &pkt);
	if (!vip) {
		verdict = EK_PASS_NO_VIP;
		goto out;
	}
	hash = ek_hash_packet(&pkt);
	verdict = ek_select_backend(vip, hash, &backend);
	if (likely(verdict == EK_FORWARD))
		verdict = ek_forward(ctx, &pkt, backend, hash, &action);
	if (counting && likely(verdict == EK_FORWARD))
		ek_count_forward(vip, backend, &pkt);
	else if (counting)
		ek_count_vip_drop(vip);
out:
	if (counting && unlikely(verdict != EK_FORWARD))
		ek_count_verdict(verdict);
	return ek_leave(verdict, action);
}

static __always_inline struct ek_control *ek_get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ek_control, &zero);
}

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
