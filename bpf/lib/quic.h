/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * QUIC packets as far as they show from outside (RFC 8999, RFC 9000 section 17, RFC 9369), and the
 * server that a connection id names (draft-ietf-quic-load-balancers, plaintext: three bits of
 * configuration, five of no interest, the server id, a nonce).
 *
 * The first packet of a datagram speaks for it.
 */
#ifndef EK_LIB_QUIC_H
#define EK_LIB_QUIC_H

#include <bpf/bpf_endian.h>
#include <linux/udp.h>

#include "bpf/lib/compiler.h"

#define EK_QUIC_LONG	 0x80
#define EK_QUIC_VERSION1 0x00000001
#define EK_QUIC_VERSION2 0x6b3343cf
#define EK_QUIC_MAX_ID	 8

enum ek_quic_kind {
	EK_QUIC_OTHER,	 /* 0-RTT, Retry, or cut short: nothing to go by but the addresses */
	EK_QUIC_OPENING, /* Initial, or of a version that is not known and so is to be negotiated */
	EK_QUIC_SERVERS, /* its destination connection id was chosen by a server */
};

struct ek_quic {
	enum ek_quic_kind kind;
	const __u8 *id; /* destination connection id */
	__u32 id_len;	/* of it, as far as that is known */
};

struct ek_quic_long {
	__u8 first;
	__be32 version;
	__u8 id_len;
} __attribute__((__packed__));

/* Type bits of a long header: those of version 2 are those of version 1, moved on by one. */
static __always_inline __u32 ek_quic_type(const struct ek_quic_long *head)
{
	__u32 type = head->first >> 4 & 3;

	return head->version == bpf_htonl(EK_QUIC_VERSION2) ? (type - 1) & 3 : type;
}

static __always_inline struct ek_quic ek_classify_quic(const void *payload, const void *end)
{
	const struct ek_quic_long *head = (const struct ek_quic_long *)payload;
	struct ek_quic quic = {};

	if ((const void *)(head + 1) > end)
		return quic;
	if (!(head->first & EK_QUIC_LONG)) {
		/* A connection id as long as the server made it. */
		quic.kind = EK_QUIC_SERVERS;
		quic.id = &head->first + 1;
		quic.id_len = EK_QUIC_MAX_ID + 1;
		return quic;
	}
	quic.id = (const __u8 *)(head + 1);
	quic.id_len = head->id_len;
	if (head->version != bpf_htonl(EK_QUIC_VERSION1) &&
	    head->version != bpf_htonl(EK_QUIC_VERSION2))
		quic.kind = head->version ? EK_QUIC_OPENING : EK_QUIC_OTHER;
	else if (ek_quic_type(head) == 0) /* Initial: the client chose the id, or may have */
		quic.kind = EK_QUIC_OPENING;
	else if (ek_quic_type(head) == 2) /* Handshake */
		quic.kind = EK_QUIC_SERVERS;
	return quic;
}

/*
 * Whether the connection id names a server: *server is the big-endian number of server_len bytes,
 * 1..EK_QUIC_MAX_ID. Nine bytes of the id must be readable; every packet of an open connection has
 * more behind its shortest id, for there is a tag of 16 bytes (RFC 9001, 5.3).
 */
static __always_inline int ek_quic_server(const struct ek_quic *quic, const void *end,
					  __u32 config_id, __u32 server_len, __u64 *server)
{
	const __u8 *id = quic->id;
	__u64 number =
	    0; /* of eight bytes; a loop with an end that varies costs the verifier more */

	if (quic->kind != EK_QUIC_SERVERS || (const void *)(id + EK_QUIC_MAX_ID + 1) > end)
		return 0;
	if (id[0] >> 5 != config_id || quic->id_len < server_len + 1)
		return 0;
	for (__u32 i = 0; i < EK_QUIC_MAX_ID; i++)
		number = number << 8 | id[i + 1];
	*server = number >> ((EK_QUIC_MAX_ID - server_len) * 8 & 63);
	return 1;
}

#endif /* EK_LIB_QUIC_H */
