/* SPDX-License-Identifier: MIT */
/* Where the memory behind lib.h comes from. */
#ifndef HYP_HEAP_H
#define HYP_HEAP_H

#include <stdint.h>

/* Once: what the hypervisor may use. Whole pages. */
void heap_init(uint64_t base, uint64_t size);

#endif
