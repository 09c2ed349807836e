// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A test run repeats a program on one buffer without restoring it: from the second pass on, an
 * encapsulator would see its own output. The wrappers undo the head move, write the headers of the
 * next flow and tail-call the program under test. Whole words are written once: a program that
 * reads a word of several narrower stores would wait for them.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include "tests/bench/bench.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words of headers are put together for little-endian machines"
#endif

/* A program array holds programs with xdp.frags, or without. */
#define BENCH_TARGET(name)                 \
  struct {                                 \
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
    __uint(max_entries, 1);                \
    __type(key, __u32);                    \
    __type(value, __u32);                  \
  } name SEC(".maps")

BENCH_TARGET(bench_target);
BENCH_TARGET(bench_plain);

/* User space sets the sizes: a power of two. */
#define BENCH_ARRAY(name, type_of_value) \
  struct {                               \
    __uint(type, BPF_MAP_TYPE_ARRAY);    \
    __uint(max_entries, 1);              \
    __uint(map_flags, BPF_F_MMAPABLE);   \
    __type(key, __u32);                  \
    __type(value, type_of_value);        \
  } name SEC(".maps")

BENCH_ARRAY(bench_flows4, struct bench_flow4);
BENCH_ARRAY(bench_flows6, struct bench_flow6);
BENCH_ARRAY(bench_images, struct bench_image);

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, BENCH_CAPTURES);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct bench_capture);
} bench_captures SEC(".maps");

struct bench_template bench_template = {};
__u64 bench_received = 0;

/* The first `size` bytes of the IP packet, behind the Ethernet header where the template has it;
 * NULL: the frame is not what it was. */
static __always_inline __u64* bench_restore(struct xdp_md* ctx, __u32 size) {
  int moved = (int)(ctx->data_end - ctx->data) - (int)bench_template.frame_len;
  char* frame;

  if (moved && bpf_xdp_adjust_head(ctx, moved)) return NULL;
  frame = (void*)(long)ctx->data;
  if (frame + ETH_HLEN + size > (char*)(long)ctx->data_end) return NULL;
  *(__u64*)frame = bench_template.eth[0];
  *(__u32*)(frame + 8) = (__u32)bench_template.eth[1];
  *(__u16*)(frame + 12) = (__u16)(bench_template.eth[1] >> 32);
  return (__u64*)(frame + ETH_HLEN);
}

static __always_inline __u32 bench_next_flow(void) {
  return bench_template.next++ & bench_template.flow_mask;
}

static __always_inline int bench_fail(void) {
  bench_template.failed++;
  return XDP_ABORTED;
}

static __always_inline int bench_write4(struct xdp_md* ctx) {
  __u32 index = bench_next_flow();
  struct bench_flow4* flow = bpf_map_lookup_elem(&bench_flows4, &index);
  const __u64* head = bench_template.head;
  __u64* ip;

  if (!flow) return -1;
  ip = bench_restore(ctx, BENCH_HEAD4_SIZE);
  if (!ip) return -1;
  ip[0] = head[0];
  ip[1] = head[1] | (__u64)flow->check << 16 | (__u64)flow->saddr << 32;
  ip[2] = head[2] | (__u64)flow->sport << 32;
  ip[3] = head[3];
  ip[4] = head[4];
  return 0;
}

static __always_inline int bench_write6(struct xdp_md* ctx) {
  __u32 index = bench_next_flow();
  struct bench_flow6* flow = bpf_map_lookup_elem(&bench_flows6, &index);
  const __u64* head = bench_template.head;
  __u64* ip;

  if (!flow) return -1;
  ip = bench_restore(ctx, BENCH_HEAD6_SIZE);
  if (!ip) return -1;
  ip[0] = head[0];
  ip[1] = flow->saddr[0];
  ip[2] = flow->saddr[1];
  ip[3] = head[3];
  ip[4] = head[4];
  ip[5] = head[5] | flow->sport;
  ip[6] = head[6];
  ip[7] = head[7];
  return 0;
}

