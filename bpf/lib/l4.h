/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_L4_H
#define EK_LIB_L4_H

#include <bpf/bpf_endian.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "bpf/abi/verdict.h"
#include "bpf/lib/packet.h"

/* l4_len: bytes that the IP header leaves for the transport header and its payload. */
static __always_inline enum ek_verdict ek_parse_tcp(const struct ek_cursor *cur,
						    struct ek_packet *pkt, __u32 l4_len)
{
	struct tcphdr *tcp = (struct tcphdr *)cur->pos;

	if ((void *)(tcp + 1) > cur->end || l4_len < sizeof(*tcp))
		return EK_DROP_L4_TRUNCATED;
	if (tcp->doff < 5 || tcp->doff * 4u > l4_len)
		return EK_DROP_L4_HEADER;
	pkt->sport = tcp->source;
	pkt->dport = tcp->dest;
	pkt->flags = ((const __u8 *)tcp)[13];
	return EK_FORWARD;
}

/* A UDP length below the IP payload is legal: the rest is padding. */
static __always_inline enum ek_verdict ek_parse_udp(const struct ek_cursor *cur,
						    struct ek_packet *pkt, __u32 l4_len)
{
	struct udphdr *udp = (struct udphdr *)cur->pos;
	__u32 len;

	if ((void *)(udp + 1) > cur->end || l4_len < sizeof(*udp))
		return EK_DROP_L4_TRUNCATED;
	len = bpf_ntohs(udp->len);
	if (len < sizeof(*udp) || len > l4_len)
		return EK_DROP_L4_HEADER;
	pkt->sport = udp->source;
	pkt->dport = udp->dest;
	pkt->flags = 0;
	return EK_FORWARD;
}

#endif /* EK_LIB_L4_H */
