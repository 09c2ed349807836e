/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What bpf/sample.bpf.c leaves for user space. Nothing of it is pinned, so it is not part of
 * EK_ABI_VERSION.
 */
#ifndef EK_ABI_SAMPLE_H
#define EK_ABI_SAMPLE_H

#include <linux/types.h>

/* Two VLAN tags, an IPv6 header with 168 bytes of extension headers, and a TCP header fit. */
#define EK_SAMPLE_HEAD 256

/* Bytes of the ring buffer: a power of two, and of pages. */
#define EK_SAMPLE_RING (512 * 1024)

/* One packet, as it came in. */
struct ek_sampled {
	__u32 length;	   /* bytes of the frame, of all its buffers */
	__u32 head_length; /* bytes of head that are filled */
	__u8 head[EK_SAMPLE_HEAD];
};

struct ek_sample_count {
	__u64 taken;
	__u64 missed; /* chosen, but there were enough, or the ring was full */
};

#endif /* EK_ABI_SAMPLE_H */
