/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Turns the frame into what the backend gets, and says how it leaves. */
#ifndef EK_DATAPATH_ENCAP_H
#define EK_DATAPATH_ENCAP_H

#include "bpf/datapath/capture.h"
#include "bpf/datapath/maps.h"
#include "bpf/lib/hash.h"
#include "bpf/lib/outer.h"
#include "bpf/lib/parse.h"

static __always_inline struct ek_nexthop *ek_get_nexthop(struct ek_backend *be)
{
	/* One load: user space changes the selector while packets pass. */
	__u8 sel = READ_ONCE(be->nexthop_sel);

	if (likely(sel == 1))
		return &be->nexthop[0];
	if (sel == 2)
		return &be->nexthop[1];
	return NULL;
}

/* Bytes put before the IP packet; -1: the method cannot carry this packet. */
static __always_inline int ek_encap_len(const struct ek_packet *pkt, __u8 method)
{
	if (likely(method == EK_METHOD_IPIP4))
		return pkt->version == 4 ? EK_OUTER4_LEN : -1;
	if (method == EK_METHOD_IPIP6)
		return EK_OUTER6_LEN;
	if (method == EK_METHOD_GUE4)
		return pkt->version == 4 ? EK_OUTER4_LEN + EK_GUE_LEN : -1;
	if (method == EK_METHOD_GUE6)
		return EK_OUTER6_LEN + EK_GUE_LEN;
	return method == EK_METHOD_L2 ? 0 : -1;
}

static __always_inline int ek_age_packet(struct ek_packet *pkt)
{
	if (likely(pkt->version == 4)) {
		struct iphdr *ip = pkt->l3;

		if (ip->ttl <= 1)
			return -1;
		ek_dec_ttl(ip);
		return 0;
	}
	struct ipv6hdr *ip6 = pkt->l3;

	if (ip6->hop_limit <= 1)
		return -1;
	ip6->hop_limit--;
	return 0;
}

/*
 * VLAN tags say in which network of the ingress link the frame was. It keeps them if it goes back
 * over that link; one that leaves by another interface is in no VLAN.
 */
static __always_inline __u32 ek_kept_tags(const struct xdp_md *ctx, const struct ek_packet *pkt,
					  const struct ek_nexthop *hop)
{
	return pkt->tag_len && hop->ifindex == ctx->ingress_ifindex ? pkt->tag_len : 0;
}

/*
 * Makes room for outer_len bytes before the IP header, writes the link header, and points *outer
 * at that room. Pointers into the frame are void after bpf_xdp_adjust_head: all are taken anew.
 */
static __always_inline enum ek_verdict ek_push_link(struct xdp_md *ctx, const struct ek_packet *pkt,
						    const struct ek_nexthop *hop, int outer_len,
						    __be16 proto, void **outer)
{
	__u32 kept = ek_kept_tags(ctx, pkt, hop);
	int grow = outer_len + (int)kept - (int)pkt->tag_len;
	void *end;
	char *eth;

	if (grow && bpf_xdp_adjust_head(ctx, -grow))
		return EK_DROP_HEADROOM;
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (likely(!kept)) {
		*outer = eth + ETH_HLEN;
		/* Not one check for both: to Linux 6.1 it would say nothing about eth itself. */
		if ((void *)(eth + ETH_HLEN + outer_len) > end)
			return EK_DROP_INTERNAL;
		ek_write_eth(eth, hop->dmac, proto);
		return EK_FORWARD;
	}
	*outer = eth + ETH_HLEN + kept;
	if ((void *)((char *)*outer + outer_len) > end ||
	    (void *)(eth + ETH_HLEN + EK_MAX_TAGS * EK_TAG_LEN) > end)
		return EK_DROP_INTERNAL;
	ek_write_tagged_eth(eth, hop->dmac, pkt->tags, kept, proto);
	return EK_FORWARD;
}

/* Where a packet goes, and what its outer headers take from the flow and the VIP. */
struct ek_route {
	const struct ek_backend *be;
	const struct ek_nexthop *hop;
	__u32 entropy;
	__u8 tos;
};

static __always_inline enum ek_verdict
ek_push_outer4(struct xdp_md *ctx, const struct ek_packet *pkt, const struct ek_route *route)
{
	void *outer;
	enum ek_verdict verdict =
	    ek_push_link(ctx, pkt, route->hop, EK_OUTER4_LEN, bpf_htons(ETH_P_IP), &outer);

	if (likely(verdict == EK_FORWARD))
		ek_fill_outer4(outer, &route->be->outer.v4, route->entropy, route->tos, pkt->ip_len,
			       EK_PROTO_IPV4);
	return verdict;
}

