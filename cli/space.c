/* SPDX-License-Identifier: MIT */
/* Configuration space of a function, as hardware holds it. */
#include "space.h"

#include <string.h>

void space_take(struct space *out_space, const struct machine *machine,
                pcv_sbdf sbdf)
{
    struct pcv_model_facts facts;

    memset(out_space, 0xff, sizeof(*out_space));
    out_space->size = PCV_CFG_SIZE;
    if (pcv_model_facts_of(machine->model, sbdf, &facts) &&
        facts.config_size == PCV_CFG_EXT_SIZE) {
        out_space->size = PCV_CFG_EXT_SIZE;
    }
    for (uint16_t reg = 0; reg < out_space->size; reg++) {
        out_space->byte[reg] =
            (uint8_t)pcv_model_peek(machine->model, sbdf, reg, 1);
    }
}

uint32_t space_read(const struct space *space, uint16_t reg, uint8_t size)
{
    uint32_t value = 0;

    for (uint8_t i = 0; i < size && i < 4; i++) {
        uint32_t byte = 0xff;
        if (reg + i < space->size) {
            byte = space->byte[reg + i];
        }
        value |= byte << (8 * i);
    }
    return value;
}
