/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys and values of the pinned maps. The one definition for the BPF programs and for user space.
 *
 *   ek_control   ARRAY[1] of ek_control, mmapable    the active generation: one 32-bit word
 *   ek_vips4     ARRAY_OF_MAPS[EK_MAX_GENERATIONS]   generation -> HASH ek_vip_key4 -> ek_vip
 *   ek_vips6     ARRAY_OF_MAPS[EK_MAX_GENERATIONS]   generation -> HASH ek_vip_key6 -> ek_vip
 *   ek_tables    ARRAY_OF_MAPS[max tables]           table id -> ARRAY of ek_line, mmapable
 *   ek_rules4    ARRAY_OF_MAPS[EK_MAX_RULE_SETS]     set id -> LPM_TRIE ek_prefix4 -> action
 *   ek_rules6    ARRAY_OF_MAPS[EK_MAX_RULE_SETS]     set id -> LPM_TRIE ek_prefix6 -> action
 *   ek_flow_due  ARRAY[max VIPs]                     counter id -> ek_bucket of the VIP's new flows
 *   ek_src_due   LRU_HASH[EK_MAX_LIMITED_SOURCES]    ek_source_key -> when its next packet is due
 *   ek_gen_info  ARRAY[EK_MAX_GENERATIONS]           ek_gen_info, user space only
 *   ek_vip_stats / ek_be_stats  PERCPU_ARRAY         ek_counter by counter id
 *   ek_frags     LRU_HASH[EK_MAX_FRAGS]              ek_frag_key -> ek_frag, programs only
 *   ek_verdicts  PERCPU_ARRAY[EK_VERDICT_COUNT]      __u64 packets by verdict
 *   ek_pins      HASH[max pins]                      flow hash -> ek_pin, flows of moving slots
 *   ek_opening   LRU_HASH[EK_MAX_OPENING]            flow hash -> ek_pin, before the second packet
 *
 * Byte order: fields of type __be* are in network order, all others in host order.
 */
#ifndef EK_ABI_MAPS_H
#define EK_ABI_MAPS_H

#include <linux/types.h>

#include "bpf/abi/limits.h"
#include "bpf/abi/prefix.h"

#ifdef __cplusplus
#define EK_ABI_ASSERT(cond, text) static_assert(cond, text)
#else
#define EK_ABI_ASSERT(cond, text) _Static_assert(cond, text)
#endif

/*
 * The active word: the generation that packets use, and what that generation contains, so that a
 * lookup that cannot succeed is not made. Readers load it once per packet; the publisher replaces
 * it with one aligned 32-bit store. EK_ACTIVE_NONE: nothing published, every packet passes.
 */
#define EK_ACTIVE_GENERATION_MASK 0xffu
#define EK_ACTIVE_HAS_VIPS4	  (1u << 8)
#define EK_ACTIVE_HAS_VIPS6	  (1u << 9)
#define EK_ACTIVE_HAS_ANY_PORT4	  (1u << 10) /* some IPv4 VIP has port 0 */
#define EK_ACTIVE_HAS_ANY_PORT6	  (1u << 11)
#define EK_ACTIVE_NONE		  0u /* no HAS_ bit: no lookup is made */

struct ek_control {
	__u32 active; /* used by ek_balancer */
	__u32 staged; /* used by ek_verify: the generation under verification */
};
EK_ABI_ASSERT(sizeof(struct ek_control) == 8, "ek_control");

/*
 * proto is IPPROTO_TCP or IPPROTO_UDP. Port 0 matches every port of that protocol. The entry with
 * port 0 and proto 0 marks "this address belongs to some VIP" (flag EK_VIP_ADDRESS): it decides
 * whether a malformed packet is ours to drop.
 */
struct ek_vip_key4 {
	__be32 addr;
	__be16 port;
	__u8 proto;
	__u8 pad; /* 0 */
};
EK_ABI_ASSERT(sizeof(struct ek_vip_key4) == 8, "ek_vip_key4");

struct ek_vip_key6 {
	__be32 addr[4];
	__be16 port;
	__u8 proto;
	__u8 pad; /* 0 */
};
EK_ABI_ASSERT(sizeof(struct ek_vip_key6) == 20, "ek_vip_key6");