static __always_inline enum ek_verdict
ek_push_outer6(struct xdp_md *ctx, const struct ek_packet *pkt, const struct ek_route *route)
{
	__u8 proto = pkt->version == 4 ? EK_PROTO_IPV4 : EK_PROTO_IPV6;
	void *outer;
	enum ek_verdict verdict =
	    ek_push_link(ctx, pkt, route->hop, EK_OUTER6_LEN, bpf_htons(ETH_P_IPV6), &outer);

	if (likely(verdict == EK_FORWARD))
		ek_fill_outer6(outer, &route->be->outer.v6, route->entropy, route->tos, pkt->ip_len,
			       proto);
	return verdict;
}

static __always_inline enum ek_verdict ek_push_gue4(struct xdp_md *ctx, const struct ek_packet *pkt,
						    const struct ek_route *route)
{
	__u32 len = pkt->ip_len;
	void *outer;
	enum ek_verdict verdict = ek_push_link(ctx, pkt, route->hop, EK_OUTER4_LEN + EK_GUE_LEN,
					       bpf_htons(ETH_P_IP), &outer);

	if (verdict != EK_FORWARD)
		return verdict;
	ek_fill_outer4(outer, &route->be->outer.v4, route->entropy, route->tos, len + EK_GUE_LEN,
		       EK_PROTO_UDP);
	ek_fill_gue(outer + EK_OUTER4_LEN, ek_config.gue_port, route->entropy, len);
	return EK_FORWARD;
}

static __always_inline enum ek_verdict ek_push_gue6(struct xdp_md *ctx, const struct ek_packet *pkt,
						    const struct ek_route *route)
{
	__u32 len = pkt->ip_len;
	void *outer;
	enum ek_verdict verdict = ek_push_link(ctx, pkt, route->hop, EK_OUTER6_LEN + EK_GUE_LEN,
					       bpf_htons(ETH_P_IPV6), &outer);

	if (verdict != EK_FORWARD)
		return verdict;
	ek_fill_outer6(outer, &route->be->outer.v6, route->entropy, route->tos, len + EK_GUE_LEN,
		       EK_PROTO_UDP);
	ek_fill_gue(outer + EK_OUTER6_LEN, ek_config.gue_port, route->entropy, len);
	return EK_FORWARD;
}

static __always_inline enum ek_verdict
ek_rewrite_l2(struct xdp_md *ctx, const struct ek_packet *pkt, const struct ek_nexthop *hop)
{
	void *ip;

	return ek_push_link(ctx, pkt, hop, 0,
			    pkt->version == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6), &ip);
}

/* The largest packet that fits the path to the backend as one. */
static __always_inline __u32 ek_inner_mtu(const struct ek_packet *pkt, const struct ek_backend *be)
{
	return be->mtu - ek_encap_len(pkt, be->method);
}

static __always_inline __u8 ek_outer_tos(const struct ek_packet *pkt, __u32 vip_flags)
{
	if (likely(!(vip_flags & EK_VIP_COPY_DSCP)))
		return ek_forget_range(EK_VIP_TOS(vip_flags));
	if (pkt->version == 4)
		return ek_forget_range(((struct iphdr *)pkt->l3)->tos & 0xfc);
	return ek_forget_range(bpf_ntohl(*(__be32 *)pkt->l3) >> 20 & 0xfc);
}

/* All that can refuse the packet comes before the first byte is written. */
static __always_inline enum ek_verdict ek_forward(struct xdp_md *ctx, struct ek_packet *pkt,
						  struct ek_backend *be, __u64 hash,
						  __u32 vip_flags, int *action)
{
	struct ek_nexthop *hop = ek_get_nexthop(be);
	struct ek_route route = {
	    .be = be,
	    .hop = hop,
	    .entropy = ek_hash_entropy(hash),
	    .tos = ek_outer_tos(pkt, vip_flags),
	};
	int outer_len = ek_encap_len(pkt, be->method);
	enum ek_verdict verdict;

	if (outer_len < 0)
		return EK_DROP_INTERNAL;
	if (!hop)
		return EK_DROP_NO_NEXTHOP;
	if (pkt->ip_len + outer_len > be->mtu)
		return EK_DROP_TOO_BIG;
	if (ek_age_packet(pkt))
		return EK_DROP_TTL;
	if (likely(be->method == EK_METHOD_IPIP4))
		verdict = ek_push_outer4(ctx, pkt, &route);
	else if (be->method == EK_METHOD_IPIP6)
		verdict = ek_push_outer6(ctx, pkt, &route);
	else if (be->method == EK_METHOD_GUE4)
		verdict = ek_push_gue4(ctx, pkt, &route);
	else if (be->method == EK_METHOD_GUE6)
		verdict = ek_push_gue6(ctx, pkt, &route);
	else
		verdict = ek_rewrite_l2(ctx, pkt, hop);
	if (unlikely(verdict != EK_FORWARD))
		return verdict;
	ek_note_egress(hop->ifindex);
	if (likely(hop->ifindex == ctx->ingress_ifindex))
		*action = XDP_TX;
	else
		*action = bpf_redirect(hop->ifindex, 0);
	return EK_FORWARD;
}

#endif /* EK_DATAPATH_ENCAP_H */
