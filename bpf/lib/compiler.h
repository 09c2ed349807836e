/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the packet code needs of a compiler; the same for the BPF target and for host C and C++. */
#ifndef EK_LIB_COMPILER_H
#define EK_LIB_COMPILER_H

#include <linux/types.h>

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

#ifndef likely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#endif /* EK_LIB_COMPILER_H */
