/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the capture build notes of a packet on its way; nothing at all in the balancer, whose calls
 * of these vanish (docs/adr/0051-capture.md). They change neither the packet nor its fate.
 *
 * A packet is copied once nothing but its verdict can still speak against it, and in any case
 * before its first byte changes: to memory of the CPU, because a ring cannot take back what the
 * filter rejects.
 */
#ifndef EK_DATAPATH_CAPTURE_H
#define EK_DATAPATH_CAPTURE_H

#include "bpf/datapath/maps.h"

#ifndef EK_CAPTURE

#define EK_GO_SPECIAL(ctx, active, counting)	ek_balance_special(ctx, active, counting)
#define ek_note_vip(ctx, vip)			((void)0)
#define ek_note_slot(hash, vip)			((void)0)
#define ek_note_backend(ctx, backend)		((void)0)
#define ek_note_egress(ifindex)			((void)0)
#define ek_note_leaving(ctx, verdict, counting) ((void)(ctx))

#else

/* To its caller: with the notes, one way in the other's frame is more stack than Linux 6.1 has. */
#define EK_SPECIAL			     -1
#define EK_GO_SPECIAL(ctx, active, counting) EK_SPECIAL

#include "bpf/abi/capture.h"
#include "bpf/datapath/limit.h"
#include "bpf/lib/hash.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ek_capture_control);
} ek_cap_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EK_CAPTURE_RING);
} ek_cap_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_CAPTURE_MAX_VIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} ek_cap_vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EK_CAPTURE_MAX_BACKENDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} ek_cap_backends SEC(".maps");

/* User space makes the entries. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, EK_CAPTURE_MAX_INTERFACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct ek_capture_count);
} ek_cap_counts SEC(".maps");

enum ek_capture_state {
	EK_CAPTURE_OFF,	    /* this packet is not asked for */
	EK_CAPTURE_WAITING, /* it may be */
	EK_CAPTURE_COPIED,  /* it is, unless its verdict says otherwise */
};

/* The packet that the CPU has in hand. */
struct ek_capture_note {
	__u64 state;
	struct ek_captured packet;
	__u8 bytes[2 * EK_CAPTURE_MAX_SNAP];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ek_capture_note);
} ek_cap_note SEC(".maps");

static __always_inline struct ek_capture_control *ek_capture_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ek_cap_control, &zero);
}

static __always_inline struct ek_capture_note *ek_capture_note(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ek_cap_note, &zero);
}

/* `to` has room for EK_CAPTURE_MAX_SNAP. */
static __always_inline __u32 ek_copy_frame(struct xdp_md *ctx, __u8 *to, __u32 length,
					   __u32 snaplen)
{
	__u32 last = (length < snaplen ? length : snaplen) - 1;

	/* Linux 6.1 does not see by a comparison with 0 that at least one byte is copied. */
	asm volatile("" : "+r"(last));
	if (last >= EK_CAPTURE_MAX_SNAP)
		return 0;
	return bpf_xdp_load_bytes(ctx, 0, to, last + 1) ? 0 : last + 1;
}

static __always_inline void ek_copy_arrival(struct xdp_md *ctx, struct ek_capture_note *note,
					    const struct ek_capture_control *control)
{
	note->packet.time_ns = bpf_ktime_get_ns();
	note->packet.length_in = (__u32)bpf_xdp_get_buff_len(ctx);
	note->packet.head_in =
	    ek_copy_frame(ctx, note->bytes, note->packet.length_in, control->snaplen);
	note->state = EK_CAPTURE_COPIED;
}

static __always_inline bool ek_capture_full(const struct ek_capture_control *control)
{
	return control->max_packets && READ_ONCE(control->taken) >= control->max_packets;
}

/*
 * The notes are functions of their own, so that the verifier walks each once, and the pipeline
 * around them keeps its registers and its stack.
 */
EK_APART int ek_note_arrival(struct xdp_md *ctx, __u32 active)
{
	struct ek_capture_control *control = ek_capture_control();
	struct ek_capture_note *note = ek_capture_note();

	if (!control || !note)
		return 0;
	note->state = EK_CAPTURE_OFF;
	/* The daemon may be dead: it says so by saying nothing. */
	if (bpf_ktime_get_coarse_ns() >= READ_ONCE(control->alive_until_ns) ||
	    ek_capture_full(control))
		return 0;
	note->packet.active = active;
	note->packet.vip = EK_CAPTURE_NONE;
	note->packet.backend = EK_CAPTURE_NONE;
	note->packet.slot = EK_CAPTURE_NONE;
	note->packet.ingress = ctx->ingress_ifindex;
	note->packet.egress = 0;
	note->state = EK_CAPTURE_WAITING;
	if (!(control->flags & (EK_CAPTURE_ONLY_VIPS | EK_CAPTURE_ONLY_BACKENDS)))
		ek_copy_arrival(ctx, note, control);
	return 0;
}

