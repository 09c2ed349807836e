/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fragments for the address of a VIP. The first one has the ports; the others follow it, for as
 * long as it is remembered. A later one that comes before it is dropped, unless the address alone
 * says where it goes (EK_VIP_FRAGMENTS).
 */
#ifndef EK_DATAPATH_FRAG_H
#define EK_DATAPATH_FRAG_H

#include "bpf/datapath/frame.h"
#include "bpf/datapath/vip.h"

static __always_inline void ek_fill_frag_key(struct ek_frag_key *key, const struct ek_packet *pkt)
{
	key->id = pkt->frag_id;
	key->version = pkt->version;
	if (pkt->version == 4) {
		const struct iphdr *ip = pkt->l3;

		key->src[0] = ip->saddr;
		key->dst[0] = ip->daddr;
		key->proto = ip->protocol;
		return;
	}
	const struct ipv6hdr *ip6 = pkt->l3;

	__builtin_memcpy(key->src, &ip6->saddr, sizeof(key->src));
	__builtin_memcpy(key->dst, &ip6->daddr, sizeof(key->dst));
}

static __always_inline enum ek_verdict ek_note_first(struct xdp_md *ctx, struct ek_packet *pkt,
						     const struct ek_frag_key *key, bool counting)
{
	enum ek_verdict verdict = ek_parse_first_fragment(pkt, (void *)(long)ctx->data_end);
	struct ek_frag frag = {};

	if (verdict != EK_FORWARD || !counting)
		return verdict;
	frag.seen_ns = bpf_ktime_get_coarse_ns();
	frag.sport = pkt->sport;
	frag.dport = pkt->dport;
	frag.proto = pkt->proto;
	/* Without room the later fragments are dropped, not this one. */
	bpf_map_update_elem(&ek_frags, key, &frag, BPF_ANY);
	return EK_FORWARD;
}

static __always_inline enum ek_verdict ek_follow_first(struct ek_packet *pkt,
						       const struct ek_frag_key *key)
{
	const struct ek_frag *frag = bpf_map_lookup_elem(&ek_frags, key);

	if (!frag || bpf_ktime_get_coarse_ns() - frag->seen_ns > EK_FRAG_LIFETIME_NS)
		return EK_DROP_FRAGMENT;
	pkt->sport = frag->sport;
	pkt->dport = frag->dport;
	pkt->proto = frag->proto;
	pkt->flags = 0;
	return EK_FORWARD;
}

/*
 * EK_FORWARD: the flow of the fragment is known, as if it were a whole packet, or the fragment is
 * an orphan, for which the marker of the address is the VIP.
 */
static __always_inline enum ek_verdict ek_handle_fragment(struct xdp_md *ctx, __u32 active,
							  struct ek_packet *pkt, bool counting)
{
	struct ek_vip *marker = ek_find_address(active, pkt);
	struct ek_frag_key key = {};
	enum ek_verdict verdict;

	if (!marker)
		return EK_PASS_NO_VIP;
	if (!ek_holds_packet(ctx, pkt))
		return EK_DROP_L3_LENGTH;
	ek_fill_frag_key(&key, pkt);
	if (pkt->fragment == EK_FRAGMENT_FIRST)
		return ek_note_first(ctx, pkt, &key, counting);
	verdict = ek_follow_first(pkt, &key);
	if (verdict != EK_DROP_FRAGMENT || !(marker->flags & EK_VIP_FRAGMENTS))
		return verdict;
	pkt->orphan = 1;
	return EK_FORWARD;
}

#endif /* EK_DATAPATH_FRAG_H */
