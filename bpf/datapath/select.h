/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a VIP and a flow to the backend's line. */
#ifndef EK_DATAPATH_SELECT_H
#define EK_DATAPATH_SELECT_H

#include "bpf/datapath/maps.h"
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

/* EK_FORWARD and *backend, or why there is none. */
static __always_inline enum ek_verdict ek_select_backend(const struct ek_vip *vip, __u64 hash,
							 struct ek_backend **backend)
{
	__u32 slot = ek_hash_slot(hash, vip->table_size);
	__u32 index = slot / EK_SLOTS_PER_LINE;
	union ek_line *line;
	__u16 owner;
	void *table;

	table = bpf_map_lookup_elem(&ek_tables, &vip->table);
	if (!table)
		return EK_DROP_INTERNAL;
	line = bpf_map_lookup_elem(table, &index);
	if (!line)
		return EK_DROP_INTERNAL;
	owner = EK_SLOT_OWNER(line->slot[slot % EK_SLOTS_PER_LINE]);
	if (!owner)
		return EK_DROP_NO_BACKEND;
	index = EK_BACKEND_LINE(vip->table_size, owner);
	line = bpf_map_lookup_elem(table, &index);
	if (!line)
		return EK_DROP_INTERNAL;
	*backend = &line->backend;
	return EK_FORWARD;
}

#endif /* EK_DATAPATH_SELECT_H */
