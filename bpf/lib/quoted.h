/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP and ICMPv6 errors about a packet that a server sent from the VIP. The quoted header names
 * the flow, the other way round; the router that complains is of no interest (RFC 7690).
 */
#ifndef EK_LIB_QUOTED_H
#define EK_LIB_QUOTED_H

#include "bpf/lib/icmp.h"
#include "bpf/lib/ipv4.h"
#include "bpf/lib/ipv6.h"

/* The bytes of the transport header that are read. Routers quote at least eight (RFC 792). */
struct ek_ports {
	__be16 source;
	__be16 dest;
};

static __always_inline int ek_is_icmp_error(const struct ek_packet *pkt, const struct ek_icmp *icmp)
{
	/* Unreachable and "fragmentation needed", time exceeded, parameter problem. */
	if (pkt->version == 4)
		return icmp->type == 3 || icmp->type == 11 || icmp->type == 12;
	/* Unreachable, too big, time exceeded, parameter problem. */
	return icmp->type >= 1 && icmp->type <= 4;
}

/* The quoted packet went from the VIP to the client; the flow is the one that comes from there. */
static __always_inline enum ek_verdict ek_take_quoted_flow(struct ek_packet *pkt, void *client,
							   struct ek_ports *ports, __u8 proto,
							   void *end)
{
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return EK_PASS_NO_VIP;
	if ((void *)(ports + 1) > end ||
	    (__u32)((char *)(ports + 1) - (char *)pkt->l4) > pkt->l4_len)
		return EK_PASS_NO_VIP;
	pkt->client = client;
	pkt->sport = ports->dest;
	pkt->dport = ports->source;
	pkt->proto = proto;
	pkt->is_error = 1;
	return EK_FORWARD;
}

static __always_inline enum ek_verdict ek_parse_quoted4(struct ek_packet *pkt, void *end)
{
	const struct iphdr *ip = (const struct iphdr *)pkt->l3;
	struct iphdr *quoted = (struct iphdr *)((struct ek_icmp *)pkt->l4 + 1);
	__u32 header_len;

	if ((void *)(quoted + 1) > end)
		return EK_PASS_NO_VIP;
	header_len = quoted->ihl * 4;
	if (quoted->version != 4 || header_len < sizeof(*quoted) || quoted->saddr != ip->daddr)
		return EK_PASS_NO_VIP;
	if (ek_fragment_kind4(quoted->frag_off) == EK_FRAGMENT_LATER)
		return EK_PASS_NO_VIP;
	return ek_take_quoted_flow(pkt, &quoted->daddr,
				   (struct ek_ports *)((char *)quoted + header_len),
				   quoted->protocol, end);
}

/*
 * Servers send TCP and UDP without extension headers, but for fragments. To walk over others here
 * would double what the verifier has to walk.
 */
static __always_inline enum ek_verdict ek_parse_quoted6(struct ek_packet *pkt, void *end)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)pkt->l3;
	struct ipv6hdr *quoted = (struct ipv6hdr *)((char *)(ip + 1) + sizeof(struct ek_icmp));
	struct ek_ipv6_ext *ext = (struct ek_ipv6_ext *)(quoted + 1);

	if (ip->nexthdr != IPPROTO_ICMPV6 || (void *)(quoted + 1) > end || quoted->version != 6)
		return EK_PASS_NO_VIP;
	if (!ek_same_address6(&quoted->saddr, &ip->daddr))
		return EK_PASS_NO_VIP;
	if (quoted->nexthdr != EK_NEXTHDR_FRAGMENT)
		return ek_take_quoted_flow(pkt, &quoted->daddr, (struct ek_ports *)ext,
					   quoted->nexthdr, end);
	if ((void *)(ext + 1) > end || ek_fragment_kind6(ext) == EK_FRAGMENT_LATER)
		return EK_PASS_NO_VIP;
	return ek_take_quoted_flow(pkt, &quoted->daddr, (struct ek_ports *)(ext + 1), ext->nexthdr,
				   end);
}

/*
 * pkt: a packet with an error of which the headers are read. EK_FORWARD: it has the flow of the
 * quoted packet now. EK_PASS_NO_VIP: it quotes none of ours.
 */
static __always_inline enum ek_verdict ek_parse_quoted(struct ek_packet *pkt, void *end)
{
	return pkt->version == 4 ? ek_parse_quoted4(pkt, end) : ek_parse_quoted6(pkt, end);
}

#endif /* EK_LIB_QUOTED_H */
