// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Uses up the headroom of a test run's buffer, moves the frame to its new start and goes on to the
 * program under test. A frame of up to 128 bytes; what follows it is Ethernet padding.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define FRAME 128
/* A test run has 256 bytes of headroom, of which the kernel keeps 40 for itself. */
#define TAKEN 208

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} ek_next SEC(".maps");

SEC("xdp.frags")
int ek_no_headroom(struct xdp_md* ctx) {
  __u8 *to, *from;

  if (bpf_xdp_adjust_head(ctx, -TAKEN)) return XDP_ABORTED;
  to = (void*)(long)ctx->data;
  from = to + TAKEN;
  if ((void*)(from + FRAME) > (void*)(long)ctx->data_end) return XDP_ABORTED;
  __builtin_memcpy(to, from, FRAME);
  bpf_tail_call(ctx, &ek_next, 0);
  return XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
