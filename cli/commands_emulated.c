/* SPDX-License-Identifier: MIT */
/* Commands about functions that no hardware answers for (VBUS-6). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "emulated.h"
#include "json.h"
#include "report.h"

/* In the order of the command's options in commands_guest.c. */
enum { OPTION_BAR, OPTION_64, OPTION_IDS, OPTION_JSON };

/* "1af4:10f0" */
static bool ids_parse(const char *word, struct pcv_emulated_info *info)
{
    char vendor[8];
    const char *colon = strchr(word, ':');
    size_t len = colon != NULL ? (size_t)(colon - word) : sizeof(vendor);
    uint64_t value;
    uint64_t device;

    if (len >= sizeof(vendor)) {
        return false;
    }
    memcpy(vendor, word, len);
    vendor[len] = '\0';
    if (!parse_hex(vendor, 0xffff, &value) ||
        !parse_hex(colon + 1, 0xffff, &device)) {
        return false;
    }
    info->vendor = (uint16_t)value;
    info->device = (uint16_t)device;
    return true;
}

/* What the words after `add` say; false with the error printed. */
static bool add_words(struct call *call, struct pcv_emulated_info *info)
{
    char *const *word = call->args.word;
    const char *const *option = call->args.option;

    if (!call_sbdf(call, 1, &info->sbdf)) {
        return false;
    }
    if (!parse_hex(word[2], UINT64_MAX, &info->window.v)) {
        call_misused(call, "expected a hexadecimal address, got '%s'", word[2]);
        return false;
    }
    if (!parse_size(word[3], &info->window_size) ||
        (option[OPTION_BAR] != NULL &&
         !parse_size(option[OPTION_BAR], &info->bar_size))) {
        call_misused(call, "expected a size (64K, 16M, 0x1000)");
        return false;
    }
    if (option[OPTION_IDS] != NULL && !ids_parse(option[OPTION_IDS], info)) {
        call_misused(call, "expected --ids VENDOR:DEVICE, got '%s'",
                     option[OPTION_IDS]);
        return false;
    }
    info->bar_64 = option[OPTION_64] != NULL;
    return true;
}

static enum command_result run_add(struct call *call)
{
    /* Red Hat's numbers for experiments; a communication device. */
    struct pcv_emulated_info info = {.vendor = 0x1af4,
                                     .device = 0x10f0,
                                     .subsystem_vendor = 0x1af4,
                                     .subsystem = 0x1100,
                                     .class_code = 0x078000,
                                     .bar_size = 65536};

    if (!add_words(call, &info)) {
        return COMMAND_MISUSED;
    }
    int result = emulated_add(&call->session->machine, &info);
    if (result != 0) {
        return call_refused(call, ABOUT_EMULATED, result,
                            call_show(call, info.sbdf).s);
    }
    text_add(call->out,
             "%s: emulated, its BAR may be at %" PRIx64 "-%" PRIx64 "\n",
             call_show(call, info.sbdf).s, info.window.v,
             info.window.v + info.window_size - 1);
    return COMMAND_DONE;
}

static enum command_result run_remove(struct call *call)
{
    struct machine *machine = &call->session->machine;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 1, &sbdf)) {
        return COMMAND_MISUSED;
    }
    struct emulated *emulated = emulated_at(machine, sbdf);
    int result =
        emulated != NULL ? emulated_remove(machine, emulated) : -PCV_ENODEV;
    if (result != 0) {
        return call_refused(call, ABOUT_EMULATED, result,
                            call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: not emulated any more\n", call_show(call, sbdf).s);
    return COMMAND_DONE;
}

static const char *kind_of(const struct pcv_emulated_status *status)
{
    return status->info.bar_64 ? "mem64" : "mem32";
}

static void line_add(struct call *call,
                     const struct pcv_emulated_status *status)
{
    const struct pcv_bar_view *bar = &status->bar;

    text_add(call->out, "%s %04x:%04x bar0 %s %" PRIx64 " size %s: %s, ",
             call_show(call, status->info.sbdf).s, status->info.vendor,
             status->info.device, kind_of(status), bar->address.v,
             format_size(bar->size).s,
             pcv_bar_state_name((enum pcv_bar_state)bar->state));
    text_add_count(call->out, status->reads, "read");
    text_add(call->out, ", ");
    text_add_count(call->out, status->writes, "write");
    text_add(call->out, ", %" PRIu64 " refused\n", status->refused);
    for (unsigned fn = 0; fn < PCV_FUNCTIONS; fn++) {
        if ((status->concealed >> fn & 1u) != 0) {
            pcv_sbdf sbdf = {status->info.sbdf.v | fn};
            text_add(call->out, "  conceals %s\n", call_show(call, sbdf).s);
        }
    }
}

static struct json_object *status_json(struct call *call,
                                       const struct pcv_emulated_status *status)
{
    struct json_object *object = json_object_new_object();

    json_add_sbdf(object, "address", &call->session->machine,
                  status->info.sbdf);
    json_add_hex(object, "vendor", 4, status->info.vendor);
    json_add_hex(object, "device", 4, status->info.device);
    json_add_string(object, "kind", kind_of(status));
    json_add_hex(object, "bar", 1, status->bar.address.v);
    json_add_number(object, "size", status->bar.size);
    json_add_string(object, "state",
                    pcv_bar_state_name((enum pcv_bar_state)status->bar.state));
    json_add_number(object, "reads", status->reads);
    json_add_number(object, "writes", status->writes);
    json_add_number(object, "refused", status->refused);
    json_add_number(object, "concealed", status->concealed);
    return object;
}

static enum command_result run_list(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    struct json_object *json =
        call->args.option[OPTION_JSON] != NULL ? json_object_new_array() : NULL;

    for (size_t i = 0; i < machine->emulateds; i++) {
        struct pcv_emulated_status status;
        pcv_emulated_get_status(machine->emulated[i]->function, &status);
        if (json != NULL) {
            json_object_array_add(json, status_json(call, &status));
        } else {
            line_add(call, &status);
        }
    }
    if (json != NULL) {
        json_print(call->out, json);
    } else if (machine->emulateds == 0) {
        text_add(call->out, "nothing is emulated\n");
    }
    return COMMAND_DONE;
}

enum command_result command_emulated(struct call *call)
{
    static const struct {
        const char *word;
        size_t arguments;
        enum command_result (*run)(struct call *call);
    } way[] = {
        {"add", 4, run_add},
        {"list", 1, run_list},
        {"remove", 2, run_remove},
    };

    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        if (strcmp(call->args.word[0], way[i].word) == 0 &&
            call->args.count == way[i].arguments) {
            return way[i].run(call);
        }
    }
    return call_misused(call, "expected add SBDF WINDOW SIZE, remove SBDF or "
                              "list");
}
