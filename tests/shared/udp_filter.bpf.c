/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Another user of a shared interface, as a filter against floods would be: drops IPv4 datagrams to
 * one port, and passes the rest on.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FILTERED_PORT 7777

SEC("xdp.frags")
int udp_filter(struct xdp_md* ctx) {
  void* data = (void*)(long)ctx->data;
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* eth = data;
  struct iphdr* ip = (void*)(eth + 1);
  struct udphdr* udp = (void*)(ip + 1);

  if ((void*)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 ||
      ip->protocol != IPPROTO_UDP) {
    return XDP_PASS;
  }
  return udp->dest == bpf_htons(FILTERED_PORT) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
