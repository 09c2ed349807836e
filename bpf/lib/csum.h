/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksum (RFC 1071), on 16-bit words as loaded on this host: the one's complement sum
 * does not depend on byte order, so nothing is swapped.
 */
#ifndef EK_LIB_CSUM_H
#define EK_LIB_CSUM_H

#include <bpf/bpf_endian.h>

#include "bpf/lib/compiler.h"

/* The two 16-bit words of a 32-bit one. */
static __always_inline __u32 ek_csum_halves(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

/* From an unfolded sum to the value of a checksum field. */
static __always_inline __u16 ek_csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/*
 * Checksum after the high byte of a big-endian word (an IPv4 TTL) went down by one. RFC 1624,
 * equation 3, with HC' = HC + 0x0100 and an end-around carry; never turns a valid sum into the
 * other zero.
 */
static __always_inline __u16 ek_csum_dec_high_byte(__u16 check)
{
	__u32 sum = (__u32)check + bpf_htons(0x0100);

	return (__u16)(sum + (sum >= 0xffff));
}

/* Checksum after one word under it changed from old_word to new_word. RFC 1624, equation 3. */
static __always_inline __u16 ek_csum_replace(__u16 check, __be16 old_word, __be16 new_word)
{
	return ek_csum_fold((__u32)(__u16)~check + (__u16)~old_word + new_word);
}

#endif /* EK_LIB_CSUM_H */
