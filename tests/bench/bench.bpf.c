// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A test run repeats a program on one buffer without restoring it: from the second pass on, an
 * encapsulator would see its own output. The wrappers undo the head move, write the headers of the
 * next flow and tail-call the program under test.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "tests/bench/bench.h"

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} bench_target SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, BENCH_MAX_FLOWS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct bench_flow4);
} bench_flows4 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, BENCH_MAX_FLOWS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct bench_flow6);
} bench_flows6 SEC(".maps");

struct bench_template bench_template = {};

/* The Ethernet header is back where the template has it, and its bytes too. */
static __always_inline int bench_restore(struct xdp_md* ctx) {
  int moved = (int)(ctx->data_end - ctx->data) - (int)bench_template.frame_len;
  struct ethhdr* eth;

  if (moved && bpf_xdp_adjust_head(ctx, moved)) return -1;
  eth = (void*)(long)ctx->data;
  if ((void*)(eth + 1) > (void*)(long)ctx->data_end) return -1;
  __builtin_memcpy(eth, bench_template.eth, sizeof(*eth));
  return 0;
}

static __always_inline __u32 bench_next_flow(void) {
  return bench_template.next++ & bench_template.flow_mask;
}

SEC("xdp.frags")
int bench_wrap4(struct xdp_md* ctx) {
  __u32 index = bench_next_flow();
  struct bench_flow4* flow;
  struct iphdr* ip;
  __be16* ports;

  flow = bpf_map_lookup_elem(&bench_flows4, &index);
  if (!flow || bench_restore(ctx)) return XDP_ABORTED;
  ip = (void*)(long)ctx->data + sizeof(struct ethhdr);
  ports = (void*)(ip + 1);
  if ((void*)(ports + 2) > (void*)(long)ctx->data_end) return XDP_ABORTED;
  ip->ttl = bench_template.ttl;
  ip->check = flow->check;
  ip->saddr = flow->saddr;
  ports[0] = flow->sport;
  bpf_tail_call(ctx, &bench_target, 0);
  return XDP_ABORTED;
}

SEC("xdp.frags")
int bench_wrap6(struct xdp_md* ctx) {
  __u32 index = bench_next_flow();
  struct bench_flow6* flow;
  struct ipv6hdr* ip;
  __be16* ports;

  flow = bpf_map_lookup_elem(&bench_flows6, &index);
  if (!flow || bench_restore(ctx)) return XDP_ABORTED;
  ip = (void*)(long)ctx->data + sizeof(struct ethhdr);
  ports = (void*)(ip + 1);
  if ((void*)(ports + 2) > (void*)(long)ctx->data_end) return XDP_ABORTED;
  ip->hop_limit = bench_template.ttl;
  __builtin_memcpy(&ip->saddr, flow->saddr, sizeof(ip->saddr));
  ports[0] = flow->sport;
  bpf_tail_call(ctx, &bench_target, 0);
  return XDP_ABORTED;
}

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

char _license[] SEC("license") = "Dual BSD/GPL";
