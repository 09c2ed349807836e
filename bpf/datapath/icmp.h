/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP and ICMPv6 messages to the address of a VIP. */
#ifndef EK_DATAPATH_ICMP_H
#define EK_DATAPATH_ICMP_H

#include "bpf/datapath/frame.h"
#include "bpf/datapath/source.h"
#include "bpf/datapath/vip.h"
#include "bpf/lib/quoted.h"

/* The frame goes back to who sent it. Not to a group: then EK_PASS_NO_VIP. */
static __always_inline enum ek_verdict
ek_answer_echo(struct xdp_md *ctx, const struct ek_packet *pkt, struct ek_icmp *icmp)
{
	struct ek_eth_words *eth = (void *)(long)ctx->data;

	if ((void *)((char *)eth + ETH_HLEN) > (void *)(long)ctx->data_end || ek_is_group_mac(eth))
		return EK_PASS_NO_VIP;
	ek_swap_macs(eth);
	if (pkt->version == 4)
		ek_echo_reply4(pkt->l3, icmp);
	else
		ek_echo_reply6(pkt->l3, icmp);
	return EK_REPLY_ECHO;
}

/*
 * A packet that is neither TCP nor UDP. EK_PASS_NO_VIP: the host's. EK_FORWARD: an error, which
 * goes where the flow goes that it is about.
 */
static __always_inline enum ek_verdict ek_handle_icmp(struct xdp_md *ctx, __u32 active,
						      struct ek_packet *pkt, bool counting)
{
	void *end = (void *)(long)ctx->data_end;
	struct ek_icmp *icmp = ek_get_icmp(pkt, end);
	struct ek_vip *address;
	enum ek_verdict verdict;

	if (!icmp || !ek_holds_packet(ctx, pkt))
		return EK_PASS_NO_VIP;
	if (ek_is_icmp_error(pkt, icmp))
		return ek_parse_quoted(pkt, end);
	if (!ek_is_echo_request(pkt, icmp))
		return EK_PASS_NO_VIP;
	address = ek_find_address(active, pkt);
	if (!address)
		return EK_PASS_NO_VIP;
	verdict = ek_check_source(ctx, address, pkt, counting);
	return verdict == EK_FORWARD ? ek_answer_echo(ctx, pkt, icmp) : verdict;
}

#endif /* EK_DATAPATH_ICMP_H */
