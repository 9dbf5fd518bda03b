/* SPDX-License-Identifier: MIT */
/* qsort(), as a heap sort: n log n comparisons whatever the order was. */
#include <stdint.h>
#include <stdlib.h>

struct list {
    uint8_t *base;
    size_t size; /* of an element */
    int (*compare)(const void *a, const void *b);
};

static uint8_t *at(const struct list *list, size_t index)
{
    return list->base + index * list->size;
}

static void swap(const struct list *list, size_t first, size_t second)
{
    uint8_t *a = at(list, first);
    uint8_t *b = at(list, second);

    for (size_t i = 0; i < list->size; i++) {
        uint8_t byte = a[i];

        a[i] = b[i];
        b[i] = byte;
    }
}

/* Let an element sink among the first `count`, until none below is larger. */
static void sink(const struct list *list, size_t index, size_t count)
{
    while (index < count / 2) {
        size_t below = 2 * index + 1;

        if (below + 1 < count &&
            list->compare(at(list, below), at(list, below + 1)) < 0) {
            below++;
        }
        if (list->compare(at(list, index), at(list, below)) >= 0) {
            return;
        }
        swap(list, index, below);
        index = below;
    }
}

void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *a, const void *b))
{
    struct list list = {base, size, compare};

    for (size_t i = count / 2; i > 0; i--) {
        sink(&list, i - 1, count);
    }
    for (size_t i = count; i > 1; i--) {
        swap(&list, 0, i - 1);
        sink(&list, 0, i - 1);
    }
}
