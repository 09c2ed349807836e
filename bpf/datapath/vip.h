/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which VIP a packet is for, in the generation that the active word names. */
#ifndef EK_DATAPATH_VIP_H
#define EK_DATAPATH_VIP_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/parse.h"

/*
 * Keys are written in whole words. The kernel reads them so at once, and a load that spans several
 * younger, narrower stores waits until they have left the store buffer.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EK_KEY_PORT(port, proto)  ((__u32)(port) | (__u32)(proto) << 16)
#define EK_KEY4(addr, port_proto) ((__u64)(addr) | (__u64)(port_proto) << 32)
#else
#define EK_KEY_PORT(port, proto)  ((__u32)(port) << 16 | (__u32)(proto) << 8)
#define EK_KEY4(addr, port_proto) ((__u64)(addr) << 32 | (__u64)(port_proto))
#endif

/* The map lookups stay apart per family: known map types at the call site are called directly. */
static __always_inline struct ek_vip *ek_find_vip4(__u32 active, const struct iphdr *ip,
						   __be16 port, __u8 proto)
{
	__u64 key = EK_KEY4(ip->daddr, EK_KEY_PORT(port, proto)); /* struct ek_vip_key4 */
	__u32 generation = active & EK_ACTIVE_GENERATION_MASK;
	struct ek_vip *vip;
	void *vips;

	if (!(active & EK_ACTIVE_HAS_VIPS4))
		return NULL;
	vips = bpf_map_lookup_elem(&ek_vips4, &generation);
	if (!vips)
		return NULL;
	vip = bpf_map_lookup_elem(vips, &key);
	if (vip || !(active & EK_ACTIVE_HAS_ANY_PORT4) || !proto)
		return vip;
	key = EK_KEY4(ip->daddr, EK_KEY_PORT(0, proto));
	return bpf_map_lookup_elem(vips, &key);
}

static __always_inline struct ek_vip *ek_find_vip6(__u32 active, const struct ipv6hdr *ip,
						   __be16 port, __u8 proto)
{
	__u32 key[5]; /* struct ek_vip_key6 */
	__u32 generation = active & EK_ACTIVE_GENERATION_MASK;
	struct ek_vip *vip;
	void *vips;

	if (!(active & EK_ACTIVE_HAS_VIPS6))
		return NULL;
	vips = bpf_map_lookup_elem(&ek_vips6, &generation);
	if (!vips)
		return NULL;
	__builtin_memcpy(key, &ip->daddr, sizeof(ip->daddr));
	key[4] = EK_KEY_PORT(port, proto);
	vip = bpf_map_lookup_elem(vips, key);
	if (vip || !(active & EK_ACTIVE_HAS_ANY_PORT6) || !proto)
		return vip;
	key[4] = EK_KEY_PORT(0, proto);
	return bpf_map_lookup_elem(vips, key);
}

static __always_inline struct ek_vip *ek_find_vip(__u32 active, const struct ek_packet *pkt)
{
	if (likely(pkt->version == 4))
		return ek_find_vip4(active, pkt->l3, pkt->dport, pkt->proto);
	return ek_find_vip6(active, pkt->l3, pkt->dport, pkt->proto);
}

/* The marker of the packet's destination; NULL: it is not the address of a VIP. */
static __always_inline struct ek_vip *ek_find_address(__u32 active, const struct ek_packet *pkt)
{
	if (pkt->version == 4)
		return ek_find_vip4(active, pkt->l3, 0, 0);
	return ek_find_vip6(active, pkt->l3, 0, 0);
}

static __always_inline bool ek_is_vip_address(__u32 active, const struct ek_packet *pkt)
{
	return ek_find_address(active, pkt);
}

/*
 * What becomes of a packet that the parser did not find fit to forward: dropped for its fault if
 * its destination is a VIP's address, else the host's.
 */
static __always_inline enum ek_verdict ek_judge_unfit(__u32 active, const struct ek_packet *pkt,
						      enum ek_verdict fault)
{
	if (fault < EK_DROP_L3_TRUNCATED) /* none: passed or answered */
		return fault;
	return ek_find_address(active, pkt) ? fault : EK_PASS_UNREADABLE;
}

#endif /* EK_DATAPATH_VIP_H */
