/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Turns a packet that does not fit the path to its backend into the answer that says so. */
#ifndef EK_DATAPATH_TOO_BIG_H
#define EK_DATAPATH_TOO_BIG_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/eth.h"
#include "bpf/lib/rate.h"
#include "bpf/lib/too_big.h"

/* Whether the rate permits one more. The coarse clock costs a load, and its ticks matter little. */
static __always_inline bool ek_take_token(void)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 zero = 0;
	__u64 *due = bpf_map_lookup_elem(&ek_too_big, &zero);

	if (!due || !ek_config.too_big_rate)
		return false;
	return ek_rate_next(*due, now, 1000000000ULL / ek_config.too_big_rate,
			    ek_config.too_big_burst, due);
}

/* A link header with as many tags as are carried. */
struct ek_link {
	__u32 words[5];
	__be16 last;
};

static __always_inline void ek_copy_link(void *to, const void *from)
{
	for (int i = 0; i < 5; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
	((__be16 *)to)[10] = ((const __be16 *)from)[10];
}

#define EK_MAX_LINK (ETH_HLEN + EK_MAX_TAGS * EK_TAG_LEN)

/*
 * Moves the head for `push` bytes of headers, cuts the frame behind `quote` bytes of the old
 * packet, and sends the link header back. NULL: the frame is not fit for that, and void.
 */
static __always_inline void *ek_open_answer(struct xdp_md *ctx, __u32 tag_len, int push,
					    __u32 quote)
{
	char *eth = (void *)(long)ctx->data;
	struct ek_link link;
	int longer;

	if ((void *)(eth + EK_MAX_LINK) > (void *)(long)ctx->data_end || ek_is_group_mac(eth))
		return NULL;
	ek_copy_link(&link, eth);
	longer = (int)bpf_xdp_get_buff_len(ctx) - (int)(ETH_HLEN + tag_len + quote);
	if (longer < 0 || bpf_xdp_adjust_head(ctx, -push) || bpf_xdp_adjust_tail(ctx, -longer))
		return NULL;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + EK_MAX_LINK) > (void *)(long)ctx->data_end)
		return NULL;
	/* What is too much where there are fewer tags, the IP header covers. */
	ek_copy_link(eth, &link);
	ek_swap_macs((struct ek_eth_words *)eth);
	return eth + ETH_HLEN + tag_len;
}

/* bpf_csum_diff takes 512 bytes at most. */
#define EK_SUM_PART 512

static __always_inline __u32 ek_sum(void *from, __u32 len, __u32 sum)
{
	for (; len > EK_SUM_PART; len -= EK_SUM_PART, from = (char *)from + EK_SUM_PART)
		sum = bpf_csum_diff(NULL, 0, from, EK_SUM_PART, sum);
	return bpf_csum_diff(NULL, 0, from, len, sum);
}

/* quote is a constant. */
static __always_inline enum ek_verdict ek_answer_too_big4(struct xdp_md *ctx, __u32 tag_len,
							  const __u32 quote, __u32 mtu, __be32 vip,
							  __be32 client)
{
	struct ek_ipv4_words *ip = ek_open_answer(ctx, tag_len, EK_PUSH4, quote);
	struct ek_icmp *icmp;

	if (!ip || (void *)((char *)ip + EK_PUSH4 + quote) > (void *)(long)ctx->data_end)
		return EK_DROP_TOO_BIG;
	ek_fill_too_big4(ip, vip, client, quote, mtu);
	icmp = (void *)(ip + 1);
	icmp->check = ek_csum_fold(ek_sum(icmp, EK_ICMP_HLEN + quote, 0));
	return EK_REPLY_TOO_BIG;
}

static __always_inline enum ek_verdict ek_reply_too_big4(struct xdp_md *ctx, __u32 tag_len,
							 __u32 mtu)
{
	struct iphdr *ip = (void *)(long)ctx->data + ETH_HLEN + tag_len;
	__be32 vip, client;
	__u32 quote;

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
		return EK_DROP_TOO_BIG;
	quote = ek_quote4(ip);
	vip = ip->daddr;
	client = ip->saddr;
	if (!quote || !ek_take_token())
		return EK_DROP_TOO_BIG;
	if (quote == EK_QUOTE4)
		return ek_answer_too_big4(ctx, tag_len, EK_QUOTE4, mtu, vip, client);
	return ek_answer_too_big4(ctx, tag_len, EK_QUOTE4_SHORT, mtu, vip, client);
}

static __always_inline enum ek_verdict ek_reply_too_big6(struct xdp_md *ctx, __u32 tag_len,
							 __u32 mtu)
{
	struct ipv6hdr *old = (void *)(long)ctx->data + ETH_HLEN + tag_len;
	struct ek_ipv6_words *ip;
	struct ek_icmp *icmp;

	if ((void *)(old + 1) > (void *)(long)ctx->data_end)
		return EK_DROP_TOO_BIG;
	if (!ek_quote6(old, mtu) || !ek_take_token())
		return EK_DROP_TOO_BIG;
	ip = ek_open_answer(ctx, tag_len, EK_PUSH6, EK_QUOTE6);
	if (!ip || (void *)((char *)ip + EK_PUSH6 + EK_QUOTE6) > (void *)(long)ctx->data_end)
		return EK_DROP_TOO_BIG;
	ek_fill_too_big6(ip, EK_QUOTE6, mtu);
	icmp = (void *)(ip + 1);
	icmp->check = ek_csum_fold(ek_sum(icmp, EK_ICMP_HLEN + EK_QUOTE6, ek_pseudo6(ip)));
	return EK_REPLY_TOO_BIG;
}

/* mtu: the largest packet of this version that fits. EK_DROP_TOO_BIG: not answered. */
EK_APART enum ek_verdict ek_reply_too_big(struct xdp_md *ctx, __u32 version, __u32 tag_len,
					  __u32 mtu)
{
	tag_len &= EK_TAG_LEN_MASK;
	return version == 4 ? ek_reply_too_big4(ctx, tag_len, mtu)
			    : ek_reply_too_big6(ctx, tag_len, mtu);
}

#endif /* EK_DATAPATH_TOO_BIG_H */
