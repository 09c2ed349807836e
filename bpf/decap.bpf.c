// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Removes the balancer's outer headers on a backend host: 4in4, 4in6 and 6in6, bare or in UDP (GUE,
 * variant 1), one layer, for outer destinations that are this host's. Everything else reaches the
 * host untouched.
 *
 * outer header -> address is ours -> source is allowed -> lengths -> remove -> count
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/decap.h"
#include "bpf/lib/eth.h"
#include "bpf/lib/ipv4.h"
#include "bpf/lib/ipv6.h"
#include "bpf/lib/outer.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_DECAP_MAX_LOCAL);
	__type(key, __be32);
	__type(value, __u8);
} ek_local4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_DECAP_MAX_LOCAL);
	__type(key, __be32[4]);
	__type(value, __u8);
} ek_local6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, EK_DECAP_MAX_SOURCES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ek_prefix4);
	__type(value, __u8);
} ek_sources4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, EK_DECAP_MAX_SOURCES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ek_prefix6);
	__type(value, __u8);
} ek_sources6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EK_DECAP_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} ek_decap_stats SEC(".maps");

const volatile struct ek_decap_config ek_decap_config = {};

/* What stands before the inner packet. */
struct ek_tunnel {
	__u32 outer_len; /* bytes of the outer IP header, and of UDP where there is one */
	__u32 inner_max; /* bytes that the outer packet carries */
	__u8 inner_version;
	__u8 proto; /* of what follows the outer IP header */
};

static __always_inline bool ek_allows_source4(__be32 src)
{
	struct ek_prefix4 key = {.len = 32, .addr = src};

	return !ek_decap_config.check_source || bpf_map_lookup_elem(&ek_sources4, &key);
}

static __always_inline bool ek_allows_source6(const struct in6_addr *src)
{
	struct ek_prefix6 key = {.len = 128};

	__builtin_memcpy(key.addr, src, sizeof(key.addr));
	return !ek_decap_config.check_source || bpf_map_lookup_elem(&ek_sources6, &key);
}

static __always_inline bool ek_is_tunnel(__u8 proto)
{
	return proto == EK_PROTO_IPV4 || (proto == EK_PROTO_UDP && ek_decap_config.gue_port);
}

/* Whether this is the UDP header of GUE; others are nobody's tunnel, and no matter of the source.
 */
static __always_inline bool ek_is_gue(const struct udphdr *udp, const void *end)
{
	return (const void *)(udp + 1) <= end && udp->dest == ek_decap_config.gue_port;
}

/*
 * From the UDP header to the packet in it. GUE's variant 1 is an IP version: both begin with the
 * bits 01 (draft-ietf-intarea-gue, section 4). Other variants, which carry a header of their own,
 * are left to the host. The UDP checksum is not looked at: the balancer sends none, and the packet
 * inside has its own.
 */
static __always_inline enum ek_decap_verdict ek_read_gue(struct ek_cursor *cur,
							 struct ek_tunnel *tunnel)
{
	struct udphdr *udp = cur->pos;
	__u8 *inner = (__u8 *)(udp + 1);
	__u32 len;

	if ((void *)(inner + 1) > cur->end)
		return EK_DECAP_PASS_OTHER;
	tunnel->inner_version = *inner >> 4;
	if (tunnel->inner_version != 4 && tunnel->inner_version != 6)
		return EK_DECAP_PASS_OTHER;
	len = bpf_ntohs(udp->len);
	if (len < sizeof(*udp) || len > tunnel->inner_max)
		return EK_DECAP_PASS_MALFORMED;
	tunnel->inner_max = len - sizeof(*udp);
	tunnel->outer_len += sizeof(*udp);
	cur->pos = inner;
	return EK_DECAP_DONE;
}

static __always_inline enum ek_decap_verdict ek_read_outer4(struct ek_cursor *cur,
							    struct ek_tunnel *tunnel)
{
	struct iphdr *ip = cur->pos;
	__u32 len;

	if ((void *)(ip + 1) > cur->end || !ek_is_tunnel(ip->protocol) ||
	    !bpf_map_lookup_elem(&ek_local4, &ip->daddr))
		return EK_DECAP_PASS_OTHER;
	tunnel->proto = ip->protocol;
	tunnel->outer_len = ip->ihl * 4;
	if (tunnel->proto == EK_PROTO_UDP &&
	    (tunnel->outer_len < sizeof(*ip) || ip->frag_off & bpf_htons(EK_IPV4_FRAGMENT_BITS) ||
	     !ek_is_gue((void *)((char *)ip + tunnel->outer_len), cur->end)))
		return EK_DECAP_PASS_OTHER;
	if (!ek_allows_source4(ip->saddr))
		return EK_DECAP_PASS_SOURCE;
	len = bpf_ntohs(ip->tot_len);
	tunnel->inner_version = 4;
	if (ip->version != 4 || tunnel->outer_len < sizeof(*ip) || len < tunnel->outer_len)
		return EK_DECAP_PASS_MALFORMED;
	if (ip->frag_off & bpf_htons(EK_IPV4_FRAGMENT_BITS))
		return EK_DECAP_PASS_FRAGMENT;
	tunnel->inner_max = len - tunnel->outer_len;
	cur->pos = (char *)ip + tunnel->outer_len;
	return EK_DECAP_DONE;
}

