/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What bpf/probe.bpf.c shares with user space. Nothing of it is pinned, so it is not part of
 * EK_ABI_VERSION.
 */
#ifndef EK_ABI_PROBE_H
#define EK_ABI_PROBE_H

#include <linux/types.h>

/* A packet's mark: the upper half says that it is a probe's, the lower half by which path. */
#define EK_PROBE_MARK_MASK	    0xffff0000u
#define EK_PROBE_MARK(prefix, path) ((__u32)(prefix) << 16 | (__u16)(path))
#define EK_PROBE_PATH(mark)	    ((mark)&0xffffu)
#define EK_MAX_PROBE_PATHS	    65535 /* ids 1..EK_MAX_PROBE_PATHS */

enum ek_probe_verdict {
	EK_PROBE_SENT = 0,
	EK_PROBE_NO_PATH = 1,	 /* nothing is known by that id */
	EK_PROBE_NO_NEXTHOP = 2, /* the backend is not resolved */
	EK_PROBE_TOO_BIG = 3,	 /* for the path to the backend, once encapsulated */
	EK_PROBE_BAD_METHOD = 4, /* IPv6 in IPv4: the method cannot carry it */
	EK_PROBE_INTERNAL = 5,	 /* a helper refused */
	EK_PROBE_VERDICT_COUNT = 6,
};

#endif /* EK_ABI_PROBE_H */
