/* SPDX-License-Identifier: MIT */
/* Commands that play a vCPU's loads, stores and port accesses as they are. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "reg.h"

/* "cf8.l", "1000100000.q": an address and a width, `own_size` without one.
 * False with its error printed. */
static bool place_word(struct call *call, uint64_t max, uint8_t own_size,
                       uint64_t *out_place, uint8_t *out_size)
{
    char place[32] = "";
    const char *word = call->args.word[0];
    const char *dot = strchr(word, '.');
    size_t len = dot != NULL ? (size_t)(dot - word) : strlen(word);

    if (len < sizeof(place)) {
        snprintf(place, sizeof(place), "%.*s", (int)len, word);
    }
    *out_size = own_size;
    if (!parse_hex(place, max, out_place) ||
        (dot != NULL && !reg_width_parse(dot + 1, out_size))) {
        call_misused(call,
                     "expected a hexadecimal address up to %" PRIx64
                     ", perhaps with .b .w .l .q or .BYTES, got '%s'",
                     max, word);
        return false;
    }
    return true;
}

/* Whom --as names, which is option 0 of all these commands. */
static bool domain_option(struct call *call)
{
    return call->args.option[0] == NULL ||
           call_domain(call, call->args.option[0]);
}

static bool value_word(struct call *call, uint64_t max, uint64_t *out_value)
{
    if (!parse_hex(call->args.word[1], max, out_value)) {
        call_misused(call,
                     "expected a hexadecimal value up to %" PRIx64 ", got '%s'",
                     max, call->args.word[1]);
        return false;
    }
    return true;
}

/* One line: what was accessed, the data, and the verdict. */
static void raw_line(struct call *call, uint64_t place, uint8_t size,
                     bool write, uint64_t value,
                     const struct view_result *result)
{
    int digits = size < 8 ? size * 2 : 16;

    text_add(call->out, "%" PRIx64 "%s", place, reg_width(size).s);
    if (write) {
        text_add(call->out, " <- %0*" PRIx64, digits, value);
    } else if (result->verdict != PCV_FORWARD) {
        text_add(call->out, " = %0*" PRIx64, digits, result->data);
    }
    text_add(call->out, " (%s)\n", pcv_verdict_name(result->verdict));
}

static enum command_result port_run(struct call *call, bool write)
{
    uint64_t port;
    uint64_t value = 0;
    uint8_t size;

    if (!domain_option(call) || !place_word(call, 0xffff, 4, &port, &size) ||
        (write && !value_word(call, UINT32_MAX, &value))) {
        return COMMAND_MISUSED;
    }
    struct view_result result =
        view_port(&call->view, (uint16_t)port, size, write, (uint32_t)value);
    raw_line(call, port, size, write, value, &result);
    return COMMAND_DONE;
}

static enum command_result memory_run(struct call *call, bool write)
{
    uint64_t address;
    uint64_t value = 0;
    uint8_t size;

    if (!domain_option(call) ||
        !place_word(call, UINT64_MAX, 4, &address, &size) ||
        (write && !value_word(call, UINT64_MAX, &value))) {
        return COMMAND_MISUSED;
    }
    struct view_result result =
        view_memory(&call->view, address, size, write, value);
    raw_line(call, address, size, write, value, &result);
    return COMMAND_DONE;
}

enum command_result command_in(struct call *call)
{
    return port_run(call, false);
}

enum command_result command_out(struct call *call)
{
    return port_run(call, true);
}

enum command_result command_load(struct call *call)
{
    return memory_run(call, false);
}

enum command_result command_store(struct call *call)
{
    return memory_run(call, true);
}

/* More than anything that asks for it takes; beyond it there is a bug. */
#define RETRIES_MAX 1000000u

/* What the domain's memory answers: pages that are mapped by themselves, others
 * by the library, which may ask for the same once more. */
static enum pcv_verdict mmio_finish(const struct machine *machine,
                                    struct pcv_domain *domain,
                                    struct pcv_mmio *access, bool *out_mapped)
{
    enum pcv_verdict verdict = PCV_DONE;
    uint32_t retries = 0;

    *out_mapped = pcv_model_mmio_access(machine->model, pcv_domain_id(domain),
                                        access->address, access->size,
                                        access->write, &access->data) == 0;
    if (!*out_mapped) {
        do {
            verdict = pcv_mmio_access(domain, access);
        } while (verdict == PCV_RETRY && ++retries < RETRIES_MAX);
    }
    return verdict;
}

/* An address and a width, and a value that fits in it, or its error printed. */
static bool mmio_words(struct call *call, struct pcv_mmio *out_access)
{
    char *const *word = call->args.word;

    *out_access = (struct pcv_mmio){.write = call->args.count == 4};
    if (!parse_hex(word[1], UINT64_MAX, &out_access->address.v)) {
        call_misused(call, "expected a hexadecimal address, got '%s'", word[1]);
        return false;
    }
    if (!reg_width_parse(word[2], &out_access->size) || out_access->size > 8 ||
        out_access->size == 0) {
        call_misused(call,
                     "expected a size from 1 to 8, or b, w, l, q; got '%s'",
                     word[2]);
        return false;
    }
    uint64_t max = UINT64_MAX >> (64 - 8 * out_access->size);
    if (out_access->write && !parse_hex(word[3], max, &out_access->data)) {
        call_misused(call,
                     "expected a hexadecimal value up to %" PRIx64 ", got '%s'",
                     max, word[3]);
        return false;
    }
    return true;
}

enum command_result command_mmio(struct call *call)
{
    struct pcv_mmio access;
    bool mapped;

    if (!call_domain(call, call->args.word[0]) || !mmio_words(call, &access)) {
        return COMMAND_MISUSED;
    }
    uint64_t written = access.data;
    enum pcv_verdict verdict = mmio_finish(&call->session->machine,
                                           call->view.domain, &access, &mapped);
    text_add(call->out, "%s %" PRIx64 "%s", call->args.word[0],
             access.address.v, reg_width(access.size).s);
    if (access.write || verdict != PCV_FORWARD) {
        text_add(call->out, " %s %0*" PRIx64, access.write ? "<-" : "=",
                 access.size * 2, access.write ? written : access.data);
    }
    if (mapped) {
        text_add(call->out, " (mapped)\n");
    } else if (verdict == PCV_DONE) {
        text_add(call->out, " (trapped)\n");
    } else {
        text_add(call->out, " (%s)\n", pcv_verdict_name(verdict));
    }
    return COMMAND_DONE;
}

enum command_result command_windows(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    const struct ecam_window *window;
    size_t windows;

    if (!domain_option(call)) {
        return COMMAND_MISUSED;
    }
    window = machine_windows(machine, call->view.domain, &windows);
    for (; windows > 0; windows--, window++) {
        uint64_t buses = (uint64_t)window->bus_last - window->bus_first + 1;
        text_add(call->out,
                 "%" PRIx64 "-%" PRIx64 ": domain %04" PRIx32
                 " buses %02x-%02x\n",
                 window->base, window->base + (buses << 20) - 1,
                 pcv_model_domain_of(machine->model, window->segment),
                 window->bus_first, window->bus_last);
    }
    return COMMAND_DONE;
}
