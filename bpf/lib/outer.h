/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer headers: constants, and how each field that depends on the packet is filled.
 * User space prepares the rest in struct ek_outer4/6 (bpf/abi/maps.h).
 *
 * IPv4 (RFC 2003): no options, identification 0 with DF set (an atomic datagram, RFC 6864: the
 * balancer checks the path MTU itself, and a backend that decapsulates in XDP cannot reassemble),
 * TTL 64.
 * IPv6 (RFC 2473): flow label from the flow's hash (RFC 6438), hop limit 64.
 * Both: a DSCP as the pool says, ECN 0 (RFC 6040, compatibility mode: what decapsulates need not
 * know ECN).
 * UDP of GUE (draft-ietf-intarea-gue, variant 1: the IP packet follows the UDP header): source port
 * from the flow's hash, checksum 0 (IPv6: RFC 6935, the inner packet has its own).
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
#define EK_GUE_LEN    8	 /* of the UDP header */
#define EK_PROTO_IPV4 4	 /* an IPv4 packet follows */
#define EK_PROTO_IPV6 41 /* an IPv6 packet follows */
#define EK_PROTO_UDP  17

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

struct ek_udp_words {
	__be16 source;
	__be16 dest;
	__be16 len;
	__be16 check;
};
EK_ABI_ASSERT(sizeof(struct ek_udp_words) == EK_GUE_LEN, "outer UDP header");

#define EK_OUTER4_VERSION	   bpf_htons(0x4500)
#define EK_OUTER4_ID_FRAG	   bpf_htonl(0x00004000)
#define EK_OUTER4_TTL_PROTO(proto) bpf_htons(EK_OUTER_TTL << 8 | (proto))

/* Value of ek_outer4.csum for a backend; proto is what follows the outer header. */
static __always_inline __u32 ek_outer4_csum(__be32 dst, __u8 proto)
{
	return EK_OUTER4_VERSION + ek_csum_halves(EK_OUTER4_ID_FRAG) + EK_OUTER4_TTL_PROTO(proto) +
	       ek_csum_halves(dst);
}

/* entropy: ek_hash_entropy() of the flow. */
static __always_inline __be32 ek_outer4_src(const struct ek_outer4 *outer, __u32 entropy)
{
	return outer->src_base | (entropy & outer->src_mask);
}

/* len: bytes after the outer header; proto: what they are, and what outer->csum was made for. */
static __always_inline void ek_fill_outer4(struct ek_ipv4_words *ip, const struct ek_outer4 *outer,
					   __u32 entropy, __u8 tos, __u32 len, __u8 proto)
{
	__be16 tot_len = bpf_htons((__u16)(len + EK_OUTER4_LEN));
	__be32 src = ek_outer4_src(outer, entropy);

	ip->version_tos = EK_OUTER4_VERSION | bpf_htons(tos);
	ip->tot_len = tot_len;
	ip->id_frag = EK_OUTER4_ID_FRAG;
	ip->ttl_proto = EK_OUTER4_TTL_PROTO(proto);
	ip->check = ek_csum_fold(outer->csum + bpf_htons(tos) + tot_len + ek_csum_halves(src));
	ip->src = src;
	ip->dst = outer->dst;
}

/* The same; proto: EK_PROTO_*. */
static __always_inline void ek_fill_outer6(struct ek_ipv6_words *ip, const struct ek_outer6 *outer,
					   __u32 entropy, __u8 tos, __u32 len, __u8 proto)
{
	ip->version_flow = bpf_htonl(0x60000000 | (__u32)tos << 20 | (entropy & 0xfffff));
	ip->payload_len = bpf_htons((__u16)len);
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

/* port: where the backend takes GUE. The source port is one of the ephemeral ones (RFC 6335). */
static __always_inline void ek_fill_gue(struct ek_udp_words *udp, __be16 port, __u32 entropy,
					__u32 inner_len)
{
	udp->source = bpf_htons((__u16)(0xc000 | (entropy & 0x3fff)));
	udp->dest = port;
	udp->len = bpf_htons((__u16)(inner_len + EK_GUE_LEN));
	udp->check = 0;
}

#endif /* EK_LIB_OUTER_H */
