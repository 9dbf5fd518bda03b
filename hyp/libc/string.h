/* SPDX-License-Identifier: MIT */
/* The C library's header by its name; hyp/lib.h has them. */
#ifndef HYP_LIBC_STRING_H
#define HYP_LIBC_STRING_H

#include "lib.h"

#endif
