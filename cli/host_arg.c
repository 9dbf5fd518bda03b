/* SPDX-License-Identifier: MIT */
/* HOST: where a machine comes from, and its way up and down. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emulated.h"
#include "file.h"
#include "guests.h"
#include "machine.h"

#define GENERATE "generate:"

static void machine_event(void *arg, const struct pcv_event *event)
{
    struct event_log *log = arg;
    if (log->count >= EVENT_LOG_MAX) {
        log->lost++;
        return;
    }
    log->item =
        memory_grow(log->item, log->count, &log->room, sizeof(*log->item));
    log->item[log->count++] = *event;
}

/* Why a source was refused: "SPEC:LINE: text". What could not be opened is
 * called by its path in the text already. */
static void source_error(struct text *why, const char *spec, const char *path,
                         const struct pcv_model_error *error, int result)
{
    const char *text =
        error->text[0] != '\0' ? error->text : pcv_errno_meaning(result);
    size_t len = strlen(path);

    if (len > 0 && strncmp(text, path, len) == 0 &&
        strncmp(text + len, ": ", 2) == 0) {
        text += len + 2;
    }
    text_add_clean(why, spec);
    if (error->line != 0) {
        text_add(why, ":%u", error->line);
    }
    text_add(why, ": ");
    text_add_clean(why, text);
}

