/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A token bucket without a timer: the generic cell rate algorithm (ITU-T I.371, annex A). What is
 * kept is one number, the time at which the next one is due at the permitted rate; up to a burst
 * may come before theirs.
 */
#ifndef EK_LIB_RATE_H
#define EK_LIB_RATE_H

#include "bpf/lib/compiler.h"

/* 1: one more may come, and *next is due thereafter. 0: it is too early. Times in ns. */
static __always_inline int ek_rate_next(__u64 due, __u64 now, __u64 interval, __u64 burst,
					__u64 *next)
{
	__u64 after = (due < now ? now : due) + interval;

	if (after - now > interval * burst)
		return 0;
	*next = after;
	return 1;
}

#endif /* EK_LIB_RATE_H */
