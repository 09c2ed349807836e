/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps and verdicts of the decapsulating program of a backend host.
 *
 *   ek_local4/6    HASH address -> __u8            outer destinations that are this host
 *   ek_sources4/6  LPM_TRIE prefix -> __u8         outer sources that are believed
 *   ek_decap_stats PERCPU_ARRAY[EK_DECAP_COUNT]    __u64 packets by verdict
 *
 * A packet that is not decapsulated goes to the host as it came.
 * X(symbol, name, explanation)
 */
#ifndef EK_ABI_DECAP_H
#define EK_ABI_DECAP_H

#include <linux/types.h>

#include "bpf/abi/prefix.h"

#define EK_DECAP_LIST(X)                                                                           \
	X(DONE, "decapsulated", "outer header removed, inner packet given to the host")            \
	X(PASS_OTHER, "pass_other", "no tunnel packet for an address of this host")                \
	X(PASS_SOURCE, "pass_source", "tunnel packet from a source that is not allowed")           \
	X(PASS_FRAGMENT, "pass_fragment", "fragment of a tunnel packet")                           \
	X(PASS_MALFORMED, "pass_malformed", "outer or inner header cut short or inconsistent")     \
	X(DROP_INTERNAL, "drop_internal", "the outer header could not be removed; must stay zero")

enum ek_decap_verdict {
#define EK_DECAP_ENUM(sym, name, text) EK_DECAP_##sym,
	EK_DECAP_LIST(EK_DECAP_ENUM)
#undef EK_DECAP_ENUM
	    EK_DECAP_COUNT,
};

#define EK_DECAP_MAX_LOCAL   1024
#define EK_DECAP_MAX_SOURCES 1024

/* Load-time configuration, the program's read-only data. */
struct ek_decap_config {
	__u32 check_source; /* 1: the outer source must be in ek_sources4/6 */
	__be16 gue_port;    /* UDP port of GUE; 0: none is taken */
	__u16 pad;	    /* 0 */
};

#endif /* EK_ABI_DECAP_H */
