/* SPDX-License-Identifier: MIT */
/* Commands that make guests, and give them functions. */
#include <inttypes.h>
#include <string.h>

#include "command.h"
#include "guests.h"
#include "json.h"
#include "policy.h"

/* ---- domains ------------------------------------------------------------- */

static enum command_result domain_create(struct call *call)
{
    const char *name = call->args.word[1];

    if (!guest_name_good(name)) {
        return call_misused(call,
                            "expected a name for a guest: a letter, then up to "
                            "%u letters, digits, - and _; got '%s'",
                            GUEST_NAME_MAX - 1, name);
    }
    int result = guest_create(&call->session->machine, name);
    if (result != 0) {
        return call_refused(call, ABOUT_GUEST, result, name);
    }
    text_add(call->out, "%s: created\n", name);
    return COMMAND_DONE;
}

static enum command_result domain_destroy(struct call *call)
{
    struct machine *machine = &call->session->machine;
    const char *name = call->args.word[1];
    struct text still = {0};
    struct owned_list list;
    uint64_t wait_us;

    if (guest_named(machine, name) == NULL) {
        return call_failed(call, PCV_ENOENT, "there is no guest '%s'", name);
    }
    uint32_t id = pcv_domain_id(guest_named(machine, name)->domain);
    int result = guest_destroy(machine, name, &wait_us);
    if (result == 0) {
        text_add(call->out, "%s: destroyed\n", name);
        return COMMAND_DONE;
    }
    owned_take(&list, machine, id);
    text_add_count(&still, list.count, "function");
    owned_fini(&list);
    if (wait_us != 0) {
        call_failed(call, result,
                    "what %s had is being reset: 'advance %" PRIu64
                    "', then the same again",
                    name, wait_us / 1000 + (wait_us % 1000 != 0));
    } else {
        call_failed(call, result, "%s has %s", name, text_str(&still));
    }
    text_fini(&still);
    return COMMAND_FAILED;
}

static enum command_result domain_window(struct call *call)
{
    char *const *word = call->args.word;
    struct guest *guest = guest_named(&call->session->machine, word[1]);
    uint64_t base;
    uint64_t size;

    if (!parse_hex(word[2], UINT64_MAX, &base)) {
        return call_misused(call, "expected a hexadecimal address, got '%s'",
                            word[2]);
    }
    if (!parse_size(word[3], &size)) {
        return call_misused(
            call, "expected a size (256M, 1G, 0x1000), got '%s'", word[3]);
    }
    if (guest == NULL) {
        return call_failed(call, PCV_ENOENT, "there is no guest '%s'", word[1]);
    }
    int result = guest_add_window(guest, base, size);
    if (result == -PCV_EBUSY) {
        return call_failed(call, result,
                           "%s was given a function: its windows are settled",
                           guest->name);
    }
    if (result != 0) {
        return call_refused(call, ABOUT_WINDOW, result, guest->name);
    }
    text_add(call->out, "%s: BARs may be at %" PRIx64 "-%" PRIx64 "\n",
             guest->name, base, base + size - 1);
    return COMMAND_DONE;
}

static struct json_object *domain_json(struct call *call, const char *name,
                                       uint32_t id,
                                       const struct owned_list *list)
{
    struct json_object *object = json_object_new_object();
    struct json_object *functions = json_object_new_array();

    json_add_string(object, "name", name);
    json_add_number(object, "id", id);
    for (size_t i = 0; i < list->count; i++) {
        struct json_object *function = json_object_new_object();
        json_add_sbdf(function, "address", &call->session->machine,
                      list->item[i].sbdf);
        json_add_string(function, "own",
                        id == PCV_DOMAIN_ID_HARDWARE
                            ? call_show(call, list->item[i].own).s
                            : format_sbdf(NULL, false, list->item[i].own).s);
        json_object_array_add(functions, function);
    }
    json_add(object, "functions", functions);
    return object;
}

static void domain_add(struct call *call, struct json_object *json,
                       const char *name, uint32_t id)
{
    struct owned_list list;

    owned_take(&list, &call->session->machine, id);
    json_object_array_add(json, domain_json(call, name, id, &list));
    owned_fini(&list);
}

enum command_result command_domains(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    struct ctl ctl = call_ctl(call);

    if (call->args.option[0] == NULL) {
        return call_done(ctl_domains(&ctl));
    }
    struct json_object *json = json_object_new_array();
    domain_add(call, json, "dom0", PCV_DOMAIN_ID_HARDWARE);
    for (size_t i = 0; i < machine->guests; i++) {
        domain_add(call, json, machine->guest[i].name,
                   pcv_domain_id(machine->guest[i].domain));
    }
    json_print(call->out, json);
    return COMMAND_DONE;
}

enum command_result command_domain(struct call *call)
{
    static const struct {
        const char *word;
        size_t arguments;
        enum command_result (*run)(struct call *call);
    } way[] = {
        {"create", 2, domain_create},
        {"list", 1, command_domains},
        {"destroy", 2, domain_destroy},
        {"window", 4, domain_window},
    };

    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        if (strcmp(call->args.word[0], way[i].word) == 0 &&
            call->args.count == way[i].arguments) {
            return way[i].run(call);
        }
    }
    return call_misused(call, "expected create NAME, list, destroy NAME or "
                              "window NAME BASE SIZE");
}

