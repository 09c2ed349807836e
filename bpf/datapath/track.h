/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows of slots that change hands. A connection stays on its backend: the ones that open during
 * the move are pinned, the others are known to be older by not being so. What is not pinned writes
 * no memory per flow. See docs/adr/0005-track-what-moves.md.
 */
#ifndef EK_DATAPATH_TRACK_H
#define EK_DATAPATH_TRACK_H

#include "bpf/datapath/maps.h"
#include "bpf/lib/packet.h"

/* A packet that met a moving slot. */
struct ek_moving {
	__u64 flow; /* its hash: the flow, for all that tracking knows */
	__u32 *slot;
	__u32 word; /* *slot as it was read */
	__u32 table_size;
	__u8 flags; /* of the packet, EK_TCP_* */
	__u8 pin_all;
	__u8 counting; /* 0: no memory is written */
};

static __always_inline __u32 ek_now(void)
{
	return bpf_ktime_get_coarse_ns() >> EK_SEEN_SHIFT;
}

static __always_inline struct ek_backend *ek_get_backend(void *table, __u32 table_size, __u16 id)
{
	__u32 index = EK_BACKEND_LINE(table_size, id);
	union ek_line *line = bpf_map_lookup_elem(table, &index);

	return line ? &line->backend : NULL;
}

/* Whether the pinned backend still serves. */
static __always_inline bool ek_pin_holds(const struct ek_pin *pin, void *table, __u32 table_size)
{
	struct ek_backend *be = ek_get_backend(table, table_size, pin->backend);

	return be && be->method != EK_METHOD_NONE && be->counter == pin->counter;
}

static __always_inline int ek_make_pin(struct ek_pin *pin, void *table, __u32 table_size, __u16 id)
{
	struct ek_backend *be = ek_get_backend(table, table_size, id);

	if (!be)
		return -1;
	pin->counter = be->counter;
	pin->seen = ek_now();
	pin->backend = id;
	pin->flags = 0;
	return 0;
}

static __always_inline void ek_refresh_pin(const struct ek_moving *m, struct ek_pin *pin)
{
	__u32 now = ek_now();

	if (!m->counting)
		return;
	if (pin->seen != now)
		pin->seen = now;
	if (ek_closes_flow(m->flags))
		pin->flags |= EK_PIN_CLOSING;
}

/*
 * An opening packet: to the owner, unless it repeats one, or pretends to: who forges a SYN must not
 * move the connection that it names.
 */
static __always_inline __u16 ek_open_flow(const struct ek_moving *m, void *table)
{
	__u16 owner = EK_SLOT_OWNER(m->word);
	struct ek_pin *pin, fresh;

	pin = bpf_map_lookup_elem(&ek_pins, &m->flow);
	if (!pin)
		pin = bpf_map_lookup_elem(&ek_opening, &m->flow);
	if (pin && !(pin->flags & EK_PIN_CLOSING) && ek_now() - pin->seen < EK_REOPEN_AFTER &&
	    ek_pin_holds(pin, table, m->table_size)) {
		ek_refresh_pin(m, pin);
		return pin->backend;
	}
	if (!owner || !m->counting || ek_make_pin(&fresh, table, m->table_size, owner))
		return owner;
	/* Where there is no room the flow opens all the same, and may move with its slot. */
	bpf_map_update_elem(&ek_opening, &m->flow, &fresh, BPF_ANY);
	bpf_map_delete_elem(&ek_pins, &m->flow);
	return owner;
}

/* The second packet shows that somebody is there: from now on a flood cannot displace the pin. */
static __always_inline __u16 ek_promote_pin(const struct ek_moving *m, const struct ek_pin *opening)
{
	struct ek_pin pin = *opening;

	if (!m->counting)
		return pin.backend;
	pin.seen = ek_now();
	if (ek_closes_flow(m->flags))
		pin.flags |= EK_PIN_CLOSING;
	if (!bpf_map_update_elem(&ek_pins, &m->flow, &pin, BPF_ANY))
		bpf_map_delete_elem(&ek_opening, &m->flow);
	return pin.backend;
}

/* Not pinned: older than the move, or nobody's. */
static __always_inline __u16 ek_follow_previous(const struct ek_moving *m, void *table)
{
	__u16 previous = EK_SLOT_PREVIOUS(m->word);
	struct ek_pin pin;

	if (previous == EK_SLOT_OWNER(m->word) || !m->counting)
		return previous;
	if (m->pin_all) {
		if (ek_make_pin(&pin, table, m->table_size, previous))
			return previous;
		pin.flags = EK_PIN_MET;
		bpf_map_update_elem(&ek_opening, &m->flow, &pin, BPF_ANY);
	} else if (!(m->word & EK_SLOT_USED)) {
		__sync_fetch_and_or(m->slot, EK_SLOT_USED);
	}
	return previous;
}

/*
 * The backend of the pin is gone, and the flow with it. Where no packet opens flows nothing else
 * tells the end of the old one: the pin must not come back with its backend.
 */
static __always_inline __u16 ek_lose_pin(const struct ek_moving *m, void *table)
{
	if (!m->pin_all)
		return EK_SLOT_OWNER(m->word);
	if (m->counting) {
		bpf_map_delete_elem(&ek_pins, &m->flow);
		bpf_map_delete_elem(&ek_opening, &m->flow);
	}
	return ek_follow_previous(m, table);
}

/* The pool-local id of the backend for a packet of a slot that has a previous owner; 0: none. */
static __noinline __u16 ek_select_moving(const struct ek_moving *m, void *table)
{
	struct ek_pin *pin;

	if (ek_opens_flow(m->flags))
		return ek_open_flow(m, table);
	pin = bpf_map_lookup_elem(&ek_pins, &m->flow);
	if (pin) {
		if (!ek_pin_holds(pin, table, m->table_size))
			return ek_lose_pin(m, table);
		ek_refresh_pin(m, pin);
		return pin->backend;
	}
	pin = bpf_map_lookup_elem(&ek_opening, &m->flow);
	if (!pin)
		return ek_follow_previous(m, table);
	if (!ek_pin_holds(pin, table, m->table_size))
		return ek_lose_pin(m, table);
	return ek_promote_pin(m, pin);
}

#endif /* EK_DATAPATH_TRACK_H */
