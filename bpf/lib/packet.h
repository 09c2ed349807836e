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

enum ek_fragment {
	EK_FRAGMENT_NONE,  /* a whole packet */
	EK_FRAGMENT_FIRST, /* has the transport header */
	EK_FRAGMENT_LATER,
};

struct ek_packet {
	void *l3;      /* IP header, 0 until its fixed part, and so the addresses, is readable */
	void *l4;      /* what follows the IP headers, 0 if that cannot be told */
	__u32 l4_len;  /* bytes that the IP header leaves for it */
	void *client;  /* address of the flow's client: the IP header's source */
	__u8 version;  /* 4 or 6 as the Ethernet type says, 0: not IP */
	__u8 proto;    /* IPPROTO_* */
	__u8 fragment; /* enum ek_fragment */
	__u8 is_error; /* an ICMP error: its flow is the quoted packet's */
	__u8 orphan;   /* a later fragment whose first was not seen: its ports are not known */
	__u8 flags;    /* of TCP, EK_TCP_*; 0 in UDP, but EK_TCP_SYN for QUIC Initial */
	__u32 ip_len;  /* of the IP packet, headers included */
	__be16 sport;
	__be16 dport;
	__be32 frag_id; /* where fragment is set */
	__u32 tag_len;	/* bytes of VLAN tags before the IP header */
	__u32 tags[2];	/* as they lie in the frame: type and TCI, outermost first */
};

#define EK_TCP_FIN 0x01
#define EK_TCP_SYN 0x02
#define EK_TCP_RST 0x04
#define EK_TCP_ACK 0x10

/* The flags are kept as they are: each condition drawn from them early is a branch too many. */
static __always_inline int ek_opens_flow(__u8 flags)
{
	return (flags & (EK_TCP_SYN | EK_TCP_ACK)) == EK_TCP_SYN;
}

static __always_inline int ek_closes_flow(__u8 flags)
{
	return flags & (EK_TCP_FIN | EK_TCP_RST);
}

/*
 * The verifier tells apart two positions in a packet whose ranges differ, and would walk the rest
 * of the program once for each. A byte swap makes it forget the range; two leave the value, which
 * must be below 65536, as it was. The caller masks the value to give it a range again.
 */
static __always_inline __u32 ek_forget_range(__u32 offset)
{
#ifdef __bpf__
	asm volatile("%0 = be16 %0\n"
		     "%0 = be16 %0\n"
		     : "+r"(offset));
#endif
	return offset;
}

#endif /* EK_LIB_PACKET_H */