#define EK_VIP_ADDRESS	 (1u << 0) /* address marker, not a service */
#define EK_VIP_STATELESS (1u << 1) /* moving slots are followed at once: to the owner */
#define EK_VIP_PIN_ALL	 (1u << 2) /* no packet opens a flow: flows are pinned where they are met */
/* Not every source may have it: one of the fields that follow `flags` is not 0. */
#define EK_VIP_SOURCE_CHECKS (1u << 31)
#define EK_VIP_QUIC	     (1u << 3) /* QUIC: Initial packets open flows, connection ids route */
#define EK_VIP_HASH_SRC	     (1u << 4) /* the slot follows from the source address alone */
#define EK_VIP_HASH_PORT     (1u << 5) /* the slot follows from the destination port alone */
/*
 * In the address marker: later fragments whose first was not seen go where the addresses lead. The
 * marker then is the VIP for them.
 */
#define EK_VIP_FRAGMENTS (1u << 6)
#define EK_VIP_COPY_DSCP (1u << 7) /* the outer DSCP is the packet's, else EK_VIP_TOS() */

/* Outer TOS or traffic class: a DSCP, the ECN bits are 0. */
#define EK_VIP_TOS_MASK	       0xfc00u
#define EK_VIP_TOS(flags)      ((__u8)((flags) >> 8 & 0xfc))
#define EK_VIP_WITH_DSCP(dscp) ((__u32)(dscp) << 10)
/* Bits of the source address that EK_VIP_HASH_SRC takes, 0..32 and 0..128. */
#define EK_VIP_PREFIX4(flags)	   ((flags) >> 16 & 0x3f)
#define EK_VIP_PREFIX6(flags)	   ((flags) >> 22 & 0xff)
#define EK_VIP_WITH_PREFIXES(a, b) ((__u32)(a) << 16 | (__u32)(b) << 22)

/* A rate and what may come at once. */
struct ek_limit {
	__u32 interval_ns; /* between two at the rate; 0: no limit */
	__u32 burst;
};
EK_ABI_ASSERT(sizeof(struct ek_limit) == 8, "ek_limit");

/*
 * Sets of source rules are indices into ek_rules4 and ek_rules6, 0: none. Markers of addresses have
 * the global one, too.
 */
struct ek_vip {
	__u32 table;	    /* index into ek_tables */
	__u32 table_size;   /* slots; the backend lines start at ek_backend_line(table_size, 0) */
	__u32 counter;	    /* index into ek_vip_stats */
	__u32 flags;	    /* EK_VIP_* */
	__u16 global_rules; /* the same in every VIP of a generation */
	__u16 rules;	    /* the VIP's own */
	struct ek_limit source_limit;	/* packets of one source */
	struct ek_limit new_flow_limit; /* opening packets of all */
};
EK_ABI_ASSERT(sizeof(struct ek_vip) == 36, "ek_vip");

/* Times of CLOCK_MONOTONIC_COARSE, in ns. Apart, so that VIPs share no cache line. */
struct ek_bucket {
	__u64 due; /* of the next one at the rate */
	__u64 pad[7];
};
EK_ABI_ASSERT(sizeof(struct ek_bucket) == EK_LINE_SIZE, "ek_bucket is one cache line");

struct ek_source_key {
	__u32 vip;	/* counter id: it tells the family, too */
	__be32 addr[2]; /* IPv4: the address, 0; IPv6: the first 64 bits */
};
EK_ABI_ASSERT(sizeof(struct ek_source_key) == 12, "ek_source_key");

/*
 * Values of the tries. Each has a prefix of length 0, so that every address has an answer. They are
 * frozen once filled: nothing changes them any more.
 */
enum ek_source_action {
	EK_SOURCE_ALLOW = 0,
	EK_SOURCE_DENY = 1,
};

/*
 * A slot: owner and previous owner, pool-local ids, 0 = none (docs/adr/0005-track-what-moves.md).
 *
 *   {owner, 0}         steady: all to the owner, no flow is looked up
 *   {owner, previous}  moving: pinned flows where they are pinned, what opens a flow to the owner,
 *                      the rest to the previous owner
 *   {owner, owner}     tracked: as moving, with nothing left of the previous owner's
 *
 * The data path sets EK_SLOT_USED, and nothing else, when it sends to the previous owner. User
 * space may change the previous owner of a published slot, by atomic operations on the word.
 */
