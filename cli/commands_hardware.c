/* SPDX-License-Identifier: MIT */
/* Commands that play the hardware and the host: interrupts, DMA, extended
 * space, time. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "pcivisor/regs.h"

#define DMA_TIMES_MAX 1000000u
#define RESTARTS_MAX 100000000u /* beyond it there is a bug */

/* MSI and MSI-X (PCI Local Bus 3.0, 6.8.1 and 6.8.2): message control. */
#define MESSAGE_CONTROL 2u
#define MSIX_ENABLE 0x8000u

/* ---- messages ------------------------------------------------------------ */

/* Which kind a function would send: MSI-X if that is enabled in hardware. */
static bool uses_msix(const struct call *call, pcv_sbdf sbdf)
{
    struct view view = {call->view.machine, NULL, VIEW_ADDRESS};
    struct view_caps *caps = memory_zero(1, sizeof(*caps));
    bool msix = false;

    view_caps_read(&view, sbdf, false, caps);
    for (size_t i = 0; i < caps->count; i++) {
        if (caps->cap[i].id == PCV_CAP_ID_MSIX) {
            uint16_t reg = (uint16_t)(caps->cap[i].offset + MESSAGE_CONTROL);
            msix = (view_read(&view, sbdf, reg, 2) & MSIX_ENABLE) != 0;
        }
    }
    free(caps);
    return msix;
}

/* raise SBDF [msi|msix] VECTOR: what arrives is printed by the session. */
static enum command_result device_raise(struct call *call)
{
    char *const *word = call->args.word;
    bool named = call->args.count == 4;
    struct pcv_model_message message;
    uint64_t vector;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 1, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (named && strcmp(word[2], "msi") != 0 && strcmp(word[2], "msix") != 0) {
        return call_misused(call, "expected msi or msix, got '%s'", word[2]);
    }
    if (!parse_number(word[call->args.count - 1], 2047, &vector)) {
        return call_misused(call, "expected a vector from 0 to 2047, got '%s'",
                            word[call->args.count - 1]);
    }
    bool msix = named ? strcmp(word[2], "msix") == 0 : uses_msix(call, sbdf);
    enum pcv_model_raised raised = pcv_model_raise(
        call->session->machine.model, sbdf, msix, (uint16_t)vector, &message);
    text_add(call->out, "%s: %s vector %" PRIu64 " %s\n",
             call_show(call, sbdf).s, msix ? "MSI-X" : "MSI", vector,
             pcv_model_raised_name(raised));
    return COMMAND_DONE;
}

/* ---- DMA ----------------------------------------------------------------- */

/* A storm: what the IOMMU refused, and what was not even sent. */
static void dma_repeat(const struct call *call, pcv_sbdf sbdf, uint64_t address,
                       bool write, uint64_t times)
{
    const struct machine *machine = &call->session->machine;
    uint64_t refused = 0;
    uint64_t silent = 0;

    for (uint64_t i = 0; i < times; i++) {
        int result = pcv_model_dma(machine->model, sbdf, address, write, NULL);

        refused += result == -PCV_EFAULT;
        silent += result != 0 && result != -PCV_EFAULT;
        (void)pcv_model_tell_faults(machine->model, machine->host);
    }
    text_add(call->out, "%s: %" PRIu64 " %s at %" PRIx64 ": %" PRIu64,
             call_show(call, sbdf).s, times, write ? "writes" : "reads",
             address, times - refused - silent);
    text_add(call->out, " done, %" PRIu64 " faulted, %" PRIu64 " not sent\n",
             refused, silent);
}

