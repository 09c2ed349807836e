/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer headers: constants, and how each field that depends on the packet is filled.
 * User space prepares the rest in struct ek_outer4/6 (bpf/abi/maps.h).
 *
 * IPv4 (RFC 2003): no options, TOS 0, identification 0 with DF set (an atomic datagram, RFC 6864:
 * the balancer checks the path MTU itself, and a backend that decapsulates in XDP cannot
 * reassemble), TTL 64.
 * IPv6 (RFC 2473): traffic class 0, flow label from the flow's hash (RFC 6438), hop limit 64.
 */
#ifndef EK_LIB_OUTER_H
#define EK_LIB_OUTER_H

#include <bpf/bpf_endian.h>

#include "bpf/abi/maps.h"
#include "bpf/lib/compiler.h"
#include "bpf/lib/csum.h"

#define EK_OUTER_TTL  64
#define EK_OUTER4_LEN 20
#define EK_OUTER6_LEN 40
#define EK_PROTO_IPV4 4	 /* an IPv4 packet follows */
#define EK_PROTO_IPV6 41 /* an IPv6 packet follows */

/* The outer IPv4 header as five words, so that it is written in five stores. */
struct ek_ipv4_words {
	__be16 version_tos;
	__be16 tot_len;
	__be32 id_frag;
	__be16 ttl_proto;
	__u16 check;
	__be32 src;
	__be32 dst;
};
EK_ABI_ASSERT(sizeof(struct ek_ipv4_words) == EK_OUTER4_LEN, "outer IPv4 header");

struct ek_ipv6_words {
	__be32 version_flow;
	__be16 payload_len;
	__be16 nexthdr_hops;
	__be32 src[4];
	__be32 dst[4];
};
EK_ABI_ASSERT(sizeof(struct ek_ipv6_words) == EK_OUTER6_LEN, "outer IPv6 header");

#define EK_OUTER4_VERSION_TOS bpf_htons(0x4500)
#define EK_OUTER4_ID_FRAG     bpf_htonl(0x00004000)
#define EK_OUTER4_TTL_PROTO   bpf_htons(EK_OUTER_TTL << 8 | EK_PROTO_IPV4)

/* Value of ek_outer4.csum for a backend. */
static __always_inline __u32 ek_outer4_csum(__be32 dst)
{
	return EK_OUTER4_VERSION_TOS + ek_csum_halves(EK_OUTER4_ID_FRAG) + EK_OUTER4_TTL_PROTO +
	       ek_csum_halves(dst);
}

/* entropy: ek_hash_entropy() of the flow. */
static __always_inline __be32 ek_outer4_src(const struct ek_outer4 *outer, __u32 entropy)
{
	return outer->src_base | (entropy & outer->src_mask);
}

static __always_inline void ek_fill_outer4(struct ek_ipv4_words *ip, const struct ek_outer4 *outer,
					   __u32 entropy, __u32 inner_len)
{
	__be16 tot_len = bpf_htons((__u16)(inner_len + EK_OUTER4_LEN));
	__be32 src = ek_outer4_src(outer, entropy);

	ip->version_tos = EK_OUTER4_VERSION_TOS;
	ip->tot_len = tot_len;
	ip->id_frag = EK_OUTER4_ID_FRAG;
	ip->ttl_proto = EK_OUTER4_TTL_PROTO;
	ip->check = ek_csum_fold(outer->csum + tot_len + ek_csum_halves(src));
	ip->src = src;
	ip->dst = outer->dst;
}

/* proto: EK_PROTO_IPV4 or EK_PROTO_IPV6. */
static __always_inline void ek_fill_outer6(struct ek_ipv6_words *ip, const struct ek_outer6 *outer,
					   __u32 entropy, __u32 inner_len, __u8 proto)
{
	ip->version_flow = bpf_htonl(0x60000000 | (entropy & 0xfffff));
	ip->payload_len = bpf_htons((__u16)inner_len);
	ip->nexthdr_hops = bpf_htons((__u16)(proto << 8 | EK_OUTER_TTL));
	ip->src[0] = outer->src_prefix[0];
	ip->src[1] = outer->src_prefix[1];
	ip->src[2] = 0;
	ip->src[3] = bpf_htonl(entropy);
	ip->dst[0] = outer->dst[0];
	ip->dst[1] = outer->dst[1];
	ip->dst[2] = outer->dst[2];
	ip->dst[3] = outer->dst[3];
}

#endif /* EK_LIB_OUTER_H */