EK_APART int ek_note_vip_id(struct xdp_md *ctx, __u32 vip)
{
	struct ek_capture_control *control = ek_capture_control();
	struct ek_capture_note *note = ek_capture_note();

	if (!control || !note || note->state == EK_CAPTURE_OFF)
		return 0;
	note->packet.vip = vip;
	if (!(control->flags & EK_CAPTURE_ONLY_VIPS))
		return 0;
	if (!bpf_map_lookup_elem(&ek_cap_vips, &vip))
		note->state = EK_CAPTURE_OFF;
	else if (!(control->flags & EK_CAPTURE_ONLY_BACKENDS))
		ek_copy_arrival(ctx, note, control);
	return 0;
}

static __always_inline void ek_note_vip(struct xdp_md *ctx, const struct ek_vip *vip)
{
	ek_note_vip_id(ctx, vip->counter);
}

static __always_inline void ek_note_slot(__u64 hash, const struct ek_vip *vip)
{
	struct ek_capture_note *note = ek_capture_note();

	if (note)
		note->packet.slot = ek_hash_slot(hash, vip->table_size);
}

EK_APART int ek_note_backend_id(struct xdp_md *ctx, __u32 backend)
{
	struct ek_capture_control *control = ek_capture_control();
	struct ek_capture_note *note = ek_capture_note();

	if (!control || !note || note->state == EK_CAPTURE_OFF)
		return 0;
	note->packet.backend = backend;
	if (!(control->flags & EK_CAPTURE_ONLY_BACKENDS))
		return 0;
	if (bpf_map_lookup_elem(&ek_cap_backends, &backend))
		ek_copy_arrival(ctx, note, control);
	else
		note->state = EK_CAPTURE_OFF;
	return 0;
}

static __always_inline void ek_note_backend(struct xdp_md *ctx, const struct ek_backend *backend)
{
	ek_note_backend_id(ctx, backend->counter);
}

static __always_inline void ek_note_egress(__u32 ifindex)
{
	struct ek_capture_note *note = ek_capture_note();

	if (note)
		note->packet.egress = ifindex;
}

static __always_inline bool ek_leaves_as(enum ek_verdict verdict)
{
	return verdict == EK_FORWARD || verdict == EK_REPLY_ECHO || verdict == EK_REPLY_TOO_BIG;
}

static __always_inline void ek_copy_departure(struct xdp_md *ctx, struct ek_capture_note *note,
					      const struct ek_capture_control *control)
{
	__u32 in = note->packet.head_in;

	note->packet.length_out = (__u32)bpf_xdp_get_buff_len(ctx);
	asm volatile("" : "+r"(in));
	if (in > EK_CAPTURE_MAX_SNAP)
		return;
	note->packet.head_out =
	    ek_copy_frame(ctx, note->bytes + in, note->packet.length_out, control->snaplen);
}

static __always_inline long ek_submit(struct ek_capture_note *note)
{
	__u32 size = note->packet.head_in + note->packet.head_out;

	asm volatile("" : "+r"(size));
	if (size > 2 * EK_CAPTURE_MAX_SNAP)
		return -1;
	/* User space looks by itself: waking it would be work in the packet's time. */
	return bpf_ringbuf_output(&ek_cap_ring, &note->packet, sizeof(note->packet) + size,
				  BPF_RB_NO_WAKEUP);
}

static __always_inline void ek_add_one(__u64 *counter)
{
	if (counter)
		(*counter)++;
}

EK_APART int ek_note_end(struct xdp_md *ctx, __u32 verdict)
{
	struct ek_capture_control *control = ek_capture_control();
	struct ek_capture_note *note = ek_capture_note();
	struct ek_capture_count *count;

	if (!control || !note || note->state != EK_CAPTURE_COPIED)
		return 0;
	if (control->flags & EK_CAPTURE_ONLY_DROPS && verdict < EK_DROP_L3_TRUNCATED)
		return 0;
	count = bpf_map_lookup_elem(&ek_cap_counts, &note->packet.ingress);
	ek_add_one(count ? &count->matched : NULL);
	if (!ek_take_one(&control->due, note->packet.time_ns, control->rate)) {
		ek_add_one(count ? &count->over_rate : NULL);
		return 0;
	}
	if (__sync_fetch_and_add(&control->taken, 1) >= control->max_packets &&
	    control->max_packets) {
		__sync_fetch_and_sub(&control->taken, 1);
		return 0;
	}
	note->packet.verdict = verdict;
	note->packet.length_out = 0;
	note->packet.head_out = 0;
	note->packet.pad = 0;
	if (!ek_leaves_as(verdict))
		note->packet.egress = 0;
	else if (verdict != EK_FORWARD)
		note->packet.egress = note->packet.ingress;
	if (ek_leaves_as(verdict))
		ek_copy_departure(ctx, note, control);
	if (ek_submit(note)) {
		__sync_fetch_and_sub(&control->taken, 1);
		ek_add_one(count ? &count->no_room : NULL);
	}
	return 0;
}

static __always_inline void ek_note_leaving(struct xdp_md *ctx, enum ek_verdict verdict,
					    bool counting)
{
	if (counting)
		ek_note_end(ctx, verdict);
}

#endif /* EK_CAPTURE */

#endif /* EK_DATAPATH_CAPTURE_H */
