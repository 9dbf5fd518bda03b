/* SPDX-License-Identifier: MIT */
/* A machine's domains and its size, in words; and its time. */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guests.h"

/* More than a machine of the model takes; beyond it there is a bug. */
#define STEPS_MAX 100000000u

struct domain_text machine_domain_name(const struct machine *machine,
                                       uint32_t id)
{
    const char *guest = guest_name_of(machine, id);
    struct domain_text text;

    if (guest != NULL) {
        snprintf(text.s, sizeof(text.s), "%s", guest);
    } else if (id == PCV_DOMAIN_ID_HYPERVISOR) {
        snprintf(text.s, sizeof(text.s), "hypervisor");
    } else if (id == PCV_DOMAIN_ID_QUARANTINE) {
        snprintf(text.s, sizeof(text.s), "quarantine");
    } else {
        snprintf(text.s, sizeof(text.s), "dom%" PRIu32, id);
    }
    return text;
}

bool machine_domain(const struct machine *machine, const char *name,
                    struct pcv_domain **out_domain, struct text *why)
{
    const struct guest *guest = guest_named(machine, name);

    if (strcmp(name, "dom0") == 0) {
        *out_domain = machine->dom0;
        return true;
    }
    if (guest != NULL) {
        *out_domain = guest->domain;
        return true;
    }
    text_add(why, "there is no domain '");
    text_add_clean(why, name);
    text_add(why, "'; there %s: dom0", machine->guests > 0 ? "are" : "is");
    for (size_t i = 0; i < machine->guests; i++) {
        text_add(why, ", %s", machine->guest[i].name);
    }
    return false;
}

const struct ecam_window *machine_windows(const struct machine *machine,
                                          const struct pcv_domain *domain,
                                          size_t *out_count)
{
    const struct guest *guest = guest_of(machine, pcv_domain_id(domain));

    *out_count = guest != NULL ? 1 : machine->windows;
    return guest != NULL ? &guest->ecam : machine->window;
}

bool machine_again(const struct machine *machine, pcv_sbdf sbdf,
                   uint32_t *steps, uint64_t *out_wait_us)
{
    *out_wait_us = 0;
    if (machine->clock) {
        struct pcv_device *device = pcv_device_find(machine->host, sbdf);
        if (device != NULL) {
            *out_wait_us = pcv_device_wait_us(device);
            pcv_device_put(device);
        }
    }
    return *out_wait_us == 0 && ++*steps < STEPS_MAX;
}

void machine_add_size(struct machine *machine, struct text *text)
{
    uint64_t functions = 0;
    uint64_t buses = 0;
    uint32_t last = UINT32_MAX;
    pcv_sbdf from = {0};

    for (;;) {
        struct pcv_device *device = pcv_device_next(machine->host, from);
        if (device == NULL) {
            break;
        }
        pcv_sbdf sbdf = pcv_device_sbdf(device);
        pcv_device_put(device);
        functions++;
        buses += sbdf.v >> 8 != last;
        last = sbdf.v >> 8;
        if (sbdf.v == UINT32_MAX) {
            break;
        }
        from.v = sbdf.v + 1;
    }
    text_add_count(text, functions, "function");
    text_add(text, " on ");
    text_add_count(text, buses, "bus");
}
