/* SPDX-License-Identifier: MIT */
/* Memory from the host. */
#include "base/mem.h"

#ifndef PCV_DEBUG
#error "PCV_DEBUG must be defined as 0 or 1"
#endif
_Static_assert(PCV_DEBUG == 0 || PCV_DEBUG == 1, "PCV_DEBUG is 0 or 1");

void *pcv__alloc(struct pcv__mem *mem, size_t size)
{
    void *ptr = mem->ops.alloc(mem->ctx, size);

    if (ptr) {
        memset(ptr, 0, size);
        atomic_fetch_add_explicit(&mem->bytes, size, memory_order_relaxed);
    }
    return ptr;
}

void pcv__free(struct pcv__mem *mem, void *ptr, size_t size)
{
    if (ptr) {
        atomic_fetch_sub_explicit(&mem->bytes, size, memory_order_relaxed);
        mem->ops.free(mem->ctx, ptr, size);
    }
}

void pcv__bug(struct pcv__mem *mem, const char *file, int line,
              const char *what)
{
    if (mem->ops.bug) {
        mem->ops.bug(mem->ctx, file, line, what);
    }
}