static enum command_result dma_once(struct call *call, pcv_sbdf sbdf,
                                    uint64_t address, bool write)
{
    const struct machine *machine = &call->session->machine;
    uint32_t domain_id = 0;
    int result =
        pcv_model_dma(machine->model, sbdf, address, write, &domain_id);

    (void)pcv_model_tell_faults(machine->model, machine->host);
    if (result == -PCV_EPERM) {
        return call_failed(call, result,
                           "%s: its bus mastering is off, or it sleeps",
                           call_show(call, sbdf).s);
    }
    if (result == -PCV_EFAULT) {
        return call_failed(call, result, "%s: the IOMMU refuses it %" PRIx64,
                           call_show(call, sbdf).s, address);
    }
    if (result != 0) {
        return call_refused(call, ABOUT_DMA, result, call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: %s memory of %s at %" PRIx64 "\n",
             call_show(call, sbdf).s, write ? "writes" : "reads",
             machine_domain_name(machine, domain_id).s, address);
    return COMMAND_DONE;
}

/* dma SBDF ADDRESS [read|write] [TIMES]: faults are told to the library at
 * once, as an interrupt would. */
static enum command_result device_dma(struct call *call)
{
    char *const *word = call->args.word;
    uint64_t address;
    uint64_t times = 0;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 1, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!parse_hex(word[2], UINT64_MAX, &address)) {
        return call_misused(call, "expected a hexadecimal address, got '%s'",
                            word[2]);
    }
    bool write = call->args.count >= 4 && strcmp(word[3], "write") == 0;
    if (call->args.count >= 4 && !write && strcmp(word[3], "read") != 0) {
        return call_misused(call, "expected read or write, got '%s'", word[3]);
    }
    if (call->args.count == 5 &&
        !parse_number(word[4], DMA_TIMES_MAX, &times)) {
        return call_misused(call, "expected how often, up to %u, got '%s'",
                            DMA_TIMES_MAX, word[4]);
    }
    if (call->args.count < 5) {
        return dma_once(call, sbdf, address, write);
    }
    dma_repeat(call, sbdf, address, write, times);
    return COMMAND_DONE;
}

enum command_result command_reserve(struct call *call)
{
    uint64_t address;
    uint64_t size;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!parse_hex(call->args.word[1], UINT64_MAX, &address) ||
        !parse_size(call->args.word[2], &size)) {
        return call_misused(call,
                            "expected a hexadecimal address and a size (1M, "
                            "0x1000), got '%s %s'",
                            call->args.word[1], call->args.word[2]);
    }
    int result = pcv_model_reserve_dma(call->session->machine.model, sbdf,
                                       address, size);
    if (result != 0) {
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
    }
    if (size == 0) {
        text_add(call->out, "%s: nothing is reserved\n",
                 call_show(call, sbdf).s);
    } else {
        text_add(call->out, "%s: reaches %" PRIx64 "-%" PRIx64 " for ever\n",
                 call_show(call, sbdf).s, address, address + size - 1);
    }
    return COMMAND_DONE;
}

enum command_result command_faults(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_model *model = call->session->machine.model;
    struct text why = {0};

    /* What was counted does not fade by being asked for. */
    pcv_model_hold_clock(model, true);
    bool good = ctl_faults(&ctl, call->args.word, call->args.count, &why);
    pcv_model_hold_clock(model, false);
    enum command_result result = call_done(good);

    if (why.len != 0) {
        result = call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return result;
}

static enum command_result device_show(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    return call_sbdf(call, 0, &sbdf) ? call_done(ctl_device(&ctl, sbdf))
                                     : COMMAND_MISUSED;
}

enum command_result command_device(struct call *call)
{
    if (call->args.count == 1) {
        return device_show(call);
    }
    if (call->args.count == 2) {
        return call_misused(call, "expected raise SBDF [msi|msix] VECTOR or "
                                  "dma SBDF ADDRESS [read|write] [TIMES]");
    }
    if (strcmp(call->args.word[0], "raise") == 0) {
        return call->args.count <= 4
                   ? device_raise(call)
                   : call_misused(call,
                                  "expected raise SBDF [msi|msix] VECTOR");
    }
    if (strcmp(call->args.word[0], "dma") == 0) {
        return device_dma(call);
    }
    return call_misused(call, "expected raise or dma, got '%s'",
                        call->args.word[0]);
}

/* ---- extended space ------------------------------------------------------ */

/* A run of buses, of a segment that the machine has. */
static bool buses_parse(const struct call *call, const char *word,
                        uint16_t *out_segment, uint8_t out_bus[2])
{
    uint32_t domain;
    return parse_buses(word, &domain, out_bus) &&
           pcv_model_segment_of(call->session->machine.model, domain,
                                out_segment);
}

/* What the host says of each bus when it is asked, to be put back. */
static void usable_take(const struct machine *machine, uint16_t segment,
                        bool out_usable[PCV_BUSES])
{
    const struct pcv_host_ops *ops = pcv_model_ops();

    for (unsigned bus = 0; bus < PCV_BUSES; bus++) {
        out_usable[bus] =
            ops->ecam_usable(machine->model, segment, (uint8_t)bus) == 1;
    }
}

static void usable_put(const struct machine *machine, uint16_t segment,
                       const bool usable[PCV_BUSES])
{
    for (unsigned bus = 0; bus < PCV_BUSES; bus++) {
        pcv_model_set_ecam(machine->model, segment, (uint8_t)bus, (uint8_t)bus,
                           usable[bus]);
    }
}

enum command_result command_ecam(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ECAM, (pcv_sbdf){0});
    struct ctl ctl = call_ctl(call);
    const char *word = call->args.word[0];
    bool before[PCV_BUSES];
    uint16_t segment;
    uint8_t bus[2];
    bool on;

    if (!buses_parse(call, word, &segment, bus)) {
        return call_misused(
            call, "expected SEGMENT:FIRST-LAST, a run of buses, got '%s'",
            word);
    }
    if (!call_on_off(call, 1, &on)) {
        return COMMAND_MISUSED;
    }
    request.u.ecam.segment = segment;
    request.u.ecam.bus_first = bus[0];
    request.u.ecam.bus_last = bus[1];
    request.u.ecam.usable = on;
    usable_take(machine, segment, before);
    pcv_model_set_ecam(machine->model, segment, bus[0], bus[1], on);
    bool done = ctl_ecam(&ctl, &request, word,
                         pcv_model_domain_of(machine->model, segment));
    if (!done) {
        usable_put(machine, segment, before);
    }
    return call_done(done);
}

