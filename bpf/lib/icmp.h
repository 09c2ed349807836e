/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443): what a message is, and the answer to an echo request. */
#ifndef EK_LIB_ICMP_H
#define EK_LIB_ICMP_H

#include <bpf/bpf_endian.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "bpf/lib/compiler.h"
#include "bpf/lib/csum.h"
#include "bpf/lib/outer.h"
#include "bpf/lib/packet.h"

#define EK_ICMP_ECHO_REPLY     0
#define EK_ICMP_ECHO_REQUEST   8
#define EK_ICMPV6_ECHO_REQUEST 128
#define EK_ICMPV6_ECHO_REPLY   129

/* The eight bytes that every message begins with. */
struct ek_icmp {
	__u8 type;
	__u8 code;
	__u16 check;
	__be16 rest[2];
};

/* The message in a whole packet of which the parser says EK_PASS_NO_VIP; 0 if it is none. */
static __always_inline struct ek_icmp *ek_get_icmp(const struct ek_packet *pkt, void *end)
{
	struct ek_icmp *icmp = (struct ek_icmp *)pkt->l4;

	__u8 proto = pkt->version == 4 ? (__u8)IPPROTO_ICMP : (__u8)IPPROTO_ICMPV6;

	if (pkt->proto != proto || pkt->fragment != EK_FRAGMENT_NONE)
		return 0;
	if (!icmp || (void *)(icmp + 1) > end || pkt->l4_len < sizeof(*icmp))
		return 0;
	return icmp;
}

/* Nobody to answer: this network, loopback, multicast, broadcast and reserved addresses. */
static __always_inline int ek_is_no_host4(__be32 addr)
{
	__u32 net = bpf_ntohl(addr) >> 24;

	return net == 0 || net == 127 || net >= 224;
}

/* The same: unspecified, loopback and other reserved addresses below ::1:0:0; multicast. */
static __always_inline int ek_is_no_host6(const __be32 addr[4])
{
	return !(addr[0] | addr[1]) || bpf_ntohl(addr[0]) >> 24 == 0xff;
}

/*
 * An echo request that may be answered in place. IP options and extension headers ask for more
 * than a swap of the addresses (RFC 1122, section 3.2.2.6): such requests are the host's.
 */
static __always_inline int ek_is_echo_request(const struct ek_packet *pkt,
					      const struct ek_icmp *icmp)
{
	if (icmp->code)
		return 0;
	if (pkt->version == 4) {
		const struct iphdr *ip = (const struct iphdr *)pkt->l3;

		return icmp->type == EK_ICMP_ECHO_REQUEST && ip->ihl == 5 &&
		       !ek_is_no_host4(ip->saddr);
	}
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)pkt->l3;

	return icmp->type == EK_ICMPV6_ECHO_REQUEST && ip6->nexthdr == IPPROTO_ICMPV6 &&
	       !ek_is_no_host6((const __be32 *)&ip6->saddr);
}

/*
 * The type is the only word that changes under the ICMP checksum: swapped addresses add up to the
 * same, so the payload is not read. A sum over zeros alone must be written 0xffff; over anything
 * else 0xffff and 0 mean the same (RFC 1624, section 3), so it always is.
 */
static __always_inline void ek_echo_reply4(struct iphdr *ip, struct ek_icmp *icmp)
{
	__be32 client = ip->saddr;
	__be16 ttl_proto = bpf_htons((__u16)(ip->ttl << 8 | IPPROTO_ICMP));

	ip->saddr = ip->daddr;
	ip->daddr = client;
	ip->check =
	    ek_csum_replace(ip->check, ttl_proto, bpf_htons(EK_OUTER_TTL << 8 | IPPROTO_ICMP));
	ip->ttl = EK_OUTER_TTL;
	icmp->check = ek_csum_replace(icmp->check, bpf_htons(EK_ICMP_ECHO_REQUEST << 8),
				      bpf_htons(EK_ICMP_ECHO_REPLY << 8));
	if (!icmp->check)
		icmp->check = 0xffff;
	icmp->type = EK_ICMP_ECHO_REPLY;
}

static __always_inline void ek_echo_reply6(struct ipv6hdr *ip, struct ek_icmp *icmp)
{
	struct in6_addr client = ip->saddr;

	ip->saddr = ip->daddr;
	ip->daddr = client;
	ip->hop_limit = EK_OUTER_TTL;
	icmp->check = ek_csum_replace(icmp->check, bpf_htons(EK_ICMPV6_ECHO_REQUEST << 8),
				      bpf_htons(EK_ICMPV6_ECHO_REPLY << 8));
	icmp->type = EK_ICMPV6_ECHO_REPLY;
}

#endif /* EK_LIB_ICMP_H */
