/* SPDX-License-Identifier: MIT */
/* Bytes of a function, in a machine full of them: before it has a view, and
 * with what its owner sees, its mappings and its MSI-X table. */
#include "bench.h"

#include "vpci/internal.h"

#define DEVICES 65536u

static uint64_t bytes_of(struct bench_host *b)
{
    struct pcv_host_stats stats;

    pcv_host_get_stats(b->host, &stats);
    return stats.bytes;
}

/* Let the views of all devices go, and see what that gives back. Nothing is
 * mapped or bound any more; the host is good for nothing afterwards but its
 * end. */
static uint64_t drop_views(struct bench_host *b)
{
    for (uint32_t i = 0; i < DEVICES; i++) {
        struct pcv_device *device = pcv_device_find(b->host, bench_sbdf(i));

        if (!device) {
            bench_fail("a device is not there", 0);
        }
        pcv__vpci_teardown(device);
        pcv__lock_take(&device->host->mem, &device->lock);
        pcv__vpci_free(device);
        pcv__lock_drop(&device->host->mem, &device->lock);
        pcv_device_put(device);
    }
    return bytes_of(b);
}

void bench_memory(void)
{
    struct bench_host b;
    uint64_t all, without;

    bench_heading("Memory of a function, of 65536, each with one BAR and "
                  "MSI-X of 16 entries");
    bench_host_make(&b, DEVICES, 1, true);
    all = bytes_of(&b);
    without = drop_views(&b);
    bench_row("memory of a function, registry", (double)without / DEVICES,
              "bytes", BENCH_AT_MOST, 512);
    bench_row("memory of a function, with vPCI", (double)all / DEVICES, "bytes",
              BENCH_AT_MOST, 3072);
    bench_host_end(&b);
}
