/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_PARSE_H
#define EK_LIB_PARSE_H

#include "bpf/lib/eth.h"
#include "bpf/lib/ipv4.h"
#include "bpf/lib/ipv6.h"

/*
 * From the Ethernet header to the ports. Without `with_tags` a tagged frame is EK_PASS_NOT_IP, and
 * every position is a constant: the fast path.
 *
 * EK_FORWARD    a whole TCP or UDP packet; whether the frame holds all of it is ek_frame_holds'
 *               to say
 * EK_PASS_*     the host's, whatever the address
 * EK_DROP_*     the fault, if the packet is for a VIP's address; pkt->l3 holds the addresses
 */
static __always_inline enum ek_verdict ek_parse(struct ek_cursor *cur, struct ek_packet *pkt,
						int with_tags)
{
	pkt->version = with_tags ? ek_parse_tagged_eth(cur, pkt) : ek_parse_eth(cur);
	if (pkt->version == 4)
		return ek_parse_ipv4(cur, pkt);
	if (pkt->version == 6)
		return ek_parse_ipv6(cur, pkt);
	return EK_PASS_NOT_IP;
}

/*
 * The transport header of a first fragment, of which EK_DROP_FRAGMENT was said. A UDP length is the
 * whole datagram's.
 */
static __always_inline enum ek_verdict ek_parse_first_fragment(struct ek_packet *pkt, void *end)
{
	struct ek_cursor cur = {.pos = pkt->l4, .end = end};

	if (pkt->proto == IPPROTO_TCP)
		return ek_parse_tcp(&cur, pkt, pkt->l4_len);
	if (pkt->proto != IPPROTO_UDP)
		return EK_DROP_FRAGMENT;
	if (pkt->l4_len < sizeof(struct udphdr))
		return EK_DROP_L4_TRUNCATED;
	return ek_parse_udp(&cur, pkt, 0xffff);
}

/*
 * Whether a frame of frame_len bytes holds the IP packet. Bytes beyond it are Ethernet padding.
 * frame_len may be longer than the linear part that was parsed.
 */
static __always_inline int ek_frame_holds(const struct ek_packet *pkt, __u32 frame_len)
{
	return ETH_HLEN + pkt->tag_len + pkt->ip_len <= frame_len;
}

#endif /* EK_LIB_PARSE_H */
