/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Limits and fixed numbers that both sides of the map interface agree on.
 * This header compiles in C (BPF target) and C++ (user space).
 */
#ifndef EK_ABI_LIMITS_H
#define EK_ABI_LIMITS_H

/* Version of every layout in bpf/abi. Pinned maps of another version are not adopted. */
#define EK_ABI_VERSION 4

/* Generations that can be staged at once; one of them is active. Index 0..EK_MAX_GENERATIONS-1. */
#define EK_MAX_GENERATIONS 8

/* A lookup table is an array of 64-byte lines: slot lines first, then one line per backend. */
#define EK_LINE_SIZE	  64
#define EK_SLOTS_PER_LINE 16

/* Slots of a lookup table: any prime in this range. */
#define EK_MIN_TABLE_SIZE     251
#define EK_DEFAULT_TABLE_SIZE 65537
#define EK_MAX_TABLE_SIZE     655373

/* Pool-local backend ids are 1..EK_MAX_POOL_BACKENDS; 0 is "none". */
#define EK_MAX_POOL_BACKENDS 32767

/* Default capacities of the maps; each can be raised when the data plane is created. */
#define EK_DEFAULT_MAX_TABLES	4096
#define EK_DEFAULT_MAX_VIPS	4096
#define EK_DEFAULT_MAX_BACKENDS 65536
#define EK_DEFAULT_MAX_PINS	1048576

/* Sets of source rules that stand at a time, those of former generations among them: ids from 1. */
#define EK_MAX_RULE_SETS 1024

/* Clients whose packets are counted for limits per source, over all VIPs that have one. The least
 * recently seen one gives way, and begins anew. */
#define EK_MAX_LIMITED_SOURCES 131072

/* Connections that opened during a move and have sent nothing but the opening packet; the least
 * recently used one gives way, so that a flood of them displaces no established flow. */
#define EK_MAX_OPENING 65536

/* Fragmented packets remembered at a time, and for how long after their first fragment. */
#define EK_MAX_FRAGS	    8192
#define EK_FRAG_LIFETIME_NS 30000000000ULL

/* "Too big" answers that a CPU sends per second, and at once after a pause. */
#define EK_DEFAULT_TOO_BIG_RATE	 1000
#define EK_DEFAULT_TOO_BIG_BURST 200

/* UDP port of GUE packets (IANA: gue). */
#define EK_DEFAULT_GUE_PORT 6080

/* IPv6 extension headers walked before the packet is called malformed. */
#define EK_MAX_IPV6_EXT_HEADERS 8

#endif /* EK_ABI_LIMITS_H */
