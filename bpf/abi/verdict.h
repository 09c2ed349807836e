/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every way a packet can leave the balancer, from one list. The name is the label used in
 * `evenkeel status`, metrics and docs. Each packet is counted under exactly one verdict, except
 * FORWARD, which is folded into the counters of its VIP (struct ek_counter.packets) so that the
 * common path writes one cache line less; readers add those up.
 *
 * In order: forwarded, left to the host, answered by the balancer, dropped.
 *
 * X(symbol, name, explanation)
 */
#ifndef EK_ABI_VERDICT_H
#define EK_ABI_VERDICT_H

#define EK_VERDICT_LIST(X)                                                                         \
	X(FORWARD, "forward", "sent to a backend (counted per VIP)")                               \
	X(FORWARD_FRAGMENT, "forward_fragment",                                                    \
	  "later fragment sent by its addresses alone: its first was not seen (in forward, too)")  \
	X(PASS_NOT_IP, "pass_not_ip", "not IPv4 or IPv6 over Ethernet; left to the host")          \
	X(PASS_NO_VIP, "pass_no_vip",                                                              \
	  "no VIP matches address, protocol and port; left to the host")                           \
	X(PASS_UNREADABLE, "pass_unreadable",                                                      \
	  "headers cut short or inconsistent, and not for a VIP address; left to the host")        \
	X(REPLY_ECHO, "reply_echo", "echo request to a VIP address; answered")                     \
	X(REPLY_TOO_BIG, "reply_too_big",                                                          \
	  "larger than the path MTU after encapsulation; told the sender so, dropped")             \
	X(DROP_L3_TRUNCATED, "drop_l3_truncated", "IP header cut short")                           \
	X(DROP_L3_HEADER, "drop_l3_header", "bad IP version or header length")                     \
	X(DROP_L3_LENGTH, "drop_l3_length",                                                        \
	  "IP total length below its headers or beyond the frame")                                 \
	X(DROP_L3_EXT, "drop_l3_ext", "too many or malformed IPv6 extension headers")              \
	X(DROP_L4_TRUNCATED, "drop_l4_truncated", "TCP or UDP header cut short")                   \
	X(DROP_L4_HEADER, "drop_l4_header", "TCP data offset or UDP length out of range")          \
	X(DROP_FRAGMENT, "drop_fragment",                                                          \
	  "fragment for a VIP address whose first one was not seen")                               \
	X(DROP_TTL, "drop_ttl", "TTL or hop limit expired")                                        \
	X(DROP_SOURCE, "drop_source", "the source rules deny the client's address")                \
	X(DROP_SOURCE_LIMIT, "drop_source_limit", "above the VIP's limit of packets per source")   \
	X(DROP_NEW_FLOW_LIMIT, "drop_new_flow_limit", "above the VIP's limit of new flows")        \
	X(DROP_NO_BACKEND, "drop_no_backend", "the VIP's table has no backend for this slot")      \
	X(DROP_NO_NEXTHOP, "drop_no_nexthop", "the backend's next hop is not resolved")            \
	X(DROP_TOO_BIG, "drop_too_big",                                                            \
	  "as reply_too_big, but not told: no DF, not answerable, or above the rate limit")        \
	X(DROP_HEADROOM, "drop_headroom", "the driver left no room for the outer headers")         \
	X(DROP_INTERNAL, "drop_internal", "a table or map entry is missing; must stay zero")

enum ek_verdict {
#define EK_VERDICT_ENUM(sym, name, text) EK_##sym,
	EK_VERDICT_LIST(EK_VERDICT_ENUM)
#undef EK_VERDICT_ENUM
	    EK_VERDICT_COUNT,
};

#endif /* EK_ABI_VERDICT_H */
