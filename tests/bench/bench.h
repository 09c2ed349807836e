// SPDX-License-Identifier: Apache-2.0
/* Layouts that the bench's programs share with user space. */
#ifndef EK_TESTS_BENCH_BENCH_H
#define EK_TESTS_BENCH_BENCH_H

#include <linux/types.h>

#define BENCH_MAX_FLOWS 524288
#define BENCH_KNOWN_INSTRUCTIONS 100

/* What differs between the packets of two flows: in 8 bytes, so that reading the next flow costs
 * the harness little. */
struct bench_flow4 {
  __be32 saddr;
  __be16 sport;
  __u16 check; /* of the IPv4 header, as stored */
};

struct bench_flow6 {
  __be32 saddr[4];
  __be16 sport;
  __u16 pad[3];
};

/* The packet that the wrapper restores before each pass. */
struct bench_template {
  __u8 eth[16]; /* 14 used */
  __u32 frame_len;
  __u32 flow_mask; /* flows - 1, a power of two */
  __u32 next;      /* flow of the next pass */
  __u8 ttl;
  __u8 pad[3];
};

#endif /* EK_TESTS_BENCH_BENCH_H */
