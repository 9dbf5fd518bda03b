/* SPDX-License-Identifier: MIT */
/* The C library's formats of <stdint.h>'s types; the one that is asked for. */
#ifndef HYP_LIBC_INTTYPES_H
#define HYP_LIBC_INTTYPES_H

#include <stdint.h>

#define PRIx32 "x"

#endif