#define EK_SLOT_USED		 (1u << 31)
#define EK_SLOT(owner, previous) ((__u32)(__u16)(owner) | (__u32)(__u16)(previous) << 16)
#define EK_SLOT_OWNER(slot)	 ((__u16)((slot)&0x7fff))
#define EK_SLOT_PREVIOUS(slot)	 ((__u16)((slot) >> 16 & 0x7fff))

struct ek_nexthop {
	__u8 dmac[6];
	__u8 smac[6];
	__u32 ifindex;
};
EK_ABI_ASSERT(sizeof(struct ek_nexthop) == 16, "ek_nexthop");

enum ek_method {
	EK_METHOD_NONE = 0,  /* unused line */
	EK_METHOD_L2 = 1,    /* rewrite MAC addresses only */
	EK_METHOD_IPIP4 = 2, /* outer IPv4 (RFC 2003) */
	EK_METHOD_IPIP6 = 3, /* outer IPv6 (RFC 2473) */
	EK_METHOD_GUE4 = 4,  /* outer IPv4 and UDP (draft-ietf-intarea-gue, variant 1) */
	EK_METHOD_GUE6 = 5,  /* outer IPv6 and UDP */
};

/* Outer IPv4 header, all that does not depend on the packet. */
struct ek_outer4 {
	__be32 dst;
	__be32 src_base; /* source prefix, host bits 0 */
	__be32 src_mask; /* host bits: filled per flow from the hash */
	__u32 csum;	 /* unfolded one's complement sum (big-endian 16-bit words as loaded on this
			  * host) of the header with total length, source and checksum 0 */
	__u32 reserved[2]; /* 0; the first is the family for EK_METHOD_L2 */
};

/* Outer IPv6 header: a /64 source prefix, interface id filled per flow from the hash. */
struct ek_outer6 {
	__be32 dst[4];
	__be32 src_prefix[2];
};

/*
 * All a packet needs of its backend, in one cache line. User space may change the next hop of a
 * published entry: it writes the unused element of nexthop[], then stores nexthop_sel; the element
 * left behind is reused only after a grace period.
 */
struct ek_backend {
	__u8 nexthop_sel; /* 0: unresolved, packets are dropped; 1: nexthop[0]; 2: nexthop[1] */
	__u8 method;	  /* enum ek_method */
	__u16 mtu;	  /* of the path to the backend, bytes of the outer IP packet */
	__u32 counter;	  /* index into ek_be_stats */
	union {
		/*
		 * For EK_METHOD_L2, which programs do not read the union of: dst, and for user
		 * space the address's family, 4 or 6, in v4.reserved[0] = v6.src_prefix[0].
		 */
		struct ek_outer4 v4;
		struct ek_outer6 v6;
	} outer;
	struct ek_nexthop nexthop[2];
};
EK_ABI_ASSERT(sizeof(struct ek_backend) == EK_LINE_SIZE, "ek_backend is one cache line");

/*
 * QUIC-LB (draft-ietf-quic-load-balancers): how the pool's connection ids name a server, and where
 * the ids stand. It stands where the backend of id 0 would, whose method must read as "none".
 */
struct ek_table_head {
	__u8 zero;
	__u8 method;	/* EK_METHOD_NONE */
	__u8 config_id; /* 0..6, the first three bits of a connection id */
	__u8 id_len;	/* bytes of a server id, 1..8; 0: connection ids name no server */
	__u32 first;	/* line of the first bucket */
	__u32 mask;	/* buckets - 1; their number is a power of two */
	__u32 reserved[13];
};
EK_ABI_ASSERT(sizeof(struct ek_table_head) == EK_LINE_SIZE, "ek_table_head is one cache line");

/* One bucket of the server ids: those with ek_id_bucket(id, mask) == its number. */
#define EK_IDS_PER_LINE 4
struct ek_server_ids {
	struct {
		__u64 id;      /* big-endian number of id_len bytes */
		__u32 backend; /* pool-local id; 0: none */
		__u32 reserved;
	} entry[EK_IDS_PER_LINE];
};
EK_ABI_ASSERT(sizeof(struct ek_server_ids) == EK_LINE_SIZE, "ek_server_ids is one cache line");

