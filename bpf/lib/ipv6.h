/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_IPV6_H
#define EK_LIB_IPV6_H

#include <bpf/bpf_endian.h>
#include <linux/in.h>
#include <linux/ipv6.h>

#include "bpf/abi/limits.h"
#include "bpf/abi/verdict.h"
#include "bpf/lib/l4.h"
#include "bpf/lib/packet.h"

#define EK_NEXTHDR_HOP	      0
#define EK_NEXTHDR_ROUTING    43
#define EK_NEXTHDR_FRAGMENT   44
#define EK_NEXTHDR_AUTH	      51
#define EK_NEXTHDR_DEST	      60

#define EK_IPV6_FRAGMENT_BITS 0xfff9 /* offset, more fragments */
#define EK_IPV6_OFFSET_BITS   0xfff8

/* Covers the longest walk: EK_MAX_IPV6_EXT_HEADERS of 2048 bytes. */
#define EK_MAX_L4_OFFSET 0x7fff

/* The first eight bytes of any extension header. */
struct ek_ipv6_ext {
	__u8 nexthdr;
	__u8 len;	 /* unit depends on the header; reserved in a fragment header */
	__be16 frag_off; /* in a fragment header */
	__be32 id;
};

static __always_inline int ek_is_ipv6_ext(__u8 proto)
{
	return proto == EK_NEXTHDR_HOP || proto == EK_NEXTHDR_ROUTING ||
	       proto == EK_NEXTHDR_FRAGMENT || proto == EK_NEXTHDR_AUTH || proto == EK_NEXTHDR_DEST;
}

/* Bytes of the extension header (RFC 8200, section 4; RFC 4302, section 2.2). */
static __always_inline __u32 ek_ipv6_ext_len(__u8 proto, const struct ek_ipv6_ext *ext)
{
	if (proto == EK_NEXTHDR_FRAGMENT)
		return 8;
	if (proto == EK_NEXTHDR_AUTH)
		return (ext->len + 2) * 4;
	return (ext->len + 1) * 8;
}

/* An atomic fragment (RFC 6946) is whole. */
static __always_inline enum ek_fragment ek_fragment_kind6(const struct ek_ipv6_ext *ext)
{
	if (!(ext->frag_off & bpf_htons(EK_IPV6_FRAGMENT_BITS)))
		return EK_FRAGMENT_NONE;
	return ext->frag_off & bpf_htons(EK_IPV6_OFFSET_BITS) ? EK_FRAGMENT_LATER
							      : EK_FRAGMENT_FIRST;
}

/*
 * Walks to the transport header and takes its length off *left. EK_DROP_FRAGMENT: stopped behind
 * the fragment header of a packet that is not whole.
 */
static __always_inline enum ek_verdict
ek_skip_ipv6_ext(struct ek_cursor *cur, struct ek_packet *pkt, __u8 *proto, __u32 *left)
{
	char *start = (char *)cur->pos;
	__u32 offset = 0;

	for (int i = 0; i < EK_MAX_IPV6_EXT_HEADERS; i++) {
		struct ek_ipv6_ext *ext = (struct ek_ipv6_ext *)(start + offset);
		__u32 len;

		if ((void *)(ext + 1) > cur->end)
			return EK_DROP_L3_EXT;
		len = ek_ipv6_ext_len(*proto, ext);
		if (len < sizeof(*ext) || len > *left)
			return EK_DROP_L3_EXT;
		if (*proto == EK_NEXTHDR_FRAGMENT) {
			pkt->fragment = ek_fragment_kind6(ext);
			pkt->frag_id = ext->id;
		}
		*left -= len;
		*proto = ext->nexthdr;
		/* 0.7 s to load on 6.18 without it. */
		offset = ek_forget_range(offset + len) & EK_MAX_L4_OFFSET;
		cur->pos = start + offset;
		if (pkt->fragment != EK_FRAGMENT_NONE)
			return EK_DROP_FRAGMENT;
		if (!ek_is_ipv6_ext(*proto))
			return EK_FORWARD;
	}
	return EK_DROP_L3_EXT;
}

/* Behind a fragment header: extension headers there are not walked. */
static __always_inline int ek_may_have_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || ek_is_ipv6_ext(proto);
}

static __always_inline int ek_same_address6(const struct in6_addr *a, const struct in6_addr *b)
{
	const __u32 *x = (const __u32 *)a, *y = (const __u32 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

/* From the IPv6 header to the ports. EK_FORWARD: TCP or UDP, whole and consistent in itself. */
static __always_inline enum ek_verdict ek_parse_ipv6(struct ek_cursor *cur, struct ek_packet *pkt)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)cur->pos;
	enum ek_verdict verdict;
	__u32 left;
	__u8 proto;

	if ((void *)(ip + 1) > cur->end)
		return EK_PASS_UNREADABLE;
	pkt->l3 = ip;
	pkt->client = &ip->saddr;
	left = bpf_ntohs(ip->payload_len);
	pkt->ip_len = sizeof(*ip) + left;
	if (ip->version != 6)
		return EK_DROP_L3_HEADER;
	cur->pos = ip + 1;
	proto = ip->nexthdr;
	if (unlikely(ek_is_ipv6_ext(proto))) {
		verdict = ek_skip_ipv6_ext(cur, pkt, &proto, &left);
		if (verdict != EK_FORWARD && verdict != EK_DROP_FRAGMENT)
			return verdict;
	}
	pkt->proto = proto;
	pkt->l4 = cur->pos;
	pkt->l4_len = left;
	if (unlikely(pkt->fragment != EK_FRAGMENT_NONE))
		return ek_may_have_ports(proto) ? EK_DROP_FRAGMENT : EK_PASS_NO_VIP;
	if (proto == IPPROTO_TCP)
		return ek_parse_tcp(cur, pkt, left);
	if (proto == IPPROTO_UDP)
		return ek_parse_udp(cur, pkt, left);
	return EK_PASS_NO_VIP;
}

#endif /* EK_LIB_IPV6_H */
