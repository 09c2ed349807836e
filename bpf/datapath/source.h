/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may have a VIP, in this order: the global source rules, the VIP's own, its limit of packets
 * per source, its limit of new flows. Judged is the client of the flow, also for an ICMP error,
 * which quotes it.
 */
#ifndef EK_DATAPATH_SOURCE_H
#define EK_DATAPATH_SOURCE_H

#include "bpf/datapath/limit.h"
#include "bpf/datapath/maps.h"
#include "bpf/datapath/quic.h"
#include "bpf/lib/packet.h"

/* What is judged of a packet: a copy, so that the packet itself can stay in registers. */
struct ek_source {
	__be32 addr[4]; /* IPv4: the first word */
	__u8 version;
	__u8 opening;
	__u8 counting; /* 0: no memory is written, and no limit holds */
	__u8 pad;      /* 0 */
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

static __always_inline enum ek_verdict ek_ask_limits(const struct ek_source *source, __u32 counter,
						     struct ek_limit source_limit,
						     struct ek_limit new_flow_limit)
{
	if (!source->counting)
		return EK_FORWARD;
	if (source_limit.interval_ns &&
	    !ek_within_source_limit(counter, source->addr, source->version, source_limit))
		return EK_DROP_SOURCE_LIMIT;
	if (source->opening && new_flow_limit.interval_ns &&
	    !ek_within_flow_limit(counter, new_flow_limit))
		return EK_DROP_NEW_FLOW_LIMIT;
	return EK_FORWARD;
}

/* Arguments are in registers: two frames and a copy of the VIP are too much for the stack. */
#define EK_PACK_LIMIT(limit)  ((limit).interval_ns | (__u64)(limit).burst << 32)
#define EK_UNPACK_LIMIT(word) ((struct ek_limit){(__u32)(word), (__u32)((word) >> 32)})
#define EK_PACK_RULES(vip)    ((vip)->global_rules | (__u32)(vip)->rules << 16)

/*
 * Apart from the fast path, whose registers it does not take. Not static: the verifier judges it
 * once, by its types, and not at each call.
 */
__noinline int ek_judge_source(const struct ek_source *source, __u32 rules, __u32 counter,
			       __u64 source_limit, __u64 new_flow_limit)
{
	enum ek_verdict verdict;

	if (!source)
		return EK_DROP_INTERNAL;
	verdict = ek_ask_rules(rules & 0xffff, source);
	if (verdict == EK_FORWARD)
		verdict = ek_ask_rules(rules >> 16, source);
	if (verdict != EK_FORWARD)
		return verdict;
	return ek_ask_limits(source, counter, EK_UNPACK_LIMIT(source_limit),
			     EK_UNPACK_LIMIT(new_flow_limit));
}

/*
 * Later fragments show nothing of it, what an error quotes was sent by the server, and an echo is
 * none of the flows that its address's VIP has.
 */
static __always_inline bool ek_opens(struct xdp_md *ctx, const struct ek_vip *vip,
				     const struct ek_packet *pkt)
{
	if (!(vip->flags & EK_VIP_QUIC))
		return ek_opens_flow(pkt->flags);
	if (!vip->new_flow_limit.interval_ns || pkt->proto != IPPROTO_UDP)
		return false;
	if (pkt->fragment == EK_FRAGMENT_LATER || pkt->is_error)
		return false;
	return ek_opens_quic(ctx, (char *)pkt->l4 - (char *)(long)ctx->data);
}

static __always_inline enum ek_verdict ek_check_client(struct xdp_md *ctx, const struct ek_vip *vip,
						       const struct ek_packet *pkt, bool counting)
{
	struct ek_source source = {};

	source.version = pkt->version;
	source.opening = ek_opens(ctx, vip, pkt);
	source.counting = counting;
	if (pkt->version == 4)
		source.addr[0] = *(const __be32 *)pkt->client;
	else
		__builtin_memcpy(source.addr, pkt->client, sizeof(source.addr));
	return ek_judge_source(&source, EK_PACK_RULES(vip), vip->counter,
			       EK_PACK_LIMIT(vip->source_limit),
			       EK_PACK_LIMIT(vip->new_flow_limit));
}

/* EK_FORWARD: the client may have it. `vip` is a service, or the marker of its address. */
static __always_inline enum ek_verdict ek_check_source(struct xdp_md *ctx, const struct ek_vip *vip,
						       const struct ek_packet *pkt, bool counting)
{
	if (likely(!(vip->flags & EK_VIP_SOURCE_CHECKS)))
		return EK_FORWARD;
	return ek_check_client(ctx, vip, pkt, counting);
}

#endif /* EK_DATAPATH_SOURCE_H */
