/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_ETH_H
#define EK_LIB_ETH_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>

#include "bpf/lib/packet.h"

/* IP version by Ethernet type; 0 for anything else, VLAN tags and cut frames included. */
static __always_inline __u8 ek_parse_eth(struct ek_cursor *cur)
{
	struct ethhdr *eth = (struct ethhdr *)cur->pos;

	if ((void *)(eth + 1) > cur->end)
		return 0;
	cur->pos = eth + 1;
	if (likely(eth->h_proto == bpf_htons(ETH_P_IP)))
		return 4;
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return 6;
	return 0;
}

#endif /* EK_LIB_ETH_H */
