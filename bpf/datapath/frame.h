/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_DATAPATH_FRAME_H
#define EK_DATAPATH_FRAME_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/parse.h"

/* Parses the frame and checks that it holds the whole IP packet. */
static __always_inline enum ek_verdict ek_read_frame(struct xdp_md *ctx, struct ek_packet *pkt,
						     bool with_tags)
{
	struct ek_cursor cur = {
	    .pos = (void *)(long)ctx->data,
	    .end = (void *)(long)ctx->data_end,
	};
	__u32 linear = ctx->data_end - ctx->data;
	enum ek_verdict verdict = ek_parse(&cur, pkt, with_tags);

	if (verdict != EK_FORWARD || likely(ek_frame_holds(pkt, linear)))
		return verdict;
	/* A multi-buffer frame: data_end is the end of its first buffer only. */
	if (ek_frame_holds(pkt, (__u32)bpf_xdp_get_buff_len(ctx)))
		return verdict;
	return EK_DROP_L3_LENGTH;
}

#endif /* EK_DATAPATH_FRAME_H */
