// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends the packets of the update storm and checks each one that the balancer sends back. Both
 * programs run on one CPU, on one wire: packets arrive in the order in which they were sent.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>

#include "tests/kernel/storm/storm.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, STORM_PACKETS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct storm_frame);
} storm_frames SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, STORM_PACKETS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct storm_expected);
} storm_expected SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, STORM_STATES* STORM_FLOWS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct storm_owner);
} storm_owners SEC(".maps");

struct storm_state storm = {};

#define READ_ONCE(x) (*(const volatile typeof(x)*)&(x))

/* The whole frame: the buffer's last user has changed it. */
SEC("xdp")
int storm_send(struct xdp_md* ctx) {
  struct storm_frame* frame = (void*)(long)ctx->data;
  __u64 seq = storm.sent;
  __u32 index = seq % STORM_PACKETS;
  struct storm_frame* wanted = bpf_map_lookup_elem(&storm_frames, &index);
  struct storm_tail* tail;

  if (seq - storm.next >= STORM_IN_FLIGHT) return XDP_DROP;
  if (!wanted || (void*)(frame + 1) > (void*)(long)ctx->data_end) return XDP_ABORTED;
  *frame = *wanted;
  tail = (void*)(frame + 1);
  --tail;
  tail->seq = seq;
  tail->published = READ_ONCE(storm.published);
  tail->pad = 0;
  storm.sent = seq + 1;
  return XDP_TX;
}

static __always_inline void storm_note(enum storm_fault fault, __u64 count, __u64 seq,
                                       __u32 number) {
  int i;
  __u64 before = 0;

  for (i = 0; i < STORM_FAULTS; ++i) before += storm.faults[i];
  if (!before) {
    storm.first_fault_seq = seq;
    storm.first_fault_number = number;
    storm.first_fault_generation = storm.generation;
  }
  storm.faults[fault] += count;
}

/* The backend's number from the last four bytes of its address: 10.<pool>.<n / 250>.<n % 250 + 1>,
 * or the number itself. */
static __always_inline __u32 storm_number(const __u8* end, __u32 outer) {
  if (outer == STORM_OUTER4) return end[2] * 250 + end[3] - 1;
  return (__u32)end[0] << 24 | end[1] << 16 | end[2] << 8 | end[3];
}

/* A packet whose backend's address is a generation. */
static __always_inline void storm_see(__u64 seq, __u32 published, __u32 generation) {
  if (generation < storm.generation)
    storm_note(STORM_WENT_BACK, 1, seq, generation);
  else if (generation < published)
    storm_note(STORM_STALE, 1, seq, generation);
  else if (generation > READ_ONCE(storm.begun))
    storm_note(STORM_EARLY, 1, seq, generation);
  storm.generations += generation > storm.generation;
  storm.generation = generation;
}

/*
 * The packets between the first and the last of a round met generations between theirs, in order:
 * the earliest that gives the stateless flow its backend, then one that gives the established flow
 * its own.
 */
static __always_inline void storm_judge_round(__u64 seq, __u32 flow) {
  int stateless_done = 0;
  __u32 i;

  for (i = 0; i < STORM_STATES; ++i) {
    __u32 generation = storm.first + i;
    __u32 index = generation % STORM_STATES * STORM_FLOWS + flow;
    struct storm_owner* owner = bpf_map_lookup_elem(&storm_owners, &index);

    if (!owner || generation > storm.generation) break;
    if (owner->stateless == storm.number[STORM_STATELESS]) stateless_done = 1;
    if (stateless_done && owner->established == storm.number[STORM_ESTABLISHED]) return;
  }
  storm_note(STORM_MIXED, 1, seq, storm.number[STORM_STATELESS]);
}

/* Whether the frame, but for what its backend decides, is what packet `seq` must become. */
static __always_inline int storm_equal(const void* frame, __u32 length, __u32 index) {
  struct storm_expected* expected = bpf_map_lookup_elem(&storm_expected, &index);
  const __u64* word = frame;
  __u64 differ = 0;
  __u32 i;

  if (!expected) return 0;
#pragma unroll
  for (i = 0; i < length / 8; ++i) differ |= (word[i] ^ expected->word[i]) & expected->mask[i];
  if (length % 8) {
    __u32 last = *(const __u32*)&word[length / 8];

    differ |= (last ^ (__u32)expected->word[i]) & (__u32)expected->mask[i];
  }
  return !differ;
}

/* The header's checksum is of the backend's entry, as the address is. */
static __always_inline int storm_checksum_holds(const __u8* header) {
  const __u16* half = (const __u16*)header;
  __u32 sum = 0;
  int i;

#pragma unroll
  for (i = 0; i < STORM_OUTER4 / 2; ++i) sum += half[i];
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

static __always_inline int storm_check_frame(const __u8* frame, __u32 outer) {
  const struct storm_tail* tail = (const void*)(frame + outer + STORM_FRAME);
  /* Of the outer destination; the next hop's MAC address ends in them too. */
  const __u8* end = frame + ETH_HLEN + (outer == STORM_OUTER4 ? 16 : 36);
  __u32 number = storm_number(end, outer);
  __u64 seq, round;
  __u32 kind;

  --tail;
  seq = tail->seq;
  round = seq / STORM_KINDS;
  kind = seq % STORM_KINDS;
  storm.received++;
  if (seq > storm.next) storm_note(STORM_LOST, seq - storm.next, seq, number);
  if (seq < storm.next) {
    storm_note(STORM_REPEATED, 1, seq, number);
    return XDP_DROP;
  }
  storm.next = seq + 1;
  if (!storm_equal(frame, STORM_FRAME + outer, seq % STORM_PACKETS) || frame[2] != end[0] ||
      frame[3] != end[1] || frame[4] != end[2] || frame[5] != end[3] ||
      (outer == STORM_OUTER4 && !storm_checksum_holds(frame + ETH_HLEN))) {
    storm_note(STORM_WRONG_BYTES, 1, seq, number);
    return XDP_DROP;
  }
  if (kind == STORM_FIRST || kind == STORM_LAST) storm_see(seq, tail->published, number);
  if (kind == STORM_FIRST) {
    storm.first = storm.generation;
    storm.round = round;
    storm.number[STORM_STATELESS] = storm.number[STORM_ESTABLISHED] = 0;
  }
  storm.number[kind] = number;
  /* Rounds with a loss are at fault anyway. */
  if (kind == STORM_LAST && storm.round == round && storm.number[STORM_STATELESS] &&
      storm.number[STORM_ESTABLISHED])
    storm_judge_round(seq, round % STORM_FLOWS);
  return XDP_DROP;
}

/* On the sender's end of the wire. Other frames show as losses of what they should be. */
SEC("xdp")
int storm_check(struct xdp_md* ctx) {
  const __u8* frame = (void*)(long)ctx->data;
  const __u8* end = (void*)(long)ctx->data_end;
  __u32 length = ctx->data_end - ctx->data;

  if (length == STORM_FRAME + STORM_OUTER6 && frame + STORM_FRAME + STORM_OUTER6 <= end)
    return storm_check_frame(frame, STORM_OUTER6);
  if (length == STORM_FRAME + STORM_OUTER4 && frame + STORM_FRAME + STORM_OUTER4 <= end)
    return storm_check_frame(frame, STORM_OUTER4);
  return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
