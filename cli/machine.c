/* SPDX-License-Identifier: MIT */
/* A machine's domains and its size, in words. */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct domain_text domain_name(uint32_t id)
{
    struct domain_text text;

    if (id == PCV_DOMAIN_ID_HYPERVISOR) {
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
    if (strcmp(name, "dom0") != 0) {
        text_add(why, "there is no domain '");
        text_add_clean(why, name);
        text_add(why, "'; there is: dom0");
        return false;
    }
    *out_domain = machine->dom0;
    return true;
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
