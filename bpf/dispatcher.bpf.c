// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The dispatcher that libxdp puts on a shared interface: calls the programs that share it in the
 * order of their priorities, as long as each one's verdict says to go on. libxdp fills in the
 * configuration and replaces prog0, prog1, ... by the programs (freplace).
 *
 * Names, layout and version are libxdp's protocol, version 2; other users of libxdp read and
 * replace this dispatcher as if it were their own. Ours differs in one point: its functions
 * declare that they may change the packet. Linux 6.12 and later refuse to replace a function
 * that does not by a program that does, as the balancer; see docs/adr/0007-attach.md.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/prog_dispatcher.h>

/* volatile: the value is not known before libxdp wrote it. The only map that there may be. */
const volatile struct xdp_dispatcher_config conf = {};

/* volatile: the compiler must not know what a function returns that is going to be replaced.
 * The length stays as it is; the call makes the function one that may change the packet. */
#define EK_ENTRY(n)                                                                                \
	__attribute__((noinline)) int prog##n(struct xdp_md *ctx)                                  \
	{                                                                                          \
		volatile int verdict = XDP_DISPATCHER_RETVAL;                                      \
                                                                                                   \
		if (!ctx)                                                                          \
			return XDP_ABORTED;                                                        \
		bpf_xdp_adjust_tail(ctx, 0);                                                       \
		return verdict;                                                                    \
	}

EK_ENTRY(0)
EK_ENTRY(1)
EK_ENTRY(2)
EK_ENTRY(3)
EK_ENTRY(4)
EK_ENTRY(5)
EK_ENTRY(6)
EK_ENTRY(7)
EK_ENTRY(8)
EK_ENTRY(9)
_Static_assert(MAX_DISPATCHER_ACTIONS == 10, "one entry for each program");

#define EK_CALL(n)                                                                                 \
	do {                                                                                       \
		int verdict;                                                                       \
                                                                                                   \
		if (programs <= (n))                                                               \
			return XDP_PASS;                                                           \
		verdict = prog##n(ctx);                                                            \
		if (!((1U << verdict) & conf.chain_call_actions[n]))                               \
			return verdict;                                                            \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	__u8 programs = conf.num_progs_enabled;

	EK_CALL(0);
	EK_CALL(1);
	EK_CALL(2);
	EK_CALL(3);
	EK_CALL(4);
	EK_CALL(5);
	EK_CALL(6);
	EK_CALL(7);
	EK_CALL(8);
	EK_CALL(9);
	return XDP_PASS;
}

/* What libxdp asks the kernel with, whether it can replace functions and take multi-buffer. */
SEC("xdp")
int xdp_pass(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
__uint(dispatcher_version, XDP_DISPATCHER_VERSION) SEC(XDP_METADATA_SECTION);
