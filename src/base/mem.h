/* SPDX-License-Identifier: MIT */
/*
 * Memory from the host, counted, and the four functions of C's library that a
 * freestanding program may rely on.
 */
#ifndef PCV_BASE_MEM_H
#define PCV_BASE_MEM_H

#include <stdatomic.h>

#include "pcivisor/port.h"

/* Without names: a hosted program's string.h, which the library cannot include,
 * declares them too and names their parameters in its own way. */
/* NOLINTBEGIN(readability-redundant-declaration) */
void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
/* NOLINTEND(readability-redundant-declaration) */

/* The port as the lower floors see it: who gives memory, locks, a CPU. */
struct pcv__mem {
    struct pcv_host_ops ops; /* a copy; entries that the host lacks are NULL */
    void *ctx;
    _Atomic uint64_t bytes; /* taken and not given back */
    struct pcv__held *held; /* locks held, by CPU: debug builds only */
    uint32_t cpus;
};

/* Zeroed memory, or NULL. */
void *pcv__alloc(struct pcv__mem *mem, size_t size);
/* NULL is allowed; the size is that of the allocation. */
void pcv__free(struct pcv__mem *mem, void *ptr, size_t size);

/* Our own bug: told to the host in debug builds, never a branch on data that
 * comes from outside. */
void pcv__bug(struct pcv__mem *mem, const char *file, int line,
              const char *what);

#if PCV_DEBUG
#define PCV__ASSERT(mem, condition)                                            \
    do {                                                                       \
        if (!(condition)) {                                                    \
            pcv__bug((mem), __FILE__, __LINE__, #condition);                   \
        }                                                                      \
    } while (0)
#else
#define PCV__ASSERT(mem, condition) ((void)0)
#endif

#endif
