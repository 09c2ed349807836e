// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Stands for any other program: leaves nothing of the headers, and puts something before the frame.
 * XDP_TX as long as it gets whole packets.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

struct scribble_headers {
  struct ethhdr eth;
  struct iphdr ip;
  struct tcphdr tcp;
} __attribute__((packed));

static __always_inline int scribble_is_whole(const struct scribble_headers* packet) {
  const __u16* half = (const __u16*)&packet->ip;
  __u32 sum = 0;
  int i;

#pragma unroll
  for (i = 0; i < 10; ++i) sum += half[i];
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff && packet->eth.h_proto == bpf_htons(ETH_P_IP) && packet->ip.ihl == 5 &&
         packet->ip.ttl == 64 && packet->ip.protocol == IPPROTO_TCP &&
         packet->tcp.dest == bpf_htons(443) && packet->tcp.ack && !packet->tcp.syn &&
         packet->tcp.window == bpf_htons(65000);
}

static __always_inline int scribble(struct xdp_md* ctx) {
  struct scribble_headers* packet = (void*)(long)ctx->data;
  int whole;

  if ((void*)(packet + 1) > (void*)(long)ctx->data_end) return XDP_DROP;
  whole = scribble_is_whole(packet);
  __builtin_memset(packet, 0xff, sizeof(*packet));
  if (bpf_xdp_adjust_head(ctx, -12)) return XDP_DROP;
  return whole ? XDP_TX : XDP_DROP;
}

SEC("xdp")
int scribble_plain(struct xdp_md* ctx) { return scribble(ctx); }

SEC("xdp.frags")
int scribble_frags(struct xdp_md* ctx) { return scribble(ctx); }

/* Nothing for the bench. */
SEC("tc")
int scribble_tc(struct __sk_buff* skb) {
  (void)skb;
  return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
