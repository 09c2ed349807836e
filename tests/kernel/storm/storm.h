// SPDX-License-Identifier: Apache-2.0
/* Layouts that the storm's programs share with the test. */
#ifndef EK_TESTS_KERNEL_STORM_STORM_H
#define EK_TESTS_KERNEL_STORM_STORM_H

#include <linux/types.h>

/*
 * Packet `seq` is of kind seq % STORM_KINDS. The packets of a round, one of each kind, are of one
 * flow number.
 */
enum storm_kind {
  STORM_FIRST,       /* IPv4, pool "first": its backend's address is the generation */
  STORM_STATELESS,   /* IPv4 UDP, pool "many" */
  STORM_ESTABLISHED, /* IPv4 TCP, pool "many", flows older than the storm */
  STORM_LAST,        /* IPv6, pool "last": its backend's address is the generation */
  STORM_KINDS,
};

#define STORM_FLOWS 256 /* a power of two */
#define STORM_PACKETS (STORM_FLOWS * STORM_KINDS)
/* Generations that the checker knows the owners of: no packet of the wire is that late. */
#define STORM_STATES 256 /* a power of two */

/* Packets on their way at most: less than a veth ring holds, for what it cannot take is lost there
 * and not in the balancer. Linux 6.1 may leave the receiving to ksoftirqd for a while. */
#define STORM_IN_FLIGHT 192

#define STORM_FRAME 96
#define STORM_OUTER4 20
#define STORM_OUTER6 40
#define STORM_MAX_FRAME (STORM_FRAME + STORM_OUTER6)

/* At the end of each frame. */
struct storm_tail {
  __u64 seq;
  __u32 published; /* generation that was published when the packet was sent */
  __u32 pad;
};

struct storm_frame {
  __u64 word[STORM_FRAME / 8];
};

/* The frame that must arrive, but for the bits that `mask` leaves out. */
struct storm_expected {
  __u64 word[STORM_MAX_FRAME / 8];
  __u64 mask[STORM_MAX_FRAME / 8];
};

/* Numbers of the backends that flow `i` belongs to in a generation. 8 bytes, as elements of arrays
 * are. */
struct storm_owner {
  __u32 stateless;
  __u32 established;
};

enum storm_fault {
  STORM_LOST,        /* packets that are missing in the sequence */
  STORM_REPEATED,    /* came before, or late */
  STORM_WRONG_BYTES, /* not what the balancer must send, whatever the generation */
  STORM_STALE,       /* older generation than was published when the packet was sent */
  STORM_EARLY,       /* generation whose publication had not begun */
  STORM_WENT_BACK,   /* older generation than an earlier packet's */
  STORM_MIXED,       /* backend that no generation between the neighbours gives the flow */
  STORM_FAULTS,
};

struct storm_state {
  /* The test writes. */
  __u32 begun;     /* generation whose publication has begun */
  __u32 published; /* generation whose publication is over */
  /* The programs write. */
  __u64 sent;
  __u64 received;
  __u64 next; /* seq of the packet that comes next */
  __u32 generation;
  __u32 generations;         /* that were met */
  __u32 first;               /* generation of this round's first packet */
  __u64 round;               /* the round that these two are of: */
  __u32 number[STORM_KINDS]; /* backends that its packets went to */
  __u64 faults[STORM_FAULTS];
  __u64 first_fault_seq;        /* of the first one */
  __u32 first_fault_number;     /* backend */
  __u32 first_fault_generation; /* of the packet before */
};

#endif /* EK_TESTS_KERNEL_STORM_STORM_H */
