/* SPDX-License-Identifier: MIT */
/*
 * What we tell compilers that they cannot see. A compiler that knows none of it
 * builds the same program, only slower.
 */
#ifndef PCV_BASE_COMPILER_H
#define PCV_BASE_COMPILER_H

/*
 * A function off the path that all accesses take. Not inlined there, so that
 * what it needs (registers, above all) costs only those that come to it.
 */
#if defined(__GNUC__) || defined(__clang__)
#define PCV__APART __attribute__((noinline))
#define PCV__RARE __attribute__((noinline, cold))
#define PCV__LIKELY(condition) __builtin_expect(!!(condition), 1)
#else
#define PCV__APART
#define PCV__RARE
#define PCV__LIKELY(condition) (condition)
#endif

#endif
