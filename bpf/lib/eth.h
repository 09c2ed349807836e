/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EK_LIB_ETH_H
#define EK_LIB_ETH_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>

#include "bpf/lib/packet.h"

/*
 * The Ethernet header in words: struct ethhdr is packed, and the BPF target would read and write it
 * byte by byte.
 */
struct ek_eth_words {
	__u32 addresses[3]; /* destination, then source */
	__be16 proto;
} __attribute__((__may_alias__));

/* IP version by Ethernet type; 0 for anything else, VLAN tags and cut frames included. */
static __always_inline __u8 ek_parse_eth(struct ek_cursor *cur)
{
	struct ek_eth_words *eth = (struct ek_eth_words *)cur->pos;

	if ((char *)eth + ETH_HLEN > (char *)cur->end)
		return 0;
	cur->pos = (char *)eth + ETH_HLEN;
	if (likely(eth->proto == bpf_htons(ETH_P_IP)))
		return 4;
	if (eth->proto == bpf_htons(ETH_P_IPV6))
		return 6;
	return 0;
}

/* addresses: destination and source MAC, 12 bytes at a 4-byte boundary. */
static __always_inline void ek_write_eth(void *at, const void *addresses, __be16 proto)
{
	const struct ek_eth_words *from = (const struct ek_eth_words *)addresses;
	struct ek_eth_words *eth = (struct ek_eth_words *)at;

	eth->addresses[0] = from->addresses[0];
	eth->addresses[1] = from->addresses[1];
	eth->addresses[2] = from->addresses[2];
	eth->proto = proto;
}

#endif /* EK_LIB_ETH_H */
