/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * "Too big" answers: ICMP type 3 code 4 (RFC 792, RFC 1191) and ICMPv6 type 2 (RFC 4443), from the
 * VIP to the client, with the beginning of the packet that did not fit.
 */
#ifndef EK_LIB_TOO_BIG_H
#define EK_LIB_TOO_BIG_H

#include "bpf/lib/icmp.h"
#include "bpf/lib/ipv4.h"

/* Bytes quoted: so many that the answer has 576 (RFC 1812, 4.3.2.3) or 1280 (RFC 4443, 3.2). */
#define EK_QUOTE4	548
#define EK_QUOTE4_SHORT 128 /* of a shorter packet: more than its headers */
#define EK_QUOTE6	1232
#define EK_IPV6_MIN_MTU 1280

#define EK_ICMP_HLEN	8
#define EK_PUSH4	((int)sizeof(struct ek_ipv4_words) + EK_ICMP_HLEN)
#define EK_PUSH6	((int)sizeof(struct ek_ipv6_words) + EK_ICMP_HLEN)

#define EK_IPV4_DF	0x4000

/* Bytes to quote; 0: no answer (RFC 1122, section 3.2.2: not to nobody, not for later fragments).
 */
static __always_inline __u32 ek_quote4(const struct iphdr *ip)
{
	__u32 len = bpf_ntohs(ip->tot_len);

	if (!(ip->frag_off & bpf_htons(EK_IPV4_DF)) ||
	    ek_fragment_kind4(ip->frag_off) == EK_FRAGMENT_LATER)
		return 0;
	if (ek_is_no_host4(ip->saddr) || len < EK_QUOTE4_SHORT)
		return 0;
	return len < EK_QUOTE4 ? EK_QUOTE4_SHORT : EK_QUOTE4;
}

/* No path is narrower than 1280 bytes in IPv6, and hosts ignore who says so (RFC 8201, section 4).
 */
static __always_inline __u32 ek_quote6(const struct ipv6hdr *ip, __u32 mtu)
{
	if (mtu < EK_IPV6_MIN_MTU || ek_is_no_host6((const __be32 *)&ip->saddr))
		return 0;
	return EK_QUOTE6;
}

/* Headers before the quote. The ICMP checksum is left 0: the caller has the sum of the quote. */
static __always_inline void ek_fill_too_big4(struct ek_ipv4_words *ip, __be32 vip, __be32 client,
					     __u32 quote, __u32 mtu)
{
	struct ek_icmp *icmp = (struct ek_icmp *)(ip + 1);

	ip->version_tos = bpf_htons(0x45c0); /* internetwork control (RFC 1812, 4.3.2.5) */
	ip->tot_len = bpf_htons((__u16)(EK_PUSH4 + quote));
	ip->id_frag = EK_OUTER4_ID_FRAG;
	ip->ttl_proto = bpf_htons(EK_OUTER_TTL << 8 | IPPROTO_ICMP);
	ip->src = vip;
	ip->dst = client;
	ip->check = ek_csum_fold(ip->version_tos + ip->tot_len + ek_csum_halves(ip->id_frag) +
				 ip->ttl_proto + ek_csum_halves(vip) + ek_csum_halves(client));
	icmp->type = 3;
	icmp->code = 4;
	icmp->check = 0;
	icmp->rest[0] = 0;
	icmp->rest[1] = bpf_htons((__u16)mtu);
}

/* The same. The addresses are taken from the header that is quoted. */
static __always_inline void ek_fill_too_big6(struct ek_ipv6_words *ip, __u32 quote, __u32 mtu)
{
	struct ek_icmp *icmp = (struct ek_icmp *)(ip + 1);
	const struct ek_ipv6_words *quoted =
	    (const struct ek_ipv6_words *)((const char *)ip + EK_PUSH6);

	ip->version_flow = bpf_htonl(0x60000000);
	ip->payload_len = bpf_htons((__u16)(EK_ICMP_HLEN + quote));
	ip->nexthdr_hops = bpf_htons(IPPROTO_ICMPV6 << 8 | EK_OUTER_TTL);
	for (int i = 0; i < 4; i++) {
		ip->src[i] = quoted->dst[i];
		ip->dst[i] = quoted->src[i];
	}
	icmp->type = 2;
	icmp->code = 0;
	icmp->check = 0;
	icmp->rest[0] = 0;
	icmp->rest[1] = bpf_htons((__u16)mtu);
}

/* Sum of the pseudo header of ICMPv6 (RFC 8200, section 8.1). */
static __always_inline __u32 ek_pseudo6(const struct ek_ipv6_words *ip)
{
	__u32 sum = (__u32)ip->payload_len + bpf_htons(IPPROTO_ICMPV6);

	for (int i = 0; i < 4; i++)
		sum += ek_csum_halves(ip->src[i]) + ek_csum_halves(ip->dst[i]);
	return sum;
}

#endif /* EK_LIB_TOO_BIG_H */