static inline __u32 ek_id_bucket(__u64 id, __u32 mask)
{
	return (__u32)(id * 0x9e3779b97f4a7c15ULL >> 32) & mask;
}

union ek_line {
	__u32 slot[EK_SLOTS_PER_LINE];
	struct ek_backend backend;
	struct ek_table_head head;
	struct ek_server_ids ids;
};
EK_ABI_ASSERT(sizeof(union ek_line) == EK_LINE_SIZE, "ek_line is one cache line");

/* Lines of a table of `size` slots that hold slots. */
#define EK_SLOT_LINES(size) (((size) + EK_SLOTS_PER_LINE - 1) / EK_SLOTS_PER_LINE)
/* Line of the backend with pool-local id `id`; line EK_BACKEND_LINE(size, 0) is the table's head.
 */
#define EK_BACKEND_LINE(size, id) (EK_SLOT_LINES(size) + (id))

/* Per CPU. */
struct ek_counter {
	__u64 packets;	 /* forwarded */
	__u64 bytes;	 /* forwarded, IP total length before encapsulation */
	__u64 new_flows; /* TCP SYN without ACK, QUIC Initial among them */
	__u64 drops;	 /* matched, but dropped; the reason is in ek_verdicts */
};
EK_ABI_ASSERT(sizeof(struct ek_counter) == 32, "ek_counter");

/*
 * Where a flow stays whatever its slot says. The backend is the one with this id in the pool's
 * table as long as the counter is the same: counters are handed out anew only after all pins that
 * name them are gone.
 */
struct ek_pin {
	__u32 counter; /* ek_backend.counter */
	__u32 seen;    /* CLOCK_MONOTONIC_COARSE >> EK_SEEN_SHIFT, in ns, of the last packet */
	__u16 backend; /* pool-local id */
	__u16 flags;   /* EK_PIN_* */
};
EK_ABI_ASSERT(sizeof(struct ek_pin) == 12, "ek_pin");

#define EK_SEEN_SHIFT  30	 /* units of 1.07 s */
#define EK_PIN_CLOSING (1u << 0) /* TCP FIN or RST was seen */
#define EK_PIN_MET     (1u << 1) /* of a flow that was met, not seen to open: it may be an old one */

/* An opening packet of a flow seen this short before repeats it, or is not the client's. */
#define EK_REOPEN_AFTER 4 /* EK_SEEN units */

/* What a generation is, for the next daemon that finds it. Programs do not read this. */
struct ek_gen_info {
	__u64 revision;
	__u64 published_unix_ns;
	__u32 abi_version; /* EK_ABI_VERSION; 0: the generation is unused */
	__u32 active_word; /* the word that activates this generation */
	__u8 digest[32];   /* of the approved fleet (SHA-256) */
};
EK_ABI_ASSERT(sizeof(struct ek_gen_info) == 56, "ek_gen_info");

/* What the fragments of one packet have in common. */
struct ek_frag_key {
	__be32 src[4]; /* IPv4: the first word, the others 0 */
	__be32 dst[4];
	__be32 id;    /* IPv4: 16 bits of it */
	__u8 proto;   /* IPv4; 0 in IPv6, where only the first fragment's counts (RFC 8200, 4.5) */
	__u8 version; /* 4 or 6 */
	__u16 pad;    /* 0 */
};
EK_ABI_ASSERT(sizeof(struct ek_frag_key) == 40, "ek_frag_key");

/* What only the first fragment says. */
struct ek_frag {
	__u64 seen_ns; /* CLOCK_MONOTONIC_COARSE */
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3]; /* 0 */
};
EK_ABI_ASSERT(sizeof(struct ek_frag) == 16, "ek_frag");

/* Load-time configuration, the programs' read-only data. */
struct ek_config {
	__u64 hash_key[2];   /* the fleet's secret */
	__u32 too_big_rate;  /* answers per second and CPU; 0: none */
	__u32 too_big_burst; /* answers at once */
	__be16 gue_port;     /* destination port of GUE packets */
	__u16 pad[3];	     /* 0 */
};

#endif /* EK_ABI_MAPS_H */