static __always_inline int bench_write_image(struct xdp_md* ctx) {
  __u32 index = bench_next_flow();
  struct bench_image* image = bpf_map_lookup_elem(&bench_images, &index);
  __u64* ip;
  int i;

  if (!image) return -1;
  ip = bench_restore(ctx, BENCH_IMAGE_SIZE);
  if (!ip) return -1;
#pragma unroll
  for (i = 0; i < BENCH_IMAGE_SIZE / 8; ++i) ip[i] = image->word[i];
  return 0;
}

#define BENCH_WRAPPER(section, name, write, target) \
  SEC(section)                                      \
  int name(struct xdp_md* ctx) {                    \
    if (write(ctx)) return bench_fail();            \
    bpf_tail_call(ctx, &target, 0);                 \
    return bench_fail();                            \
  }

BENCH_WRAPPER("xdp.frags", bench_wrap4, bench_write4, bench_target)
BENCH_WRAPPER("xdp.frags", bench_wrap6, bench_write6, bench_target)
BENCH_WRAPPER("xdp.frags", bench_wrap_image, bench_write_image, bench_target)
BENCH_WRAPPER("xdp", bench_plain4, bench_write4, bench_plain)
BENCH_WRAPPER("xdp", bench_plain6, bench_write6, bench_plain)
BENCH_WRAPPER("xdp", bench_plain_image, bench_write_image, bench_plain)

/* The harness itself. */
SEC("xdp.frags")
int bench_nothing(struct xdp_md* ctx __attribute__((unused))) { return XDP_TX; }

/* The same and a known number of instructions, to prove that a clock counts them. */
SEC("xdp.frags")
int bench_known(struct xdp_md* ctx __attribute__((unused))) {
  asm volatile(".rept %[count]; r0 = 1; .endr" ::[count] "i"(BENCH_KNOWN_INSTRUCTIONS) : "r0");
  return XDP_TX;
}

struct bench_outer {
  struct ethhdr eth;
  struct iphdr ip;
} __attribute__((packed));

/* The floor: constant headers, no lookup, no arithmetic. */
SEC("xdp.frags")
int bench_floor(struct xdp_md* ctx) {
  struct bench_outer* outer;

  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr))) return XDP_ABORTED;
  outer = (void*)(long)ctx->data;
  if ((void*)(outer + 1) > (void*)(long)ctx->data_end) return XDP_ABORTED;
  *outer = (struct bench_outer){
      .eth = {{2, 0, 0, 0, 1, 1}, {2, 0, 0, 0, 2, 2}, bpf_htons(ETH_P_IP)},
      .ip = {.version = 4,
             .ihl = 5,
             .tot_len = bpf_htons(20 + 92),
             .frag_off = bpf_htons(0x4000),
             .ttl = 64,
             .protocol = 4,
             .check = bpf_htons(0x1234),
             .saddr = bpf_htonl(0xac100001),
             .daddr = bpf_htonl(0x0a00010b)},
  };
  return XDP_TX;
}

/* The forwarding bench: the sender on one end of the wire, which also gets the frames back. */
SEC("xdp")
int bench_send4(struct xdp_md* ctx) {
  if (bench_template.next - (__u32)bench_received >= BENCH_IN_FLIGHT) return XDP_DROP;
  return bench_write4(ctx) ? bench_fail() : XDP_TX;
}

SEC("xdp.frags")
int bench_count(struct xdp_md* ctx __attribute__((unused))) {
  bench_received++;
  return XDP_DROP;
}

/* Keeps the first frames for a comparison of every byte. */
SEC("xdp.frags")
int bench_keep(struct xdp_md* ctx) {
  __u32 index = (__u32)bench_received;
  struct bench_capture* capture = bpf_map_lookup_elem(&bench_captures, &index);
  __u32 length = ctx->data_end - ctx->data;

  bench_received++;
  if (!capture || length > BENCH_CAPTURE_SIZE || length < ETH_HLEN) return XDP_DROP;
  if (!bpf_xdp_load_bytes(ctx, 0, capture->frame, length)) capture->length = length;
  return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