enum command_result command_extended(struct call *call)
{
    static const struct {
        const char *word;
        enum pcv_model_extended how;
        const char *said;
    } way[] = {
        {"normal", PCV_MODEL_EXT_NORMAL, "has its own registers"},
        {"ones", PCV_MODEL_EXT_ONES, "reads all ones"},
        {"aliased", PCV_MODEL_EXT_ALIASED, "repeats the first 256 bytes"},
    };
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        if (strcmp(call->args.word[1], way[i].word) != 0) {
            continue;
        }
        int result = pcv_model_set_extended(call->session->machine.model, sbdf,
                                            way[i].how);
        if (result != 0) {
            return call_refused(call, ABOUT_HARDWARE, result,
                                call_show(call, sbdf).s);
        }
        text_add(call->out, "%s: extended space %s\n", call_show(call, sbdf).s,
                 way[i].said);
        return COMMAND_DONE;
    }
    return call_misused(call, "expected normal, ones or aliased, got '%s'",
                        call->args.word[1]);
}

/* ---- time ---------------------------------------------------------------- */

enum command_result command_clock(struct call *call)
{
    struct machine *machine = &call->session->machine;
    bool on;

    if (!call_on_off(call, 0, &on)) {
        return COMMAND_MISUSED;
    }
    pcv_model_set_clock(machine->model, on);
    machine->clock = on;
    text_add(call->out, "%s\n",
             on ? "time moves by 'advance' only" : "nothing is waited for");
    return COMMAND_DONE;
}

enum command_result command_advance(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    uint64_t ms;

    if (!parse_number(call->args.word[0], UINT32_MAX, &ms)) {
        return call_misused(call, "expected milliseconds, got '%s'",
                            call->args.word[0]);
    }
    if (!machine->clock) {
        return call_failed(call, PCV_EINVAL,
                           "the clock is off, so nothing is waited for");
    }
    pcv_model_advance_us(machine->model, ms * 1000);
    text_add(call->out, "%" PRIu64 " ms later\n", ms);
    return COMMAND_DONE;
}

enum command_result command_work(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    uint64_t wait_us = 0;
    uint32_t restarts = 0;
    int result;

    do {
        result = pcv_host_work(machine->host, &wait_us);
    } while (result == -PCV_ERESTART && ++restarts < RESTARTS_MAX);
    if (result != 0) {
        return call_failed(call, result, "work");
    }
    if (wait_us == 0) {
        text_add(call->out, "nothing is left to do\n");
    } else {
        text_add(call->out, "the next work is due in %" PRIu64 " ms\n",
                 wait_us / 1000 + (wait_us % 1000 != 0));
    }
    return COMMAND_DONE;
}
