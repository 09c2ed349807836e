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

#define EK_TAG_LEN	4
#define EK_MAX_TAGS	2
#define EK_TAG_LEN_MASK 12 /* any number of tags up to EK_MAX_TAGS */

/* What follows the type of a tagged frame. */
struct ek_tag {
	__be16 tci;
	__be16 proto;
};

static __always_inline int ek_is_tag(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

/*
 * From the Ethernet header over the tags, which it notes in pkt, to the IP header. Returns the
 * type behind the tags: a third tag's, or 0 where the frame ends, is no IP version.
 */
static __always_inline __be16 ek_skip_tags(struct ek_cursor *cur, struct ek_packet *pkt,
					   __be16 proto)
{
	char *start = (char *)cur->pos; /* behind the type */

	for (int i = 0; i < EK_MAX_TAGS && ek_is_tag(proto); i++) {
		struct ek_tag *tag = (struct ek_tag *)(start + i * EK_TAG_LEN);

		if ((void *)(tag + 1) > cur->end)
			return 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		pkt->tags[i] = (__u32)proto | (__u32)tag->tci << 16;
#else
		pkt->tags[i] = (__u32)proto << 16 | (__u32)tag->tci;
#endif
		pkt->tag_len += EK_TAG_LEN;
		proto = tag->proto;
	}
	pkt->tag_len = ek_forget_range(pkt->tag_len) & EK_TAG_LEN_MASK;
	cur->pos = start + pkt->tag_len;
	return proto;
}

/* The Ethernet type, and steps over it; 0 if the frame is cut before. */
static __always_inline __be16 ek_skip_eth(struct ek_cursor *cur)
{
	struct ek_eth_words *eth = (struct ek_eth_words *)cur->pos;

	if ((char *)eth + ETH_HLEN > (char *)cur->end)
		return 0;
	cur->pos = (char *)eth + ETH_HLEN;
	return eth->proto;
}

static __always_inline __u8 ek_ip_version(__be16 proto)
{
	if (likely(proto == bpf_htons(ETH_P_IP)))
		return 4;
	return proto == bpf_htons(ETH_P_IPV6) ? 6 : 0;
}

/* IP version by Ethernet type; 0 for anything else, VLAN tags and cut frames included. */
static __always_inline __u8 ek_parse_eth(struct ek_cursor *cur)
{
	return ek_ip_version(ek_skip_eth(cur));
}

/* The same behind up to EK_MAX_TAGS tags. */
static __always_inline __u8 ek_parse_tagged_eth(struct ek_cursor *cur, struct ek_packet *pkt)
{
	return ek_ip_version(ek_skip_tags(cur, pkt, ek_skip_eth(cur)));
}

/* To a multicast or broadcast address. */
static __always_inline int ek_is_group_mac(const void *eth)
{
	return *(const __u8 *)eth & 1;
}

static __always_inline void ek_swap_macs(struct ek_eth_words *eth)
{
	__u32 first = eth->addresses[0], middle = eth->addresses[1], last = eth->addresses[2];

	/* Six bytes are a word and a half. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	eth->addresses[0] = middle >> 16 | last << 16;
	eth->addresses[1] = last >> 16 | first << 16;
	eth->addresses[2] = first >> 16 | middle << 16;
#else
	eth->addresses[0] = middle << 16 | last >> 16;
	eth->addresses[1] = last << 16 | first >> 16;
	eth->addresses[2] = first << 16 | middle >> 16;
#endif
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

/* The same with tag_len bytes of tags before the type. 22 bytes are writable. */
static __always_inline void ek_write_tagged_eth(void *at, const void *addresses,
						const __u32 tags[EK_MAX_TAGS], __u32 tag_len,
						__be16 proto)
{
	__u32 *words = (__u32 *)at;

	ek_write_eth(at, addresses, proto);
	if (tag_len == EK_TAG_LEN) {
		words[3] = tags[0];
		*(__be16 *)(words + 4) = proto;
	} else if (tag_len == 2 * EK_TAG_LEN) {
		words[3] = tags[0];
		words[4] = tags[1];
		*(__be16 *)(words + 5) = proto;
	}
}

#endif /* EK_LIB_ETH_H */