/* Fill the model from its source. */
static bool source_load(struct pcv_model *model, const char *spec,
                        const char *folder, struct text *why)
{
    struct pcv_model_error error = {0};
    struct text path = {0};
    int result;

    if (strcmp(spec, "live") == 0) {
        result = pcv_model_load_live(model, &error);
    } else if (strncmp(spec, GENERATE, strlen(GENERATE)) == 0) {
        result = pcv_model_generate(model, spec + strlen(GENERATE), &error);
    } else {
        file_path(&path, spec, folder);
        result = pcv_model_load_file(model, text_str(&path), &error);
    }
    if (result == 0) {
        result = pcv_model_ready(model, &error);
    }
    if (result != 0) {
        source_error(why, spec, text_str(&path), &error, result);
    }
    text_fini(&path);
    return result == 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * The functions that had to be reported are those that were added last; the
 * log keeps what else was said.
 */
static void events_sort(struct machine *machine, uint32_t reported)
{
    struct event_log *log = &machine->events;
    size_t added = 0;
    size_t kept = 0;

    for (size_t i = 0; i < log->count; i++) {
        added += log->item[i].kind == PCV_EVENT_ADDED;
    }
    size_t by_scan = reported <= added ? added - reported : 0;
    machine->reported = memory_zero(added - by_scan, sizeof(pcv_sbdf));
    for (size_t i = 0, seen = 0; i < log->count; i++) {
        if (log->item[i].kind != PCV_EVENT_ADDED) {
            log->item[kept++] = log->item[i];
        } else if (seen++ >= by_scan) {
            machine->reported[machine->reported_count++] = log->item[i].sbdf;
        }
    }
    log->count = kept;
}

/* Each run of buses gets a window, from 64 GiB on, 256 MiB apart. Where a
 * machine has more runs than a domain may have windows, the last have none. */
static bool windows_add(struct machine *machine, struct text *why)
{
    const struct pcv_host_ops *ops = pcv_model_ops();
    struct pcv_segment_info info;

    for (uint32_t i = 0; ops->segment(machine->model, i, &info) == 0; i++) {
        struct ecam_window window = {(UINT64_C(1) << 36) + ((uint64_t)i << 28),
                                     info.segment, info.bus_first,
                                     info.bus_last};
        int result =
            pcv_domain_add_ecam(machine->dom0, (pcv_gpa){window.base},
                                info.segment, info.bus_first, info.bus_last);
        if (result == -PCV_ENOSPC) {
            return true;
        }
        if (result != 0) {
            text_add(why, "an ECAM window of domain %04" PRIx32 ": %s %s",
                     pcv_model_domain_of(machine->model, info.segment),
                     pcv_errno_name(result), pcv_errno_meaning(result));
            return false;
        }
        machine->window = memory_resize(machine->window, machine->windows + 1,
                                        sizeof(window));
        machine->window[machine->windows++] = window;
    }
    return true;
}

/* Addresses need their domain unless all are in domain 0, as for lspci. */
static bool domains_needed(const struct pcv_model *model)
{
    struct pcv_model_facts facts;
    size_t count = pcv_model_count(model);

    /* In address order: only the first and the last segment matter. */
    if (count == 0) {
        return false;
    }
    if (pcv_model_facts_at(model, 0, &facts) &&
        pcv_model_domain_of(model, pcv_sbdf_segment(facts.sbdf)) != 0) {
        return true;
    }
    return pcv_model_facts_at(model, count - 1, &facts) &&
           pcv_model_domain_of(model, pcv_sbdf_segment(facts.sbdf)) != 0;
}

/* The host, and what it knows when the hardware domain starts. */
static int host_boot(struct machine *machine, enum machine_boot boot,
                     uint32_t *out_reported)
{
    if (boot == MACHINE_UNNUMBERED) {
        pcv_model_unnumber(machine->model);
        return pcv_model_host(machine->model, &machine->host);
    }
    return pcv_model_boot(machine->model, &machine->host, &machine->scan,
                          out_reported);
}

bool machine_open(struct machine *out_machine, const char *spec,
                  const char *folder, enum machine_boot boot, struct text *why)
{
    struct machine machine = {0};
    struct text unused = {0};
    uint32_t reported = 0;

    machine.model = pcv_model_create(1);
    if (machine.model == NULL) {
        text_add(why, "out of memory");
        return false;
    }
    if (!source_load(machine.model, spec, folder, why)) {
        goto fail;
    }
    machine.domains = domains_needed(machine.model);
    pcv_model_on_event(machine.model, machine_event, &machine.events);
    uint64_t start = now_ns();
    int result = host_boot(&machine, boot, &reported);
    machine.boot_ns = now_ns() - start;
    /* `machine` moves to the caller: no event may come meanwhile. */
    pcv_model_on_event(machine.model, NULL, NULL);
    if (result != 0) {
        machine.host = NULL;
        text_add_clean(why, spec);
        text_add(why, ": bring-up failed: %s %s", pcv_errno_name(result),
                 pcv_errno_meaning(result));
        goto fail;
    }
    events_sort(&machine, reported);
    machine.dom0 = pcv_host_hardware_domain(machine.host);
    if (!windows_add(&machine, why)) {
        goto fail;
    }
    *out_machine = machine;
    pcv_model_on_event(machine.model, machine_event, &out_machine->events);
    return true;
fail:
    machine_close(&machine, &unused);
    text_fini(&unused);
    return false;
}

/* Calls of host operations that make no sense are bugs of the library. */
static bool contract_kept(const struct pcv_model *model, struct text *why)
{
    uint64_t maps = pcv_model_map_errors(model);
    uint64_t binds = pcv_model_bind_errors(model);

    if (maps != 0 || binds != 0) {
        text_add(why,
                 "the library broke its contract: %" PRIu64
                 " times with mappings, %" PRIu64 " with messages",
                 maps, binds);
    }
    return maps == 0 && binds == 0;
}

bool machine_close(struct machine *machine, struct text *why)
{
    bool clean = true;

    if (machine->model == NULL) {
        return true;
    }
    /* What is torn down here is nobody's news. */
    pcv_model_on_event(machine->model, NULL, NULL);
    pcv_model_on_trace(machine->model, NULL, NULL);
    pcv_model_on_message(machine->model, NULL, NULL);
    for (unsigned op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        pcv_model_fail(machine->model, (enum pcv_model_op)op, 0);
    }
    int result = machine->host != NULL ? pcv_host_destroy(machine->host) : 0;
    if (result != 0) {
        text_add(why, "leak: the host is still held: %s %s",
                 pcv_errno_name(result), pcv_errno_meaning(result));
        clean = false;
    } else if (pcv_model_bytes(machine->model) != 0) {
        text_add(why, "leak: %" PRIu64 " bytes were not given back",
                 pcv_model_bytes(machine->model));
        clean = false;
    } else if (pcv_model_mapped_pages(machine->model) != 0) {
        text_add(why, "leak: %" PRIu64 " pages are still mapped",
                 pcv_model_mapped_pages(machine->model));
        clean = false;
    } else if (pcv_model_bound(machine->model, NULL) != 0) {
        text_add(why, "leak: %" PRIu64 " messages are still bound",
                 pcv_model_bound(machine->model, NULL));
        clean = false;
    } else {
        clean = contract_kept(machine->model, why);
    }
    pcv_model_destroy(machine->model);
    free(machine->reported);
    free(machine->events.item);
    free(machine->window);
    free(machine->guest);
    guests_forget_former(machine);
    emulated_fini(machine);
    for (size_t i = 0; i < machine->lents; i++) {
        free(machine->lent[i]);
    }
    free(machine->lent);
    memset(machine, 0, sizeof(*machine));
    return clean;
}

struct sbdf_text machine_sbdf(const struct machine *machine, pcv_sbdf sbdf)
{
    return format_sbdf(machine->model, machine->domains, sbdf);
}
