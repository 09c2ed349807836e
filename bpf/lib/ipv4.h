/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_IPV4_H
#define EK_LIB_IPV4_H

#include <bpf/bpf_endian.h>
#include <linux/in.h>
#include <linux/ip.h>

#include "bpf/abi/verdict.h"
#include "bpf/lib/csum.h"
#include "bpf/lib/l4.h"
#include "bpf/lib/packet.h"

#define EK_IPV4_FRAGMENT_BITS 0x3fff /* more fragments, offset */
#define EK_IPV4_OFFSET_BITS   0x1fff

static __always_inline enum ek_fragment ek_fragment_kind4(__be16 frag_off)
{
	if (!(frag_off & bpf_htons(EK_IPV4_FRAGMENT_BITS)))
		return EK_FRAGMENT_NONE;
	return frag_off & bpf_htons(EK_IPV4_OFFSET_BITS) ? EK_FRAGMENT_LATER : EK_FRAGMENT_FIRST;
}

/* From the IPv4 header to the ports. EK_FORWARD: TCP or UDP, whole and consistent in itself. */
static __always_inline enum ek_verdict ek_parse_ipv4(struct ek_cursor *cur, struct ek_packet *pkt)
{
	struct iphdr *ip = (struct iphdr *)cur->pos;
	__u32 header_len;

	if ((void *)(ip + 1) > cur->end)
		return EK_PASS_UNREADABLE;
	pkt->l3 = ip;
	pkt->client = &ip->saddr;
	pkt->proto = ip->protocol;
	pkt->ip_len = bpf_ntohs(ip->tot_len);
	header_len = ip->ihl * 4;
	if (ip->version != 4 || header_len < sizeof(*ip))
		return EK_DROP_L3_HEADER;
	if ((char *)ip + header_len > (char *)cur->end)
		return EK_DROP_L3_TRUNCATED;
	if (pkt->ip_len < header_len)
		return EK_DROP_L3_LENGTH;
	cur->pos = (char *)ip + header_len;
	pkt->l4 = cur->pos;
	pkt->l4_len = pkt->ip_len - header_len;
	pkt->fragment = ek_fragment_kind4(ip->frag_off);
	pkt->frag_id = ip->id;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return EK_PASS_NO_VIP;
	if (pkt->fragment != EK_FRAGMENT_NONE)
		return EK_DROP_FRAGMENT;
	if (ip->protocol == IPPROTO_TCP)
		return ek_parse_tcp(cur, pkt, pkt->l4_len);
	return ek_parse_udp(cur, pkt, pkt->l4_len);
}

/* The caller has seen that the TTL is above 1. */
static __always_inline void ek_dec_ttl(struct iphdr *ip)
{
	ip->check = ek_csum_dec_high_byte(ip->check);
	ip->ttl--;
}

#endif /* EK_LIB_IPV4_H */
