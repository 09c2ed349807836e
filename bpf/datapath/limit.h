/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rate limits of a VIP: packets of one source, new flows of all. Both hold over all CPUs. What
 * keeps count is missing, or contended: then the packet passes.
 */
#ifndef EK_DATAPATH_LIMIT_H
#define EK_DATAPATH_LIMIT_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/rate.h"

/* Another CPU that is faster takes one from the same limit: after some of those, one comes free. */
#define EK_TAKE_TRIES 4

static __always_inline bool ek_take_one(__u64 *due, __u64 now, struct ek_limit limit)
{
	__u64 old, next = 0;

	for (int i = 0; i < EK_TAKE_TRIES; i++) {
		old = READ_ONCE(*due);
		if (!ek_rate_next(old, now, limit.interval_ns, limit.burst, &next))
			return false;
		if (__sync_val_compare_and_swap(due, old, next) == old)
			return true;
	}
	return true;
}

static __always_inline bool ek_within_source_limit(__u32 vip, const __be32 *addr, __u8 version,
						   struct ek_limit limit)
{
	struct ek_source_key key = {.vip = vip, .addr = {addr[0], version == 4 ? 0 : addr[1]}};
	__u64 *due, first, now = bpf_ktime_get_coarse_ns();

	due = bpf_map_lookup_elem(&ek_src_due, &key);
	if (due)
		return ek_take_one(due, now, limit);
	first = now + limit.interval_ns;
	bpf_map_update_elem(&ek_src_due, &key, &first, BPF_NOEXIST);
	return true;
}

static __always_inline bool ek_within_flow_limit(__u32 vip, struct ek_limit limit)
{
	struct ek_bucket *bucket = bpf_map_lookup_elem(&ek_flow_due, &vip);

	return !bucket || ek_take_one(&bucket->due, bpf_ktime_get_coarse_ns(), limit);
}

#endif /* EK_DATAPATH_LIMIT_H */
