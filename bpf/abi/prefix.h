/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys of the LPM maps: prefix length, then the address in network order. */
#ifndef EK_ABI_PREFIX_H
#define EK_ABI_PREFIX_H

#include <linux/types.h>

struct ek_prefix4 {
	__u32 len;
	__be32 addr;
};

struct ek_prefix6 {
	__u32 len;
	__be32 addr[4];
};

#endif /* EK_ABI_PREFIX_H */
