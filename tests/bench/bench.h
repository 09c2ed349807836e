// SPDX-License-Identifier: Apache-2.0
/* Layouts that the bench's programs share with user space. */
#ifndef EK_TESTS_BENCH_BENCH_H
#define EK_TESTS_BENCH_BENCH_H

#include <linux/types.h>

#define BENCH_KNOWN_INSTRUCTIONS 100

/* What differs between the packets of two flows: in 8 bytes, so that reading the next flow costs
 * the harness little. */
struct bench_flow4 {
  __be32 saddr;
  __be16 sport;
  __u16 check; /* of the IPv4 header, as stored */
};

struct bench_flow6 {
  __u64 saddr[2]; /* as stored */
  __be16 sport;
  __u16 pad[3];
};

/* The start of an IP packet that differs from flow to flow in other places. */
#define BENCH_IMAGE_SIZE 96
struct bench_image {
  __u64 word[BENCH_IMAGE_SIZE / 8];
};

/* Bytes of the IP packet that are written anew for each pass: all headers of TCP and UDP. */
#define BENCH_HEAD4_SIZE 40
#define BENCH_HEAD6_SIZE 64

/* The packet that the wrapper restores before each pass. */
struct bench_template {
  __u64 eth[2];                     /* 14 bytes used */
  __u64 head[BENCH_HEAD6_SIZE / 8]; /* from the IP header on; what a flow fills in is 0 */
  __u32 frame_len;
  __u32 flow_mask; /* flows - 1, a power of two */
  __u32 next;      /* flow of the next pass */
  __u32 failed;    /* passes in which the packet could not be restored */
};

/* Frames on the wire at most: less than a veth ring holds, for what it cannot take is lost.
 * Linux 6.1 may leave the receiving to ksoftirqd for a while. */
#define BENCH_IN_FLIGHT 192

/* A frame that came back over the wire. */
#define BENCH_CAPTURES 256
#define BENCH_CAPTURE_SIZE 252
struct bench_capture {
  __u32 length;
  __u8 frame[BENCH_CAPTURE_SIZE];
};

#endif /* EK_TESTS_BENCH_BENCH_H */
