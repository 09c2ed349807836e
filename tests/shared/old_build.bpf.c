/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stands for the balancer of another build: the same name, over the same maps, and nothing else in
 * common. Passes every packet.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/abi/maps.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct ek_control);
  __uint(max_entries, 1);
} ek_control SEC(".maps");

SEC("xdp.frags")
int ek_balancer(struct xdp_md* ctx) {
  __u32 zero = 0;

  (void)ctx;
  return bpf_map_lookup_elem(&ek_control, &zero) ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
