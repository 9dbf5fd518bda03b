/* SPDX-License-Identifier: MIT */
/* One machine, for the library and for the yardstick. */
#include "bench.h"
#include "yardstick.h"

static struct pcv_register rows[BENCH_REGISTERS];

static void make_rows(void)
{
    for (uint32_t i = 0; i < BENCH_REGISTERS; i++) {
        rows[i].name = "Bench Stored";
        rows[i].offset = (uint16_t)(BENCH_FIRST_REGISTER + 4u * i);
        rows[i].size = 4;
        rows[i].policy.virt = 0xffffffffu;
        rows[i].initial = i;
    }
}

void bench_machine_make(struct bench_host *b, struct yard **out_yard,
                        uint32_t devices)
{
    make_rows();
    bench_host_make(b, devices, 1, false);
    *out_yard = yard_create(bench_host_ops(), b);
    for (uint32_t i = 0; i < devices; i++) {
        struct pcv_device *device = pcv_device_find(b->host, bench_sbdf(i));
        struct yard_device *other = yard_add(*out_yard, bench_sbdf(i));

        for (uint32_t j = 0; j < BENCH_REGISTERS; j++) {
            if (pcv_register_add(device, &rows[j], NULL) != 0) {
                bench_fail("a register", 0);
            }
            yard_add_register(other, rows[j].offset, rows[j].initial);
        }
        pcv_device_put(device);
    }
}
