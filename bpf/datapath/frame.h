/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_DATAPATH_FRAME_H
#define EK_DATAPATH_FRAME_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/parse.h"

/* Also of a multi-buffer frame, whose data_end is the end of its first buffer only. */
static __always_inline bool ek_holds_packet(struct xdp_md *ctx, const struct ek_packet *pkt)
{
	return likely(ek_frame_holds(pkt, ctx->data_end - ctx->data)) ||
	       ek_frame_holds(pkt, (__u32)bpf_xdp_get_buff_len(ctx));
}

/* Parses the frame and checks that it holds the whole IP packet. */
static __always_inline enum ek_verdict ek_read_frame(struct xdp_md *ctx, struct ek_packet *pkt,
						     bool with_tags)
{
	struct ek_cursor cur = {
	    .pos = (void *)(long)ctx->data,
	    .end = (void *)(long)ctx->data_end,
	};
	enum ek_verdict verdict = ek_parse(&cur, pkt, with_tags);

	if (verdict != EK_FORWARD || ek_holds_packet(ctx, pkt))
		return verdict;
	return EK_DROP_L3_LENGTH;
}

#endif /* EK_DATAPATH_FRAME_H */
