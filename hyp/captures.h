/* SPDX-License-Identifier: MIT */
/* Captured machines that are part of the image (captures.S). */
#ifndef HYP_CAPTURES_H
#define HYP_CAPTURES_H

#include <stddef.h>

struct capture {
    const char *name;
    const char *text; /* of lspci -vvvxxxx; no NUL at its end */
    size_t size;
};

/* The last has no name. */
extern const struct capture captures[];

#endif
