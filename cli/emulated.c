/* SPDX-License-Identifier: MIT */
/* Emulated functions with a BAR of plain memory, little-endian. */
#include "emulated.h"

#include <stdlib.h>
#include <string.h>

static int memory_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                       uint64_t *out_value)
{
    const struct emulated *emulated = ctx;

    (void)bar;
    *out_value = 0;
    for (unsigned i = 0; i < size; i++) {
        *out_value |= (uint64_t)emulated->memory[offset + i] << (8 * i);
    }
    return 0;
}

static int memory_write(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                        uint64_t value)
{
    struct emulated *emulated = ctx;

    (void)bar;
    for (unsigned i = 0; i < size; i++) {
        emulated->memory[offset + i] = (uint8_t)(value >> (8 * i));
    }
    return 0;
}

struct emulated *emulated_at(const struct machine *machine, pcv_sbdf sbdf)
{
    for (size_t i = 0; i < machine->emulateds; i++) {
        if (machine->emulated[i]->sbdf.v == sbdf.v) {
            return machine->emulated[i];
        }
    }
    return NULL;
}

static void emulated_free(struct emulated *emulated)
{
    free(emulated->memory);
    free(emulated);
}

int emulated_add(struct machine *machine, const struct pcv_emulated_info *info)
{
    static const struct pcv_emulated_ops ops = {memory_read, memory_write};
    /* What is too large is the library's to refuse. */
    size_t size = info->bar_size <= PCV_EMULATED_BAR_MAX
                      ? (size_t)info->bar_size
                      : PCV_EMULATED_BAR_MAX;
    struct emulated *emulated = memory_zero(1, sizeof(*emulated));

    emulated->sbdf = info->sbdf;
    emulated->memory = memory_zero(size + 1, 1);
    int result = pcv_emulated_create(machine->dom0, info, &ops, emulated,
                                     &emulated->function);
    if (result != 0) {
        emulated_free(emulated);
        return result;
    }
    machine->emulated = memory_resize(machine->emulated, machine->emulateds + 1,
                                      sizeof(*machine->emulated));
    machine->emulated[machine->emulateds++] = emulated;
    return 0;
}

int emulated_remove(struct machine *machine, struct emulated *emulated)
{
    int result = pcv_emulated_destroy(emulated->function);

    for (size_t i = 0; result == 0 && i < machine->emulateds; i++) {
        if (machine->emulated[i] == emulated) {
            machine->emulateds--;
            memmove(&machine->emulated[i], &machine->emulated[i + 1],
                    (machine->emulateds - i) * sizeof(*machine->emulated));
            emulated_free(emulated);
            break;
        }
    }
    return result;
}

void emulated_fini(struct machine *machine)
{
    for (size_t i = 0; i < machine->emulateds; i++) {
        emulated_free(machine->emulated[i]);
    }
    free(machine->emulated);
    machine->emulated = NULL;
    machine->emulateds = 0;
}
