/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a VIP and a flow to the backend's line. */
#ifndef EK_DATAPATH_SELECT_H
#define EK_DATAPATH_SELECT_H

#include "bpf/datapath/maps.h"
#include "bpf/datapath/quic.h"
#include "bpf/datapath/track.h"
#include "bpf/lib/hash.h"
#include "bpf/lib/parse.h"

static __always_inline __u64 ek_hash_flow(const struct ek_packet *pkt)
{
	const __u64 key[2] = {ek_config.hash_key[0], ek_config.hash_key[1]};

	if (likely(pkt->version == 4)) {
		const struct iphdr *ip = pkt->l3;

		return ek_flow_hash4(key, *(__be32 *)pkt->client, ip->daddr, pkt->sport, pkt->dport,
				     pkt->proto);
	}
	const struct ipv6hdr *ip6 = pkt->l3;

	return ek_flow_hash6(key, pkt->client, ip6->daddr.in6_u.u6_addr32, pkt->sport, pkt->dport,
			     pkt->proto);
}

/*
 * The hash of what leads to the slot of a VIP that does not take the whole flow. client: where the
 * client's address is, bytes from the beginning of the frame. kind: EK_PART_KIND. Few arguments: on
 * the fast path each costs a place on the stack.
 */
#define EK_PART_KIND(pkt) ((pkt)->dport | (__u32)(pkt)->proto << 16 | (__u32)(pkt)->version << 24)

EK_APART __u64 ek_hash_part(struct xdp_md *ctx, __u32 client, __u32 vip_flags, __u32 kind)
{
	const __u64 key[2] = {ek_config.hash_key[0], ek_config.hash_key[1]};
	const void *end = (void *)(long)ctx->data_end;
	const __be32 *addr;

	if (vip_flags & EK_VIP_HASH_PORT)
		return ek_port_hash(key, (__be16)kind, kind >> 16);
	if (client > EK_MAX_L4_OFFSET)
		return 0;
	addr = (void *)(long)ctx->data + client;
	if ((void *)(addr + 1) > end)
		return 0;
	if (kind >> 24 == 4)
		return ek_source_hash4(key, addr[0], EK_VIP_PREFIX4(vip_flags));
	if ((void *)(addr + 4) > end)
		return 0;
	return ek_source_hash6(key, ek_sip_word(addr[0], addr[1]), ek_sip_word(addr[2], addr[3]),
			       EK_VIP_PREFIX6(vip_flags));
}

/* The low half leads to the slot; the whole is the flow, for all that tracking knows. */
static __always_inline __u64 ek_hash_packet(struct xdp_md *ctx, const struct ek_packet *pkt,
					    __u32 vip_flags)
{
	__u64 hash = ek_hash_flow(pkt);

	if (likely(!(vip_flags & (EK_VIP_HASH_SRC | EK_VIP_HASH_PORT))))
		return hash;
	return ek_join_hashes(hash, ek_hash_part(ctx, (char *)pkt->client - (char *)(long)ctx->data,
						 vip_flags, EK_PART_KIND(pkt)));
}

static __always_inline __u16 ek_select_owner(const struct ek_vip *vip, __u64 hash, __u32 *slot,
					     const struct ek_packet *pkt, void *table,
					     bool counting)
{
	__u32 word = READ_ONCE(*slot);
	struct ek_moving moving;

	if (likely(!EK_SLOT_PREVIOUS(word)) || vip->flags & EK_VIP_STATELESS)
		return EK_SLOT_OWNER(word);
	moving.flow = hash;
	moving.slot = slot;
	moving.word = word;
	moving.table_size = vip->table_size;
	moving.flags = pkt->flags;
	moving.pin_all = !!(vip->flags & EK_VIP_PIN_ALL);
	/* An error quotes the flow, and shows nothing of whether it is alive. */
	moving.counting = counting && !pkt->is_error;
	return ek_select_moving(&moving, table);
}

/* EK_FORWARD and *backend, or why there is none. */
static __always_inline enum ek_verdict ek_select_backend(struct xdp_md *ctx,
							 const struct ek_vip *vip, __u64 hash,
							 struct ek_packet *pkt, bool counting,
							 struct ek_backend **backend)
{
	__u32 slot = ek_hash_slot(hash, vip->table_size);
	__u32 index = slot / EK_SLOTS_PER_LINE;
	union ek_line *line;
	void *table;
	__u32 quic = 0;
	__u16 id;

	table = bpf_map_lookup_elem(&ek_tables, &vip->table);
	if (!table)
		return EK_DROP_INTERNAL;
	line = bpf_map_lookup_elem(table, &index);
	if (!line)
		return EK_DROP_INTERNAL;
	/* Fragments stay together, and what an error quotes has an id that the client made. */
	if (unlikely(vip->flags & EK_VIP_QUIC) && !pkt->fragment && !pkt->is_error) {
		quic = ek_route_quic(ctx, (char *)pkt->l4 - (char *)(long)ctx->data, vip->table,
				     vip->table_size);
		if (quic & EK_ROUTE_OPENS)
			pkt->flags = EK_TCP_SYN;
	}
	id = quic & EK_ROUTE_BACKEND;
	if (likely(!id))
		id = ek_select_owner(vip, hash, &line->slot[slot % EK_SLOTS_PER_LINE], pkt, table,
				     counting);
	if (!id)
		return EK_DROP_NO_BACKEND;
	*backend = ek_get_backend(table, vip->table_size, id);
	return *backend ? EK_FORWARD : EK_DROP_INTERNAL;
}

#endif /* EK_DATAPATH_SELECT_H */
