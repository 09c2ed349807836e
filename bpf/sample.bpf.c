// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Copies the head of some of the packets that enter a balancer. Runs before that program, for as
 * long as user space holds its link, and changes nothing: see
 * docs/adr/0033-sampling-live-traffic.md.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/sample.h"
#include "bpf/lib/compiler.h"

/* The kernel's, as far as it is read; where its members are is settled at load time. */
struct xdp_buff {
	void *data;
	void *data_end;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EK_SAMPLE_RING);
} ek_sample_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ek_sample_count);
} ek_sample_state SEC(".maps");

/* A packet is chosen where a random number is not above this: one in 2^32 / (ek_chosen + 1). */
const volatile __u32 ek_chosen = 0;
const volatile __u64 ek_max_samples = 0;

static __always_inline struct ek_sample_count *ek_get_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ek_sample_state, &zero);
}

static __always_inline void ek_copy_head(struct ek_sampled *to, struct xdp_buff *xdp)
{
	void *data = xdp->data;
	__u64 length = (__u64)xdp->data_end - (__u64)data;

	if (length > EK_SAMPLE_HEAD)
		length = EK_SAMPLE_HEAD;
	to->length = (__u32)bpf_xdp_get_buff_len((struct xdp_md *)xdp);
	to->head_length = bpf_probe_read_kernel(to->head, (__u32)length, data) ? 0 : (__u32)length;
}

/* args: those of the program that is traced, of which the kernel passes an xdp_buff. */
SEC("fentry")
int ek_sample(__u64 *args)
{
	struct xdp_buff *xdp = (struct xdp_buff *)args[0];
	struct ek_sample_count *state;
	struct ek_sampled *sampled;

	if (likely(bpf_get_prandom_u32() > ek_chosen))
		return 0;
	state = ek_get_state();
	if (!state)
		return 0;
	if (state->taken >= ek_max_samples ||
	    __sync_fetch_and_add(&state->taken, 1) >= ek_max_samples) {
		__sync_fetch_and_add(&state->missed, 1);
		return 0;
	}
	sampled = bpf_ringbuf_reserve(&ek_sample_ring, sizeof(*sampled), 0);
	if (!sampled) {
		__sync_fetch_and_add(&state->missed, 1);
		return 0;
	}
	ek_copy_head(sampled, xdp);
	/* User space looks by itself: waking it would be work in the packet's time. */
	bpf_ringbuf_submit(sampled, BPF_RB_NO_WAKEUP);
	return 0;
}

/* What reads the kernel's memory must be GPL; so are the helpers. */
char _license[] SEC("license") = "Dual BSD/GPL";
