/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters. A missing one never changes what becomes of the packet. */
#ifndef EK_DATAPATH_COUNT_H
#define EK_DATAPATH_COUNT_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/packet.h"

static __always_inline void ek_add_packet(struct ek_counter *counter, const struct ek_packet *pkt)
{
	counter->packets++;
	counter->bytes += pkt->ip_len;
	if (unlikely(ek_opens_flow(pkt->flags)))
		counter->new_flows++;
}

/* Every verdict but EK_FORWARD, which ek_count_forward counts. */
static __always_inline void ek_count_verdict(enum ek_verdict verdict)
{
	__u32 index = verdict;
	__u64 *packets = bpf_map_lookup_elem(&ek_verdicts, &index);

	if (packets)
		(*packets)++;
}

static __always_inline void ek_count_forward(const struct ek_vip *vip, const struct ek_backend *be,
					     const struct ek_packet *pkt)
{
	struct ek_counter *counter;

	counter = bpf_map_lookup_elem(&ek_vip_stats, &vip->counter);
	if (counter)
		ek_add_packet(counter, pkt);
	counter = bpf_map_lookup_elem(&ek_be_stats, &be->counter);
	if (counter)
		ek_add_packet(counter, pkt);
	if (unlikely(pkt->orphan))
		ek_count_verdict(EK_FORWARD_FRAGMENT);
}

static __always_inline void ek_count_vip_drop(const struct ek_vip *vip)
{
	struct ek_counter *counter = bpf_map_lookup_elem(&ek_vip_stats, &vip->counter);

	if (counter)
		counter->drops++;
}

#endif /* EK_DATAPATH_COUNT_H */