/* ---- functions ----------------------------------------------------------- */

/* Behind those of the policy, in the table of commands. */
enum {
    OPTION_NO_RESET = POLICY_OPTION_COUNT,
    OPTION_GROUP,
    OPTION_TO_QUARANTINE
};

/* All that the arguments and options say; false with its error printed. */
static bool assign_policy(struct call *call,
                          struct pcv_assign_policy *out_policy)
{
    struct text why = {0};
    bool good = policy_parse(&call->session->machine, &call->args,
                             call->session->folder, out_policy, &why);

    if (call->args.option[OPTION_NO_RESET] != NULL) {
        out_policy->flags |= PCV_ASSIGN_NO_RESET;
    }
    if (call->args.option[OPTION_GROUP] != NULL) {
        out_policy->flags |= PCV_ASSIGN_GROUP;
    }
    if (call->args.option[OPTION_TO_QUARANTINE] != NULL) {
        out_policy->flags |= PCV_ASSIGN_TO_QUARANTINE;
    }
    if (good && call->args.count == 3) {
        good = parse_slot(call->args.word[2], &out_policy->slot);
        out_policy->flags |= PCV_ASSIGN_SLOT;
        if (!good) {
            text_add(&why,
                     "expected a slot, DEVICE or DEVICE.FUNCTION with device "
                     "up to 1f and function up to 7, got '%s'",
                     call->args.word[2]);
        }
    }
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

/* What both take: a guest, a function, and what the guest is to see of it. */
static enum command_result assign_words(struct call *call,
                                        struct guest **out_guest,
                                        pcv_sbdf *out_sbdf,
                                        struct pcv_assign_policy *out_policy)
{
    const char *name = call->args.word[0];

    if (!call_domain(call, name) || !call_sbdf(call, 1, out_sbdf) ||
        !assign_policy(call, out_policy)) {
        return COMMAND_MISUSED;
    }
    *out_guest = guest_named(&call->session->machine, name);
    return *out_guest != NULL
               ? COMMAND_DONE
               : call_failed(call, PCV_EINVAL, "%s is no guest", name);
}

enum command_result command_assign(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_assign_policy policy;
    struct guest *guest;
    pcv_sbdf sbdf;
    enum command_result words = assign_words(call, &guest, &sbdf, &policy);

    if (words != COMMAND_DONE) {
        return words;
    }
    int result = guest_prepare(guest);
    if (result != 0) {
        return call_refused(call, ABOUT_WINDOW, result,
                            call_show(call, sbdf).s);
    }
    return call_done(
        ctl_assign(&ctl, sbdf, pcv_domain_id(guest->domain), &policy));
}

enum command_result command_test_assign(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_assign_policy policy;
    struct guest *guest;
    pcv_sbdf sbdf;
    enum command_result words = assign_words(call, &guest, &sbdf, &policy);

    if (words != COMMAND_DONE) {
        return words;
    }
    return call_done(
        ctl_test_assign(&ctl, sbdf, pcv_domain_id(guest->domain), &policy));
}

enum command_result command_broken(struct call *call)
{
    return call_switch(call, ctl_broken);
}

enum command_result command_deassign(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    session_removal_tell(call->session, sbdf);
    bool done = call->args.option[0] != NULL ? ctl_deassign_group(&ctl, sbdf)
                                             : ctl_deassign(&ctl, sbdf);
    session_removal_told(call->session, done);
    return call_done(done);
}

enum command_result command_cancel_remove(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    bool done = ctl_cancel_remove(&ctl, sbdf);
    session_removals_tidy(call->session);
    return call_done(done);
}

enum command_result command_restore(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_restore(&ctl, sbdf));
}

enum command_result command_read_only(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_read_only(&ctl, sbdf));
}

enum command_result command_override(struct call *call)
{
    return call_switch(call, ctl_override);
}

enum command_result command_reserved(struct call *call)
{
    char *const *word = call->args.word;
    bool io = strcmp(word[0], "io") == 0;
    uint64_t address;
    uint64_t size;

    if (!io && strcmp(word[0], "memory") != 0) {
        return call_misused(call, "expected 'memory' or 'io', got '%s'",
                            word[0]);
    }
    if (!parse_hex(word[1], UINT64_MAX, &address)) {
        return call_misused(call, "expected a hexadecimal address, got '%s'",
                            word[1]);
    }
    if (!parse_size(word[2], &size)) {
        return call_misused(
            call, "expected a size (256M, 1G, 0x1000), got '%s'", word[2]);
    }
    bool touched =
        pcv_host_reserved(call->session->machine.host, io, address, size);
    text_add(call->out, "%s %" PRIx64 " size %s: %s\n", word[0], address,
             format_size(size).s, touched ? "reserved" : "not reserved");
    return COMMAND_DONE;
}
