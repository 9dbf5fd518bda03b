/* SPDX-License-Identifier: MIT */
/*
 * Configuration space of a function, as hardware holds it at one moment.
 */
#ifndef PCIVISOR_CLI_SPACE_H
#define PCIVISOR_CLI_SPACE_H

#include "machine.h"

struct space {
    uint8_t byte[PCV_CFG_EXT_SIZE];
    uint16_t size; /* 256 or 4096 */
};

/* Its bytes, from the model's memory; all ones where there is nothing. */
void space_take(struct space *out_space, const struct machine *machine,
                pcv_sbdf sbdf);
/* 1 to 4 bytes, the lowest first. */
uint32_t space_read(const struct space *space, uint16_t reg, uint8_t size);

#endif
