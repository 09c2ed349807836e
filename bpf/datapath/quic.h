/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * QUIC VIPs: a connection id that a server made names it, and the packet goes there whatever
 * address it comes from and whoever owns the slot (draft-ietf-quic-load-balancers). Initial packets
 * do not: their ids may be the client's, and nobody but the hash chooses a server.
 */
#ifndef EK_DATAPATH_QUIC_H
#define EK_DATAPATH_QUIC_H

#include "bpf/datapath/maps.h"
#include "bpf/datapath/track.h"
#include "bpf/lib/ipv6.h"
#include "bpf/lib/quic.h"

static __always_inline __u16 ek_find_server(void *table, const struct ek_table_head *head,
					    __u64 server)
{
	__u32 index = head->first + ek_id_bucket(server, head->mask);
	union ek_line *line = bpf_map_lookup_elem(table, &index);

	if (!line)
		return 0;
	for (int i = 0; i < EK_IDS_PER_LINE; i++) {
		if (line->ids.entry[i].backend && line->ids.entry[i].id == server)
			return line->ids.entry[i].backend;
	}
	return 0;
}

/* l4: where the UDP header is, bytes from the beginning of the frame. */
static __always_inline struct ek_quic ek_read_quic(struct xdp_md *ctx, __u32 l4)
{
	void *end = (void *)(long)ctx->data_end;
	struct ek_quic unread = {};
	struct udphdr *udp;

	if (l4 > EK_MAX_L4_OFFSET)
		return unread;
	udp = (void *)(long)ctx->data + l4;
	if ((void *)(udp + 1) > end)
		return unread;
	return ek_classify_quic(udp + 1, end);
}

/* Whether the packet opens a connection. */
EK_APART int ek_opens_quic(struct xdp_md *ctx, __u32 l4)
{
	return ek_read_quic(ctx, l4).kind == EK_QUIC_OPENING;
}

#define EK_ROUTE_BACKEND 0x7fff /* pool-local id of the backend that is named; 0: none */
#define EK_ROUTE_OPENS	 0x8000 /* the packet opens a connection */

/* The backend that the connection id names, if that has an entry. */
EK_APART __u32 ek_route_quic(struct xdp_md *ctx, __u32 l4, __u32 table_id, __u32 table_size)
{
	void *end = (void *)(long)ctx->data_end;
	__u32 index = EK_BACKEND_LINE(table_size, 0);
	void *table = bpf_map_lookup_elem(&ek_tables, &table_id);
	struct ek_backend *backend;
	union ek_line *line;
	struct ek_quic quic;
	__u64 server;
	__u16 id;

	if (!table)
		return 0;
	quic = ek_read_quic(ctx, l4);
	if (quic.kind == EK_QUIC_OPENING)
		return EK_ROUTE_OPENS;
	line = bpf_map_lookup_elem(table, &index);
	if (!line || !line->head.id_len)
		return 0;
	if (!ek_quic_server(&quic, end, line->head.config_id, line->head.id_len, &server))
		return 0;
	id = ek_find_server(table, &line->head, server);
	if (!id)
		return 0;
	backend = ek_get_backend(table, table_size, id);
	return backend && backend->method != EK_METHOD_NONE ? id : 0;
}

#endif /* EK_DATAPATH_QUIC_H */
