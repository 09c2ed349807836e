/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parser says about a packet. */
#ifndef EK_LIB_PACKET_H
#define EK_LIB_PACKET_H

#include "bpf/lib/compiler.h"

/* The linear part of a frame: pos moves forward, end stays. */
struct ek_cursor {
	void *pos;
	void *end;
};

struct ek_packet {
	void *l3;      /* IP header, 0 until its fixed part, and so the addresses, is readable */
	__u8 version;  /* 4 or 6 as the Ethernet type says, 0: not IP */
	__u8 proto;    /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 new_flow; /* TCP SYN without ACK */
	__u32 ip_len;  /* of the IP packet, headers included */
	__be16 sport;
	__be16 dport;
};

#endif /* EK_LIB_PACKET_H */