static __always_inline enum ek_decap_verdict ek_read_outer6(struct ek_cursor *cur,
							    struct ek_tunnel *tunnel)
{
	struct ipv6hdr *ip = cur->pos;

	if ((void *)(ip + 1) > cur->end ||
	    (ip->nexthdr != EK_PROTO_IPV6 && !ek_is_tunnel(ip->nexthdr)) ||
	    !bpf_map_lookup_elem(&ek_local6, &ip->daddr))
		return EK_DECAP_PASS_OTHER;
	tunnel->proto = ip->nexthdr;
	if (tunnel->proto == EK_PROTO_UDP && !ek_is_gue((void *)(ip + 1), cur->end))
		return EK_DECAP_PASS_OTHER;
	if (!ek_allows_source6(&ip->saddr))
		return EK_DECAP_PASS_SOURCE;
	if (ip->version != 6)
		return EK_DECAP_PASS_MALFORMED;
	tunnel->outer_len = sizeof(*ip);
	tunnel->inner_max = bpf_ntohs(ip->payload_len);
	tunnel->inner_version = ip->nexthdr == EK_PROTO_IPV4 ? 4 : 6;
	cur->pos = ip + 1;
	return EK_DECAP_DONE;
}

/* Bytes of the inner packet; 0 if its header is cut short or false. */
static __always_inline __u32 ek_read_inner(const struct ek_cursor *cur, __u8 version)
{
	if (version == 4) {
		struct iphdr *ip = cur->pos;

		if ((void *)(ip + 1) > cur->end || ip->version != 4 || ip->ihl < 5 ||
		    bpf_ntohs(ip->tot_len) < ip->ihl * 4)
			return 0;
		return bpf_ntohs(ip->tot_len);
	}
	struct ipv6hdr *ip6 = cur->pos;

	if ((void *)(ip6 + 1) > cur->end || ip6->version != 6)
		return 0;
	return sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
}

/* Moves the Ethernet addresses up against the inner packet. */
static __always_inline enum ek_decap_verdict ek_strip(struct xdp_md *ctx,
						      const struct ek_tunnel *tunnel)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct ethhdr saved;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return EK_DECAP_DROP_INTERNAL;
	saved = *eth;
	if (bpf_xdp_adjust_head(ctx, tunnel->outer_len))
		return EK_DECAP_DROP_INTERNAL;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return EK_DECAP_DROP_INTERNAL;
	saved.h_proto = bpf_htons(tunnel->inner_version == 4 ? ETH_P_IP : ETH_P_IPV6);
	*eth = saved;
	return EK_DECAP_DONE;
}

static __always_inline enum ek_decap_verdict ek_decapsulate(struct xdp_md *ctx)
{
	struct ek_cursor cur = {
	    .pos = (void *)(long)ctx->data,
	    .end = (void *)(long)ctx->data_end,
	};
	struct ek_tunnel tunnel = {};
	enum ek_decap_verdict verdict;
	__u8 version = ek_parse_eth(&cur);
	__u32 inner_len;

	if (version == 4)
		verdict = ek_read_outer4(&cur, &tunnel);
	else if (version == 6)
		verdict = ek_read_outer6(&cur, &tunnel);
	else
		return EK_DECAP_PASS_OTHER;
	if (verdict == EK_DECAP_DONE && tunnel.proto == EK_PROTO_UDP)
		verdict = ek_read_gue(&cur, &tunnel);
	if (verdict != EK_DECAP_DONE)
		return verdict;
	inner_len = ek_read_inner(&cur, tunnel.inner_version);
	if (!inner_len || inner_len > tunnel.inner_max)
		return EK_DECAP_PASS_MALFORMED;
	/* The whole frame: data_end covers the first buffer only. */
	if (ETH_HLEN + tunnel.outer_len + inner_len > (__u32)bpf_xdp_get_buff_len(ctx))
		return EK_DECAP_PASS_MALFORMED;
	return ek_strip(ctx, &tunnel);
}

SEC("xdp.frags")
int ek_decap(struct xdp_md *ctx)
{
	__u32 verdict = ek_decapsulate(ctx);
	__u64 *packets = bpf_map_lookup_elem(&ek_decap_stats, &verdict);

	if (packets)
		(*packets)++;
	return verdict == EK_DECAP_DROP_INTERNAL ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
