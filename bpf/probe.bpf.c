// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Takes a health probe to one backend in the way that the balancer takes packets there: the same
 * entry, outer headers and next hop. It is the transmit hook of a route that only marked packets
 * follow; what the mark's lower half names is where the packet goes.
 *
 * mark -> path -> next hop -> encapsulate -> link header -> redirect
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/probe.h"
#include "bpf/lib/eth.h"
#include "bpf/lib/outer.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_MAX_PROBE_PATHS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct ek_backend);
} ek_probe_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EK_PROBE_VERDICT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} ek_probe_stats SEC(".maps");

const volatile __be16 ek_gue_port = 0;

#define EK_OUTER_ROOM 64 /* a power of two */
EK_ABI_ASSERT(EK_OUTER6_LEN + EK_GUE_LEN <= EK_OUTER_ROOM, "the longest outer headers fit");

struct ek_outer {
	char bytes[EK_OUTER_ROOM];
	__u32 len;
	__be16 proto; /* of the link header */
};

/* 0: the method cannot carry this packet. */
static __always_inline int ek_make_outer(const struct ek_backend *be, __be16 inner, __u32 len,
					 __u32 entropy, struct ek_outer *outer)
{
	__u8 proto = inner == bpf_htons(ETH_P_IP) ? EK_PROTO_IPV4 : EK_PROTO_IPV6;
	__u8 method = be->method;
	int gue = method == EK_METHOD_GUE4 || method == EK_METHOD_GUE6;

	if (method == EK_METHOD_L2) {
		outer->proto = inner;
		return 1;
	}
	if (gue) {
		proto = EK_PROTO_UDP;
		len += EK_GUE_LEN;
	}
	if (method == EK_METHOD_IPIP4 || method == EK_METHOD_GUE4) {
		if (inner != bpf_htons(ETH_P_IP))
			return 0;
		ek_fill_outer4((void *)outer->bytes, &be->outer.v4, entropy, 0, len, proto);
		outer->proto = bpf_htons(ETH_P_IP);
		outer->len = EK_OUTER4_LEN;
		if (gue)
			ek_fill_gue((void *)(outer->bytes + EK_OUTER4_LEN), ek_gue_port, entropy,
				    len - EK_GUE_LEN);
	} else if (method == EK_METHOD_IPIP6 || method == EK_METHOD_GUE6) {
		ek_fill_outer6((void *)outer->bytes, &be->outer.v6, entropy, 0, len, proto);
		outer->proto = bpf_htons(ETH_P_IPV6);
		outer->len = EK_OUTER6_LEN;
		if (gue)
			ek_fill_gue((void *)(outer->bytes + EK_OUTER6_LEN), ek_gue_port, entropy,
				    len - EK_GUE_LEN);
	} else {
		return 0;
	}
	if (gue)
		outer->len += EK_GUE_LEN;
	return 1;
}

static __always_inline int ek_push_outer(struct __sk_buff *skb, struct ek_outer *outer)
{
	__u32 len = outer->len;

	if (!len)
		return 0;
	/* Changes nothing: so that the verifier sees 1 to the size of bytes. */
	barrier_var(len);
	len = ((len - 1) & (EK_OUTER_ROOM - 1)) + 1;
	return bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, outer->bytes, len);
}

static __always_inline enum ek_probe_verdict ek_send(struct __sk_buff *skb, __u32 *ifindex)
{
	__u32 path = EK_PROBE_PATH(skb->mark);
	struct ek_backend *be = bpf_map_lookup_elem(&ek_probe_paths, &path);
	struct ek_outer outer = {};
	struct ek_nexthop *hop;
	__u8 link[ETH_HLEN];

	if (!be)
		return EK_PROBE_NO_PATH;
	if (be->nexthop_sel != 1)
		return EK_PROBE_NO_NEXTHOP;
	hop = &be->nexthop[0];
	if (!ek_make_outer(be, skb->protocol, skb->len, bpf_get_hash_recalc(skb), &outer))
		return EK_PROBE_BAD_METHOD;
	/* What is cut into segments later has its size from the route's MTU. */
	if (!skb->gso_segs && skb->len + outer.len > be->mtu)
		return EK_PROBE_TOO_BIG;
	__builtin_memcpy(link, hop->dmac, 2 * ETH_ALEN);
	__builtin_memcpy(link + 2 * ETH_ALEN, &outer.proto, sizeof(outer.proto));
	*ifindex = hop->ifindex;
	/* Rules for marks are not met twice. */
	skb->mark = 0;
	if (ek_push_outer(skb, &outer) || bpf_skb_change_head(skb, ETH_HLEN, 0) ||
	    bpf_skb_store_bytes(skb, 0, link, ETH_HLEN, 0))
		return EK_PROBE_INTERNAL;
	return EK_PROBE_SENT;
}

SEC("lwt_xmit")
int ek_probe(struct __sk_buff *skb)
{
	__u32 ifindex = 0;
	__u32 verdict = ek_send(skb, &ifindex);
	__u64 *packets = bpf_map_lookup_elem(&ek_probe_stats, &verdict);

	if (packets)
		(*packets)++;
	return verdict == EK_PROBE_SENT ? (int)bpf_redirect(ifindex, 0) : BPF_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
