/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pipeline: parse -> VIP -> source rules -> slot -> backend -> encapsulate -> count -> verdict.
 *
 * A packet reads the active word once and by that one generation of all tables; it writes its own
 * headers and three counters, and no memory per flow unless its slot is changing hands. What is not
 * a whole, untagged TCP or UDP packet leaves this path at once, for ek_balance_special. See
 * docs/dataplane.md.
 *
 * The ek_note_ calls are empty but in the capture build (bpf/datapath/capture.h).
 */
#ifndef EK_DATAPATH_BALANCE_H
#define EK_DATAPATH_BALANCE_H

#include "bpf/datapath/maps.h"
#include "bpf/datapath/frame.h"
#include "bpf/datapath/vip.h"
#include "bpf/datapath/source.h"
#include "bpf/datapath/icmp.h"
#include "bpf/datapath/frag.h"
#include "bpf/datapath/select.h"
#include "bpf/datapath/encap.h"
#include "bpf/datapath/too_big.h"
#include "bpf/datapath/count.h"
#include "bpf/datapath/capture.h"

/* What becomes of the packet in the kernel, by verdict; EK_FORWARD leaves as *action says. */
static __always_inline int ek_leave(enum ek_verdict verdict, int action)
{
	if (likely(verdict == EK_FORWARD))
		return action;
	if (verdict == EK_REPLY_ECHO || verdict == EK_REPLY_TOO_BIG)
		return XDP_TX;
	if (verdict == EK_PASS_NOT_IP || verdict == EK_PASS_NO_VIP || verdict == EK_PASS_UNREADABLE)
		return XDP_PASS;
	return XDP_DROP;
}

/* Slot -> backend -> encapsulate. */
static __always_inline enum ek_verdict ek_send(struct xdp_md *ctx, struct ek_vip *vip,
					       struct ek_packet *pkt, bool counting, int *action)
{
	struct ek_backend *backend;
	enum ek_verdict verdict;
	__u64 hash;

	hash = ek_hash_packet(ctx, pkt, vip->flags);
	verdict = ek_select_backend(ctx, vip, hash, pkt, counting, &backend);
	ek_note_slot(hash, vip);
	if (likely(verdict == EK_FORWARD)) {
		ek_note_backend(ctx, backend);
		verdict = ek_forward(ctx, pkt, backend, hash, vip->flags, action);
	}
	if (unlikely(verdict == EK_DROP_TOO_BIG) && !pkt->is_error)
		verdict =
		    ek_reply_too_big(ctx, pkt->version, pkt->tag_len, ek_inner_mtu(pkt, backend));
	if (counting && likely(verdict == EK_FORWARD))
		ek_count_forward(vip, backend, pkt);
	return verdict;
}

/* VIP -> source rules -> slot -> backend -> encapsulate -> count, for a packet whose flow is known.
 */
static __always_inline enum ek_verdict ek_deliver(struct xdp_md *ctx, struct ek_vip *vip,
						  struct ek_packet *pkt, bool counting, int *action)
{
	enum ek_verdict verdict;

	if (!vip)
		return EK_PASS_NO_VIP;
	ek_note_vip(ctx, vip);
	verdict = ek_check_source(ctx, vip, pkt, counting);
	if (likely(verdict == EK_FORWARD))
		verdict = ek_send(ctx, vip, pkt, counting, action);
	if (counting && unlikely(verdict != EK_FORWARD))
		ek_count_vip_drop(vip);
	return verdict;
}

static __always_inline int ek_finish(struct xdp_md *ctx, enum ek_verdict verdict, bool counting,
				     int action)
{
	ek_note_leaving(ctx, verdict, counting);
	if (counting && unlikely(verdict != EK_FORWARD))
		ek_count_verdict(verdict);
	return ek_leave(verdict, action);
}

/*
 * All but whole, untagged TCP and UDP packets. A function of its own that reads the frame again,
 * so that the others pay nothing for it.
 */
static __noinline int ek_balance_special(struct xdp_md *ctx, __u32 active, bool counting)
{
	struct ek_packet pkt = {};
	int action = XDP_DROP;
	enum ek_verdict verdict = ek_read_frame(ctx, &pkt, true);

	if (verdict == EK_PASS_NO_VIP)
		verdict = ek_handle_icmp(ctx, active, &pkt, counting);
	else if (verdict == EK_DROP_FRAGMENT)
		verdict = ek_handle_fragment(ctx, active, &pkt, counting);
	if (verdict == EK_FORWARD)
		verdict = ek_deliver(
		    ctx, pkt.orphan ? ek_find_address(active, &pkt) : ek_find_vip(active, &pkt),
		    &pkt, counting, &action);
	else
		verdict = ek_judge_unfit(active, &pkt, verdict);
	return ek_finish(ctx, verdict, counting, action);
}

static __always_inline int ek_balance(struct xdp_md *ctx, __u32 active, bool counting)
{
	struct ek_packet pkt = {};
	int action = XDP_DROP;
	enum ek_verdict verdict;

	if (unlikely(ek_read_frame(ctx, &pkt, false) != EK_FORWARD))
		return EK_GO_SPECIAL(ctx, active, counting);
	verdict = ek_deliver(ctx, ek_find_vip(active, &pkt), &pkt, counting, &action);
	return ek_finish(ctx, verdict, counting, action);
}

static __always_inline struct ek_control *ek_get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ek_control, &zero);
}

#endif /* EK_DATAPATH_BALANCE_H */
