/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may have a VIP: the global source rules, then the VIP's own. Judged is the client of the
 * flow, also for an ICMP error, which quotes it.
 */
#ifndef EK_DATAPATH_SOURCE_H
#define EK_DATAPATH_SOURCE_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/packet.h"

/* What is judged of a packet: a copy, so that the packet itself can stay in registers. */
struct ek_source {
	__be32 addr[4]; /* IPv4: the first word */
	__u8 version;
	__u8 counting; /* 0: no memory is written */
	__u16 pad;     /* 0 */
};

static __always_inline enum ek_verdict ek_judge_action(const __u32 *action)
{
	/* Every trie has a prefix of length 0. */
	if (!action)
		return EK_DROP_INTERNAL;
	return *action == EK_SOURCE_ALLOW ? EK_FORWARD : EK_DROP_SOURCE;
}

static __always_inline enum ek_verdict ek_ask_rules4(__u32 set, const struct ek_source *source)
{
	struct ek_prefix4 key = {.len = 32, .addr = source->addr[0]};
	void *rules = bpf_map_lookup_elem(&ek_rules4, &set);

	return rules ? ek_judge_action(bpf_map_lookup_elem(rules, &key)) : EK_DROP_INTERNAL;
}

static __always_inline enum ek_verdict ek_ask_rules6(__u32 set, const struct ek_source *source)
{
	struct ek_prefix6 key = {.len = 128};
	void *rules = bpf_map_lookup_elem(&ek_rules6, &set);

	__builtin_memcpy(key.addr, source->addr, sizeof(key.addr));
	return rules ? ek_judge_action(bpf_map_lookup_elem(rules, &key)) : EK_DROP_INTERNAL;
}

static __always_inline enum ek_verdict ek_ask_rules(__u32 set, const struct ek_source *source)
{
	if (!set)
		return EK_FORWARD;
	return source->version == 4 ? ek_ask_rules4(set, source) : ek_ask_rules6(set, source);
}

/*
 * Apart from the fast path, whose registers it does not take. Not static: the verifier judges it
 * once, by its types, and not at each call.
 */
__noinline int ek_judge_source(__u32 global_rules, __u32 rules, const struct ek_source *source)
{
	enum ek_verdict verdict;

	if (!source)
		return EK_DROP_INTERNAL;
	verdict = ek_ask_rules(global_rules, source);
	return verdict == EK_FORWARD ? ek_ask_rules(rules, source) : verdict;
}

/* EK_FORWARD: the client may have it. `vip` is a service, or the marker of its address. */
static __always_inline enum ek_verdict ek_check_source(const struct ek_vip *vip,
						       const struct ek_packet *pkt, bool counting)
{
	struct ek_source source = {};

	if (likely(!(vip->flags & EK_VIP_SOURCE_CHECKS)))
		return EK_FORWARD;
	source.version = pkt->version;
	source.counting = counting;
	if (pkt->version == 4)
		source.addr[0] = *(const __be32 *)pkt->client;
	else
		__builtin_memcpy(source.addr, pkt->client, sizeof(source.addr));
	return ek_judge_source(vip->global_rules, vip->rules, &source);
}

#endif /* EK_DATAPATH_SOURCE_H */
