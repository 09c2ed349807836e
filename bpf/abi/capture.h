/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What bpf/capture.bpf.c shares with user space. Nothing of it is pinned, so it is not part of
 * EK_ABI_VERSION.
 */
#ifndef EK_ABI_CAPTURE_H
#define EK_ABI_CAPTURE_H

#include <linux/types.h>

#include "bpf/abi/maps.h"

/* Bytes of a frame, before and after: a jumbo frame of 9,000 bytes with its headers fits. */
#define EK_CAPTURE_MAX_SNAP 9216

/* Bytes of the ring buffer: a power of two, and of pages. */
#define EK_CAPTURE_RING (4u << 20)

/* VIPs and backends that can be asked for at once. */
#define EK_CAPTURE_MAX_VIPS	65536
#define EK_CAPTURE_MAX_BACKENDS 65536

/* Interfaces that are counted apart. */
#define EK_CAPTURE_MAX_INTERFACES 256

#define EK_CAPTURE_NONE		  0xffffffffu /* no such id: not known, or not so far */

#define EK_CAPTURE_ONLY_VIPS	  (1u << 0) /* those in ek_cap_vips */
#define EK_CAPTURE_ONLY_BACKENDS  (1u << 1) /* those in ek_cap_backends */
#define EK_CAPTURE_ONLY_DROPS	  (1u << 2)

/* User space writes the first line while packets pass, programs the second. */
struct ek_capture_control {
	__u64 alive_until_ns; /* CLOCK_MONOTONIC_COARSE; from then on nothing is copied */
	__u64 max_packets;    /* 0: no limit */
	struct ek_limit rate;
	__u32 snaplen; /* 1..EK_CAPTURE_MAX_SNAP */
	__u32 flags;   /* EK_CAPTURE_ONLY_* */
	__u64 pad[4];
	__u64 due;   /* when the next packet is, at the rate */
	__u64 taken; /* packets that went into the ring */
	__u64 pad2[6];
};
EK_ABI_ASSERT(sizeof(struct ek_capture_control) == 2 * EK_LINE_SIZE, "ek_capture_control");

/* Per CPU and ingress interface. */
struct ek_capture_count {
	__u64 matched;	 /* packets that were asked for */
	__u64 over_rate; /* of these, not taken: more than the rate */
	__u64 no_room;	 /* of these, not taken: the ring was full */
};

/* One packet: this, head_in bytes as it came in, head_out bytes as it leaves. */
struct ek_captured {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 active;  /* the word that it was balanced by */
	__u32 verdict; /* enum ek_verdict */
	__u32 vip;     /* counter id */
	__u32 backend; /* counter id */
	__u32 slot;
	__u32 ingress; /* ifindex */
	__u32 egress;  /* ifindex; 0: it does not leave */
	__u32 length_in;
	__u32 length_out;
	__u32 head_in;
	__u32 head_out;
	__u32 pad;
};
EK_ABI_ASSERT(sizeof(struct ek_captured) == 56, "ek_captured");

#endif /* EK_ABI_CAPTURE_H */
