/* SPDX-License-Identifier: MIT */
/* Commands that read and write configuration space. */
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "ctl/json.h"
#include "emulated.h"
#include "reg.h"

/* Set up the view that --as and --via ask for; the latter's index is -1 where
 * the command has none. */
static bool view_options(struct call *call, int via)
{
    const char *as = call->args.option[0];
    struct text why = {0};
    bool good = true;

    if (as != NULL && !call_domain(call, as)) {
        return false;
    }
    if (via >= 0 && call->args.option[via] != NULL &&
        !view_via_named(call->args.option[via], &call->view.via)) {
        text_add(&why, "expected --via " VIEW_VIA_NAMES ", got '");
        text_add_clean(&why, call->args.option[via]);
        text_add(&why, "'");
        good = false;
    }
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

enum command_result command_via(struct call *call)
{
    const char *name = call->args.word[0];

    if (!view_via_named(name, &call->session->via)) {
        return call_misused(call, "expected " VIEW_VIA_NAMES ", got '%s'",
                            name);
    }
    text_add(call->out, "accesses go by %s\n", name);
    return COMMAND_DONE;
}

/* The address and the register that most of these commands begin with. */
static bool register_words(struct call *call, pcv_sbdf *out_sbdf,
                           uint16_t *out_reg, uint8_t *out_size)
{
    struct text why = {0};

    if (!call_view_sbdf(call, 0, out_sbdf)) {
        return false;
    }
    struct view view = {call->view.machine, call->view.domain, VIEW_ADDRESS};
    bool good = reg_parse(&view, *out_sbdf, call->args.word[1], out_reg,
                          out_size, &why);
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

/* A value as wide as its access. */
static void add_value(struct text *out, uint64_t value, uint8_t size)
{
    unsigned bytes = size < 8 ? size : 8;
    uint64_t mask = bytes < 8 ? (UINT64_C(1) << (8 * bytes)) - 1 : UINT64_MAX;
    text_add(out, "%0*" PRIx64, (int)(bytes * 2), value & mask);
}

/* What is worth saying of an access that was not simply done. */
static void add_verdict(struct text *out, const struct view_result *result)
{
    if (result->verdict != PCV_DONE) {
        text_add(out, " (%s)", pcv_verdict_name(result->verdict));
    }
    if (result->retries != 0) {
        text_add(out, " (retry: done after ");
        text_add_count(out, result->retries, "attempt");
        text_add(out, ")");
    }
    if (result->pendings != 0) {
        text_add(out, " (pending: done after ");
        text_add_count(out, result->pendings, "resume");
        text_add(out, ")");
    }
}

/* An access by the view of the call; its failure is printed. */
static bool call_access(struct call *call, pcv_sbdf sbdf, uint16_t reg,
                        uint8_t size, bool write, uint64_t data,
                        struct view_result *out_result)
{
    struct text why = {0};
    bool good = view_access(&call->view, sbdf, reg, size, write, data,
                            out_result, &why);
    if (!good) {
        call_failed(call, PCV_EINVAL, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

enum command_result command_read(struct call *call)
{
    uint64_t count = 1;
    pcv_sbdf sbdf;
    uint16_t reg;
    uint8_t size;

    if (!view_options(call, 1) || !register_words(call, &sbdf, &reg, &size)) {
        return COMMAND_MISUSED;
    }
    if (call->args.count == 3 &&
        (!parse_number(call->args.word[2], PCV_CFG_EXT_SIZE, &count) ||
         count == 0)) {
        return call_misused(call, "expected a count from 1 to 4096, got '%s'",
                            call->args.word[2]);
    }
    for (uint64_t i = 0; i < count; i++) {
        struct view_result result;
        if (reg + i * size > 0xffff) {
            return call_misused(call, "a register is at most at ffff");
        }
        uint16_t at = (uint16_t)(reg + i * size);
        if (!call_access(call, sbdf, at, size, false, 0, &result)) {
            return COMMAND_FAILED;
        }
        text_add(call->out, "%s %02x%s = ", view_sbdf(&call->view, sbdf).s, at,
                 reg_width(size).s);
        add_value(call->out, result.data, size);
        add_verdict(call->out, &result);
        text_add(call->out, "\n");
    }
    return COMMAND_DONE;
}

/* The value that a register is to get; false with its error printed. */
static bool value_word(struct call *call, size_t index, uint8_t size,
                       uint64_t *out_value)
{
    uint64_t max = size < 8 ? (UINT64_C(1) << (8u * size)) - 1 : UINT64_MAX;

    if (!parse_hex(call->args.word[index], max, out_value)) {
        call_misused(call,
                     "expected a hexadecimal value of at most %u "
                     "bytes, got '%s'",
                     size, call->args.word[index]);
        return false;
    }
    return true;
}

enum command_result command_write(struct call *call)
{
    struct view_result result;
    uint64_t value;
    pcv_sbdf sbdf;
    uint16_t reg;
    uint8_t size;

    if (!view_options(call, 1) || !register_words(call, &sbdf, &reg, &size) ||
        !value_word(call, 2, size, &value)) {
        return COMMAND_MISUSED;
    }
    if (call->args.option[2] != NULL) {
        return left_write(call, sbdf, reg, size, value);
    }
    if (!call_access(call, sbdf, reg, size, true, value, &result)) {
        return COMMAND_FAILED;
    }
    text_add(call->out, "%s %02x%s <- ", view_sbdf(&call->view, sbdf).s, reg,
             reg_width(size).s);
    add_value(call->out, value, size);
    add_verdict(call->out, &result);
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

/* Whether the view's domain sees an emulated function there. */
static bool is_emulated(const struct call *call, pcv_sbdf sbdf)
{
    const struct machine *machine = &call->session->machine;

    return call->view.domain == machine->dom0 &&
           emulated_at(machine, sbdf) != NULL;
}

/* What is known of a function; false, with the error printed, if nothing. */
static bool call_info(struct call *call, pcv_sbdf sbdf,
                      struct pcv_device_info *out_info)
{
    struct pcv_device *device = view_device(&call->view, sbdf);
    if (device == NULL && is_emulated(call, sbdf)) {
        *out_info = (struct pcv_device_info){.sbdf = sbdf};
        return true;
    }
    if (device == NULL) {
        call_refused(call, ABOUT_VIEW, PCV_ENODEV,
                     view_sbdf(&call->view, sbdf).s);
        return false;
    }
    pcv_device_get_info(device, out_info);
    pcv_device_put(device);
    /* A stub stands in for it, which is no more than a header (OWN-9). */
    out_info->extended &= !out_info->concealed;
    return true;
}

#define DUMP_JSON 1 /* of its options */

/* Rows end at multiples of 16, as those of lspci. */
static void dump_rows(struct call *call, const uint8_t *bytes, uint16_t reg,
                      uint16_t end)
{
    struct json_text json = {.out = call->out};
    bool as_json = call->args.option[DUMP_JSON] != NULL;

    if (as_json) {
        json_text_list(&json, NULL);
    }
    while (reg < end) {
        size_t row = 16u - reg % 16u;

        if (row > (size_t)(end - reg)) {
            row = (size_t)(end - reg);
        }
        if (as_json) {
            json_row(&json, reg, bytes + reg, row);
        } else {
            view_add_row(call->out, reg, bytes + reg, row);
        }
        reg = (uint16_t)(reg + row);
    }
    if (as_json) {
        json_text_close(&json);
    }
}

enum command_result command_dump(struct call *call)
{
    uint8_t bytes[PCV_CFG_EXT_SIZE];
    struct pcv_device_info info;
    uint64_t count = PCV_CFG_EXT_SIZE;
    uint16_t reg = 0;
    uint8_t size;
    pcv_sbdf sbdf;

    if (!view_options(call, -1) || !call_view_sbdf(call, 0, &sbdf) ||
        (call->args.count > 1 && !register_words(call, &sbdf, &reg, &size))) {
        return COMMAND_MISUSED;
    }
    if (call->args.count == 3 && (!parse_size(call->args.word[2], &count) ||
                                  count == 0 || count > PCV_CFG_EXT_SIZE)) {
        return call_misused(
            call, "expected a number of bytes from 1 to 4096, got '%s'",
            call->args.word[2]);
    }
    if (!call_info(call, sbdf, &info)) {
        return COMMAND_FAILED;
    }
    uint16_t space = info.extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
    if (reg >= space) {
        return call_failed(call, PCV_EINVAL, "%s ends at %x",
                           view_sbdf(&call->view, sbdf).s, space);
    }
    if (count > (uint64_t)(space - reg)) {
        count = (uint64_t)(space - reg);
    }
    view_copy(&call->view, sbdf, space, bytes);
    dump_rows(call, bytes, reg, (uint16_t)(reg + count));
    return COMMAND_DONE;
}

static void add_problem(void *arg, const char *problem)
{
    text_add(arg, "problem: %s\n", problem);
}

enum command_result command_caps(struct call *call)
{
    struct pcv_device_info info;
    pcv_sbdf sbdf;

    if (!view_options(call, -1) || !call_view_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!call_info(call, sbdf, &info)) {
        return COMMAND_FAILED;
    }
    struct view_caps *caps = memory_zero(1, sizeof(*caps));
    view_caps_read(&call->view, sbdf, info.extended, caps);
    for (size_t i = 0; i < caps->count; i++) {
        const struct pcv_cap *cap = &caps->cap[i];
        const char *name = pcv_cap_name(cap->id, cap->extended);
        text_add(call->out, "%0*x: ", cap->extended ? 3 : 2, cap->offset);
        if (name != NULL) {
            text_add(call->out, "%s", name);
        } else {
            text_add(call->out, "capability %0*x", cap->extended ? 4 : 2,
                     cap->id);
        }
        if (cap->extended) {
            text_add(call->out, " v%u", cap->version);
        }
        text_add(call->out, "\n");
    }
    if (caps->count == 0) {
        text_add(call->out, "no capabilities\n");
    }
    view_caps_problems(caps->problems, add_problem, call->out);
    view_caps_problems(caps->ext_problems, add_problem, call->out);
    free(caps);
    return COMMAND_DONE;
}

/* The address and the register of peek and poke: capabilities are looked up
 * where they look, in hardware. */
static bool raw_words(struct call *call, pcv_sbdf *out_sbdf, uint16_t *out_reg,
                      uint8_t *out_size)
{
    call->view.domain = NULL;
    return register_words(call, out_sbdf, out_reg, out_size);
}

/* peek and poke take what the model's memory takes: 1, 2 or 4 bytes, aligned,
 * inside 4 KiB, of a function that it has. */
static enum command_result raw_check(struct call *call, pcv_sbdf sbdf,
                                     uint16_t reg, uint8_t size)
{
    struct pcv_model_facts facts;

    if ((size != 1 && size != 2 && size != 4) || reg % size != 0) {
        return call_misused(
            call, "hardware has aligned registers of 1, 2 and 4 bytes");
    }
    if (!pcv_model_facts_of(call->session->machine.model, sbdf, &facts)) {
        return call_refused(call, ABOUT_HARDWARE, PCV_ENODEV,
                            call_show(call, sbdf).s);
    }
    if (reg >= facts.config_size) {
        return call_failed(call, PCV_EINVAL, "%s ends at %x",
                           call_show(call, sbdf).s, facts.config_size);
    }
    return COMMAND_DONE;
}

enum command_result command_peek(struct call *call)
{
    pcv_sbdf sbdf;
    uint16_t reg;
    uint8_t size;

    if (!raw_words(call, &sbdf, &reg, &size)) {
        return COMMAND_MISUSED;
    }
    enum command_result result = raw_check(call, sbdf, reg, size);
    if (result != COMMAND_DONE) {
        return result;
    }
    text_add(call->out, "%s %02x%s holds ", call_show(call, sbdf).s, reg,
             reg_width(size).s);
    add_value(call->out,
              pcv_model_peek(call->session->machine.model, sbdf, reg, size),
              size);
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

enum command_result command_poke(struct call *call)
{
    uint64_t value;
    pcv_sbdf sbdf;
    uint16_t reg;
    uint8_t size;

    if (!raw_words(call, &sbdf, &reg, &size) ||
        !value_word(call, 2, size, &value)) {
        return COMMAND_MISUSED;
    }
    enum command_result result = raw_check(call, sbdf, reg, size);
    if (result != COMMAND_DONE) {
        return result;
    }
    pcv_model_poke(call->session->machine.model, sbdf, reg, size,
                   (uint32_t)value);
    text_add(call->out, "%s %02x%s now holds ", call_show(call, sbdf).s, reg,
             reg_width(size).s);
    add_value(call->out, value, size);
    text_add(call->out, "\n");
    return COMMAND_DONE;
}
