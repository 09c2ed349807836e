/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps; layouts and meaning in bpf/abi/maps.h. */
#ifndef EK_DATAPATH_MAPS_H
#define EK_DATAPATH_MAPS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/maps.h"
#include "bpf/abi/verdict.h"
#include "bpf/lib/compiler.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ek_control);
} ek_control SEC(".maps");

/* Inner maps give sizes: clang 14 emits no BTF for types that only an inner map names. */
struct ek_vips4_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct ek_vip_key4));
	__uint(value_size, sizeof(struct ek_vip));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EK_MAX_GENERATIONS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ek_vips4_inner);
} ek_vips4 SEC(".maps");

struct ek_vips6_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct ek_vip_key6));
	__uint(value_size, sizeof(struct ek_vip));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EK_MAX_GENERATIONS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ek_vips6_inner);
} ek_vips6 SEC(".maps");

/* BPF_F_INNER_MAP: tables of any size fit. */
struct ek_tables_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union ek_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EK_DEFAULT_MAX_TABLES);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ek_tables_inner);
} ek_tables SEC(".maps");

struct ek_rules4_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(key_size, sizeof(struct ek_prefix4));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EK_MAX_RULE_SETS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ek_rules4_inner);
} ek_rules4 SEC(".maps");

struct ek_rules6_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(key_size, sizeof(struct ek_prefix6));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EK_MAX_RULE_SETS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ek_rules6_inner);
} ek_rules6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EK_DEFAULT_MAX_VIPS);
	__type(key, __u32);
	__type(value, struct ek_bucket);
} ek_flow_due SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EK_MAX_LIMITED_SOURCES);
	__type(key, struct ek_source_key);
	__type(value, __u64);
} ek_src_due SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EK_MAX_GENERATIONS);
	__type(key, __u32);
	__type(value, struct ek_gen_info);
} ek_gen_info SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EK_DEFAULT_MAX_VIPS);
	__type(key, __u32);
	__type(value, struct ek_counter);
} ek_vip_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EK_DEFAULT_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct ek_counter);
} ek_be_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EK_VERDICT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} ek_verdicts SEC(".maps");

/* Not preallocated: nothing moves, nothing is held. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_DEFAULT_MAX_PINS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct ek_pin);
} ek_pins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EK_MAX_OPENING);
	__type(key, __u64);
	__type(value, struct ek_pin);
} ek_opening SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EK_MAX_FRAGS);
	__type(key, struct ek_frag_key);
	__type(value, struct ek_frag);
} ek_frags SEC(".maps");

/* When the next answer is due at the permitted rate. Not pinned: it matters for a second. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} ek_too_big SEC(".maps");

const volatile struct ek_config ek_config = {
    .too_big_rate = EK_DEFAULT_TOO_BIG_RATE,
    .too_big_burst = EK_DEFAULT_TOO_BIG_BURST,
    .gue_port = bpf_htons(EK_DEFAULT_GUE_PORT),
};

/*
 * A function of its own for what is rare: the fast path pays nothing for it, and the verifier walks
 * it once for any arguments, which are numbers and the context, and not anew for each way that
 * leads there. It must not take the address of a packet's description: clang would then have to
 * think that any such call changes it.
 */
#define EK_APART     __attribute__((noinline))

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))

#endif /* EK_DATAPATH_MAPS_H */
