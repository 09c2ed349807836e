/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow hash: SipHash-1-3 (Aumasson, Bernstein, 2012) under the fleet's secret key, over the
 * bytes of the 5-tuple in network order: source, destination, source port, destination port,
 * protocol. A client that does not know the key cannot choose the slot, and so the server, that it
 * meets. See docs/adr/0002-keyed-hash.md.
 *
 * The low half of the hash picks the slot, the high half fills the outer source address: the two
 * are independent.
 */
#ifndef EK_LIB_HASH_H
#define EK_LIB_HASH_H

#include <bpf/bpf_endian.h>

#include "bpf/lib/compiler.h"

struct ek_sip {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 ek_rotl64(__u64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static __always_inline void ek_sip_round(struct ek_sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = ek_rotl64(s->v1, 13) ^ s->v0;
	s->v3 = ek_rotl64(s->v3, 16) ^ s->v2;
	s->v0 = ek_rotl64(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = ek_rotl64(s->v1, 17) ^ s->v2;
	s->v3 = ek_rotl64(s->v3, 21) ^ s->v0;
	s->v2 = ek_rotl64(s->v2, 32);
}

static __always_inline void ek_sip_init(struct ek_sip *s, const __u64 key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575ULL;
	s->v1 = key[1] ^ 0x646f72616e646f6dULL;
	s->v2 = key[0] ^ 0x6c7967656e657261ULL;
	s->v3 = key[1] ^ 0x7465646279746573ULL;
}

static __always_inline void ek_sip_absorb(struct ek_sip *s, __u64 word)
{
	s->v3 ^= word;
	ek_sip_round(s);
	s->v0 ^= word;
}

static __always_inline __u64 ek_sip_finish(struct ek_sip *s)
{
	s->v2 ^= 0xff;
	ek_sip_round(s);
	ek_sip_round(s);
	ek_sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Eight message bytes, first byte lowest, whatever the host's byte order. */
static __always_inline __u64 ek_sip_word(__be32 first, __be32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)first | (__u64)second << 32;
#else
	return (__u64)__builtin_bswap32(first) | (__u64)__builtin_bswap32(second) << 32;
#endif
}

/* The last block: both ports, the protocol, and the message length in the top byte. */
static __always_inline __u64 ek_sip_tail(__be16 sport, __be16 dport, __u8 proto, __u8 length)
{
	__u32 ports;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	ports = (__u32)sport | (__u32)dport << 16;
#else
	ports = (__u32)__builtin_bswap16(sport) | (__u32)__builtin_bswap16(dport) << 16;
#endif
	return (__u64)ports | (__u64)proto << 32 | (__u64)length << 56;
}

/* 13-byte message. */
static __always_inline __u64 ek_flow_hash4(const __u64 key[2], __be32 src, __be32 dst, __be16 sport,
					   __be16 dport, __u8 proto)
{
	struct ek_sip s;

	ek_sip_init(&s, key);
	ek_sip_absorb(&s, ek_sip_word(src, dst));
	ek_sip_absorb(&s, ek_sip_tail(sport, dport, proto, 13));
	return ek_sip_finish(&s);
}

/* 37-byte message. */
static __always_inline __u64 ek_flow_hash6(const __u64 key[2], const __be32 src[4],
					   const __be32 dst[4], __be16 sport, __be16 dport,
					   __u8 proto)
{
	struct ek_sip s;

	ek_sip_init(&s, key);
	ek_sip_absorb(&s, ek_sip_word(src[0], src[1]));
	ek_sip_absorb(&s, ek_sip_word(src[2], src[3]));
	ek_sip_absorb(&s, ek_sip_word(dst[0], dst[1]));
	ek_sip_absorb(&s, ek_sip_word(dst[2], dst[3]));
	ek_sip_absorb(&s, ek_sip_tail(sport, dport, proto, 37));
	return ek_sip_finish(&s);
}

/* The first `bits` bits, at most 64, of eight bytes of which the first one is lowest. */
static __always_inline __u64 ek_prefix_mask64(__u32 bits)
{
	/* A shift by 64 bits is not defined. */
	__u64 mask = bits < 64 ? ~(~0ULL >> bits) : ~0ULL;

	return __builtin_bswap64(mask);
}

/*
 * Of a part of the flow, for slots that do not depend on the rest. The messages are 13 or 37 bytes
 * like those of flows, with 0 for what is left out.
 */
static __always_inline __u64 ek_source_hash4(const __u64 key[2], __be32 src, __u32 prefix)
{
	return ek_flow_hash4(key, src & bpf_htonl((__u32) ~(0xffffffffULL >> prefix)), 0, 0, 0, 0);
}

/* The address as two ek_sip_word()s: eight bytes each, the first one lowest. */
static __always_inline __u64 ek_source_hash6(const __u64 key[2], __u64 first, __u64 second,
					     __u32 prefix)
{
	struct ek_sip s;

	ek_sip_init(&s, key);
	ek_sip_absorb(&s, first & ek_prefix_mask64(prefix));
	ek_sip_absorb(&s, second & ek_prefix_mask64(prefix > 64 ? prefix - 64 : 0));
	ek_sip_absorb(&s, 0);
	ek_sip_absorb(&s, 0);
	ek_sip_absorb(&s, ek_sip_tail(0, 0, 0, 37));
	return ek_sip_finish(&s);
}

static __always_inline __u64 ek_port_hash(const __u64 key[2], __be16 dport, __u8 proto)
{
	return ek_flow_hash4(key, 0, 0, 0, dport, proto);
}

/* A flow whose slot follows from `part`: told apart from others by its own high half. */
static __always_inline __u64 ek_join_hashes(__u64 flow, __u64 part)
{
	return (flow & 0xffffffff00000000ULL) | (__u32)part;
}

/* Reduces the low half of the hash onto 0..size-1 without a division (multiply-shift). */
static __always_inline __u32 ek_hash_slot(__u64 hash, __u32 size)
{
	return (__u32)((__u64)(__u32)hash * size >> 32);
}

/* Bits for the outer header, independent of the slot. */
static __always_inline __u32 ek_hash_entropy(__u64 hash)
{
	return (__u32)(hash >> 32);
}

#endif /* EK_LIB_HASH_H */
