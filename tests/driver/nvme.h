/* SPDX-License-Identifier: MIT */
/*
 * A minimal driver of something like NVMe: one 64-bit BAR with its registers
 * and its MSI-X table, one vector a queue (NVM Express Base 2.0, 3.1).
 */
#ifndef PCV_TESTS_DRIVER_NVME_H
#define PCV_TESTS_DRIVER_NVME_H

#include "function.h"
#include "irq.h"

#define NVME_VENDOR 0x144du
#define NVME_DEVICE 0xa824u
#define NVME_CLASS 0x010802u

struct nvme {
    struct bus_function *fn;
    struct irq_msix msix;
    uint64_t regs; /* address */
};

/* From a function as found to a running controller. */
const char *nvme_up(struct nvme *nvme, struct bus_function *fn);
/* All of its vectors. */
const char *nvme_interrupts(const struct nvme *nvme);
/* By FLR; then it is brought up again. */
const char *nvme_reset(struct nvme *nvme);
/* D3hot and back; vectors still arrive. */
const char *nvme_suspend(const struct nvme *nvme);
const char *nvme_down(const struct nvme *nvme);

#endif
