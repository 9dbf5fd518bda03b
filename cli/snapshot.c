/* SPDX-License-Identifier: MIT */
/* A machine at one moment. */
#include "snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void mappings_take(struct snapshot *snapshot, struct pcv_domain *domain)
{
    struct pcv_mapping mapping;
    uint64_t from = 0;
    size_t room = 0;

    while (pcv_domain_next_mapping(domain, from, &mapping) &&
           mapping.pages != 0) {
        snapshot->mapping = memory_grow(snapshot->mapping, snapshot->mappings,
                                        &room, sizeof(*snapshot->mapping));
        snapshot->mapping[snapshot->mappings++] = mapping;
        from = mapping.first_page + mapping.pages;
    }
}

static size_t regs_count(const struct pcv_model *model)
{
    struct pcv_model_facts facts;
    size_t count = 0;

    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        count += facts.config_size / 4u;
    }
    return count;
}

void snapshot_take(struct snapshot *out_snapshot, const struct machine *machine)
{
    struct pcv_model_facts facts;
    struct snapshot snapshot = {0};
    size_t at = 0;

    snapshot.regs = regs_count(machine->model);
    snapshot.reg = memory_zero(snapshot.regs, sizeof(*snapshot.reg));
    for (size_t i = 0; pcv_model_facts_at(machine->model, i, &facts); i++) {
        for (unsigned reg = 0; reg + 4 <= facts.config_size; reg += 4) {
            snapshot.reg[at++] =
                pcv_model_peek(machine->model, facts.sbdf, (uint16_t)reg, 4);
        }
    }
    mappings_take(&snapshot, machine->dom0);
    *out_snapshot = snapshot;
}

void snapshot_fini(struct snapshot *snapshot)
{
    free(snapshot->reg);
    free(snapshot->mapping);
    memset(snapshot, 0, sizeof(*snapshot));
}

static size_t regs_compare(const struct snapshot *before,
                           const struct machine *machine, struct text *out,
                           size_t max)
{
    struct pcv_model_facts facts;
    size_t count = 0;
    size_t at = 0;

    for (size_t i = 0; pcv_model_facts_at(machine->model, i, &facts); i++) {
        for (unsigned reg = 0; reg + 4 <= facts.config_size; reg += 4) {
            uint32_t was = at < before->regs ? before->reg[at++] : 0;
            uint32_t now =
                pcv_model_peek(machine->model, facts.sbdf, (uint16_t)reg, 4);
            if (was != now && count++ < max) {
                text_add(out,
                         "changed: %s %02x.l was %08" PRIx32 ", is %08" PRIx32
                         "\n",
                         machine_sbdf(machine, facts.sbdf).s, reg, was, now);
            }
        }
    }
    return count;
}

/* One more change, on a line unless there were enough. */
static void mapping_changed(struct text *out, size_t max, const char *what,
                            const struct pcv_mapping *mapping, size_t *count)
{
    if ((*count)++ >= max) {
        return;
    }
    text_add(out, "changed: %" PRIx64 "-%" PRIx64 " (",
             mapping->first_page << 12,
             (mapping->first_page + mapping->pages - 1) << 12 | 0xfff);
    text_add_count(out, mapping->users, "user");
    text_add(out, ") %s\n", what);
}

/* Both lists are in order of addresses: what only one of them has. */
static size_t mappings_compare(const struct snapshot *before,
                               const struct snapshot *after, struct text *out,
                               size_t max)
{
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;

    while (i < before->mappings && j < after->mappings) {
        const struct pcv_mapping *was = &before->mapping[i];
        const struct pcv_mapping *is = &after->mapping[j];
        if (was->first_page == is->first_page && was->pages == is->pages &&
            was->users == is->users) {
            i++;
            j++;
        } else if (was->first_page <= is->first_page) {
            mapping_changed(out, max, "was mapped", was, &count);
            i++;
        } else {
            mapping_changed(out, max, "is mapped now", is, &count);
            j++;
        }
    }
    for (; i < before->mappings; i++) {
        mapping_changed(out, max, "was mapped", &before->mapping[i], &count);
    }
    for (; j < after->mappings; j++) {
        mapping_changed(out, max, "is mapped now", &after->mapping[j], &count);
    }
    return count;
}

size_t snapshot_compare(const struct snapshot *before,
                        const struct machine *machine, struct text *out,
                        size_t max)
{
    struct snapshot after = {0};
    size_t count = regs_compare(before, machine, out, max);

    mappings_take(&after, machine->dom0);
    count +=
        mappings_compare(before, &after, out, max > count ? max - count : 0);
    snapshot_fini(&after);
    return count;
}
