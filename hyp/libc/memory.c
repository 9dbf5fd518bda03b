/* SPDX-License-Identifier: MIT */
/* malloc() and its like, on the hypervisor's heap, which wants the size back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib.h"

/* In front of each piece. */
struct piece {
    _Alignas(16) size_t size; /* with this */
};

void *malloc(size_t size)
{
    struct piece *piece;

    if (size > SIZE_MAX - sizeof(*piece)) {
        return NULL;
    }
    piece = heap_alloc(sizeof(*piece) + size);
    if (!piece) {
        return NULL;
    }
    piece->size = sizeof(*piece) + size;
    return piece + 1;
}

void *calloc(size_t count, size_t size)
{
    void *memory = NULL;

    if (size == 0 || count <= SIZE_MAX / size) {
        memory = malloc(count * size);
    }
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *realloc(void *memory, size_t size)
{
    void *made = malloc(size);

    if (made && memory) {
        const struct piece *piece = (struct piece *)memory - 1;
        size_t had = piece->size - sizeof(*piece);

        memcpy(made, memory, had < size ? had : size);
        free(memory);
    }
    return made;
}

void free(void *memory)
{
    if (memory) {
        struct piece *piece = (struct piece *)memory - 1;

        heap_free(piece, piece->size);
    }
}

void abort(void)
{
    panic("a part of the hypervisor gave up");
}
