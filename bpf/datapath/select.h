/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a VIP and a flow to the backend's line. */
#ifndef EK_DATAPATH_SELECT_H
#define EK_DATAPATH_SELECT_H

#include "bpf/datapath/maps.h"
#include "bpf/datapath/track.h"
#include "bpf/lib/hash.h"
#include "bpf/lib/parse.h"

static __always_inline __u64 ek_hash_packet(const struct ek_packet *pkt)
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
	moving.opening = pkt->new_flow;
	moving.closing = pkt->closing;
	moving.pin_all = !!(vip->flags & EK_VIP_PIN_ALL);
	/* An error quotes the flow, and shows nothing of whether it is alive. */
	moving.counting = counting && !pkt->is_error;
	return ek_select_moving(&moving, table);
}

/* EK_FORWARD and *backend, or why there is none. */
static __always_inline enum ek_verdict ek_select_backend(const struct ek_vip *vip, __u64 hash,
							 const struct ek_packet *pkt, bool counting,
							 struct ek_backend **backend)
{
	__u32 slot = ek_hash_slot(hash, vip->table_size);
	__u32 index = slot / EK_SLOTS_PER_LINE;
	union ek_line *line;
	void *table;
	__u16 id;

	table = bpf_map_lookup_elem(&ek_tables, &vip->table);
	if (!table)
		return EK_DROP_INTERNAL;
	line = bpf_map_lookup_elem(table, &index);
	if (!line)
		return EK_DROP_INTERNAL;
	id =
	    ek_select_owner(vip, hash, &line->slot[slot % EK_SLOTS_PER_LINE], pkt, table, counting);
	if (!id)
		return EK_DROP_NO_BACKEND;
	*backend = ek_get_backend(table, vip->table_size, id);
	return *backend ? EK_FORWARD : EK_DROP_INTERNAL;
}

#endif /* EK_DATAPATH_SELECT_H */
