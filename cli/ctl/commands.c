/* SPDX-License-Identifier: MIT */
/* The commands of pcivisorctl. */
#include "ctl/commands.h"

#include <stdlib.h>
#include <string.h>

#define ANY 1024u

static enum program_result done(bool good)
{
    return good ? PROGRAM_DONE : PROGRAM_FAILED;
}

/* ---- arguments ------------------------------------------------------------
 */

static bool take_sbdf(struct program *program, const char *word,
                      pcv_sbdf *out_sbdf)
{
    struct text why = {0};
    const struct words_names *names = &program->ctl.names;
    bool good = names->parse(names->ctx, word, out_sbdf, &why);

    if (!good) {
        program_misused(program, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

/* "dom0", "dom1": whether there is such a domain, the operation finds out. */
static bool take_domain(struct program *program, const char *word,
                        uint32_t *out_id)
{
    uint64_t id;

    if (strncmp(word, "dom", 3) != 0 ||
        !parse_decimal(word + 3, UINT32_MAX, &id)) {
        program_misused(program,
                        "expected a domain, dom0 or dom1 and so on, "
                        "got '%s'",
                        word);
        return false;
    }
    *out_id = (uint32_t)id;
    return true;
}

static bool take_on_off(struct program *program, const char *word, bool *out_on)
{
    *out_on = strcmp(word, "on") == 0;
    if (!*out_on && strcmp(word, "off") != 0) {
        program_misused(program, "expected on or off, got '%s'", word);
        return false;
    }
    return true;
}

/* Every argument as an address, before anything is done with one. To be freed;
 * NULL with its error printed. */
static pcv_sbdf *take_sbdfs(struct program *program, const struct args *args)
{
    pcv_sbdf *list = memory_zero(args->count, sizeof(*list));

    for (size_t i = 0; i < args->count; i++) {
        if (!take_sbdf(program, args->word[i], &list[i])) {
            free(list);
            return NULL;
        }
    }
    return list;
}

/* The same for each address of the arguments. */
static enum program_result each(struct program *program,
                                const struct args *args,
                                bool (*fn)(const struct ctl *ctl,
                                           pcv_sbdf sbdf))
{
    pcv_sbdf *list = take_sbdfs(program, args);
    bool good = true;

    if (list == NULL) {
        return PROGRAM_MISUSED;
    }
    for (size_t i = 0; i < args->count; i++) {
        good = fn(&program->ctl, list[i]) && good;
    }
    free(list);
    return done(good);
}

/* ---- looking --------------------------------------------------------------
 */

static enum program_result devices(struct program *program,
                                   const struct args *args)
{
    return done(ctl_devices(&program->ctl, args->option[0] != NULL));
}

static enum program_result status(struct program *program,
                                  const struct args *args)
{
    return each(program, args, ctl_status);
}

static enum program_result holders(struct program *program,
                                   const struct args *args)
{
    return each(program, args, ctl_holders);
}

static enum program_result path(struct program *program,
                                const struct args *args)
{
    return each(program, args, ctl_path);
}

static enum program_result nodes(struct program *program,
                                 const struct args *args)
{
    pcv_sbdf *list = take_sbdfs(program, args);

    if (list == NULL) {
        return PROGRAM_MISUSED;
    }
    bool good = ctl_nodes(&program->ctl, list, args->count);
    free(list);
    return done(good);
}

static enum program_result stats(struct program *program,
                                 const struct args *args)
{
    (void)args;
    return done(ctl_stats(&program->ctl));
}

static enum program_result events(struct program *program,
                                  const struct args *args)
{
    (void)args;
    return done(ctl_events(&program->ctl, &program->next_event));
}

static enum program_result domain(struct program *program,
                                  const struct args *args)
{
    if (strcmp(args->word[0], "list") != 0) {
        return program_misused(program, "expected list");
    }
    return done(ctl_domains(&program->ctl));
}

static enum program_result mapped(struct program *program,
                                  const struct args *args)
{
    uint32_t id = PCV_DOMAIN_ID_HARDWARE;

    if (args->count == 1 && !take_domain(program, args->word[0], &id)) {
        return PROGRAM_MISUSED;
    }
    return done(ctl_mapped(&program->ctl, id));
}

static enum program_result map(struct program *program, const struct args *args)
{
    enum program_result result = PROGRAM_DONE;

    for (size_t i = 0; i < args->count && result == PROGRAM_DONE; i++) {
        uint32_t id;
        pcv_sbdf sbdf;
        /* No domain's name has a colon, every address has one. */
        if (strchr(args->word[i], ':') != NULL) {
            result = !take_sbdf(program, args->word[i], &sbdf)
                         ? PROGRAM_MISUSED
                         : done(ctl_bars(&program->ctl, sbdf));
        } else {
            result = !take_domain(program, args->word[i], &id)
                         ? PROGRAM_MISUSED
                         : done(ctl_domain_bars(&program->ctl, id, ""));
        }
    }
    return result;
}

static enum program_result dump(struct program *program,
                                const struct args *args)
{
    uint32_t id = PCV_DOMAIN_ID_HARDWARE;
    uint64_t reg = 0;
    uint64_t bytes = 0;
    pcv_sbdf sbdf;

    if ((args->option[0] != NULL &&
         !take_domain(program, args->option[0], &id)) ||
        !take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (args->count > 1 &&
        !parse_hex(args->word[1], PCV_CFG_EXT_SIZE - 1, &reg)) {
        return program_misused(
            program, "expected a register, 0 to fff, got '%s'", args->word[1]);
    }
    if (args->count == 3 &&
        (!parse_decimal(args->word[2], PCV_CFG_EXT_SIZE, &bytes) ||
         bytes == 0)) {
        return program_misused(
            program, "expected a number of bytes from 1 to 4096, got '%s'",
            args->word[2]);
    }
    return done(
        ctl_dump(&program->ctl, id, sbdf, (uint16_t)reg, (uint32_t)bytes));
}

/* ---- changing -------------------------------------------------------------
 */

static enum program_result add(struct program *program, const struct args *args)
{
    struct pcv_add_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (!ctl_add_words(&program->ctl, args->word + 1, args->count - 1, &info,
                       &why)) {
        program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    return done(ctl_add(&program->ctl, sbdf, &info));
}

static bool remove_one(const struct ctl *ctl, pcv_sbdf sbdf)
{
    return ctl_remove(ctl, sbdf, NULL);
}

static enum program_result remove_function(struct program *program,
                                           const struct args *args)
{
    return each(program, args, remove_one);
}

static enum program_result vanish(struct program *program,
                                  const struct args *args)
{
    return each(program, args, ctl_vanished);
}

static enum program_result scan(struct program *program,
                                const struct args *args)
{
    (void)args;
    return done(ctl_scan(&program->ctl));
}

static enum program_result ecam(struct program *program,
                                const struct args *args)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ECAM, (pcv_sbdf){0});
    uint32_t segment;
    uint8_t bus[2];
    bool on;

    if (!parse_buses(args->word[0], &segment, bus) || segment > UINT16_MAX) {
        return program_misused(
            program, "expected SEGMENT:FIRST-LAST, a run of buses, got '%s'",
            args->word[0]);
    }
    if (!take_on_off(program, args->word[1], &on)) {
        return PROGRAM_MISUSED;
    }
    request.u.ecam.segment = (uint16_t)segment;
    request.u.ecam.bus_first = bus[0];
    request.u.ecam.bus_last = bus[1];
    request.u.ecam.usable = on;
    return done(ctl_ecam(&program->ctl, &request, args->word[0], segment));
}

static enum program_result buses(struct program *program,
                                 const struct args *args)
{
    uint8_t bus[3];
    pcv_sbdf sbdf;

    if (!take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    for (size_t i = 0; i < 3; i++) {
        uint64_t value;

        if (!parse_hex(args->word[i + 1], 0xff, &value)) {
            return program_misused(program,
                                   "expected a bus from 00 to ff, got '%s'",
                                   args->word[i + 1]);
        }
        bus[i] = (uint8_t)value;
    }
    return done(ctl_buses(&program->ctl, sbdf, bus));
}

/* A domain, a function, and what else an assignment can be told. */
static bool take_assign(struct program *program, const struct args *args,
                        uint32_t *out_id, pcv_sbdf *out_sbdf,
                        struct pcv_assign_policy *out_policy)
{
    static const uint32_t flags[] = {PCV_ASSIGN_NO_RESET, PCV_ASSIGN_GROUP,
                                     PCV_ASSIGN_TO_QUARANTINE};

    if (!take_domain(program, args->word[0], out_id) ||
        !take_sbdf(program, args->word[1], out_sbdf)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        out_policy->flags |= args->option[i] != NULL ? flags[i] : 0;
    }
    if (args->count == 3) {
        out_policy->flags |= PCV_ASSIGN_SLOT;
        if (!parse_slot(args->word[2], &out_policy->slot)) {
            program_misused(
                program,
                "expected a slot, DEVICE or DEVICE.FUNCTION with device "
                "up to 1f and function up to 7, got '%s'",
                args->word[2]);
            return false;
        }
    }
    return true;
}

static enum program_result assign(struct program *program,
                                  const struct args *args)
{
    struct pcv_assign_policy policy = {0};
    uint32_t id;
    pcv_sbdf sbdf;

    return take_assign(program, args, &id, &sbdf, &policy)
               ? done(ctl_assign(&program->ctl, sbdf, id, &policy))
               : PROGRAM_MISUSED;
}

static enum program_result test_assign(struct program *program,
                                       const struct args *args)
{
    struct pcv_assign_policy policy = {0};
    uint32_t id;
    pcv_sbdf sbdf;

    return take_assign(program, args, &id, &sbdf, &policy)
               ? done(ctl_test_assign(&program->ctl, sbdf, id, &policy))
               : PROGRAM_MISUSED;
}

static enum program_result deassign(struct program *program,
                                    const struct args *args)
{
    return each(program, args, ctl_deassign);
}

static enum program_result cancel_remove(struct program *program,
                                         const struct args *args)
{
    return each(program, args, ctl_cancel_remove);
}

static enum program_result broken(struct program *program,
                                  const struct args *args)
{
    pcv_sbdf sbdf;
    bool on;

    return take_sbdf(program, args->word[0], &sbdf) &&
                   take_on_off(program, args->word[1], &on)
               ? done(ctl_broken(&program->ctl, sbdf, on))
               : PROGRAM_MISUSED;
}

static enum program_result restore(struct program *program,
                                   const struct args *args)
{
    return each(program, args, ctl_restore);
}

static enum program_result reset(struct program *program,
                                 const struct args *args)
{
    return each(program, args,
                args->option[0] != NULL ? ctl_reset_method : ctl_reset);
}

static enum program_result prepare_msix(struct program *program,
                                        const struct args *args)
{
    return each(program, args, ctl_msix_prepare);
}

static enum program_result release_msix(struct program *program,
                                        const struct args *args)
{
    return each(program, args, ctl_msix_release);
}

static enum program_result read_only(struct program *program,
                                     const struct args *args)
{
    return each(program, args, ctl_read_only);
}

static enum program_result faults(struct program *program,
                                  const struct args *args)
{
    struct text why = {0};
    bool good = ctl_faults(&program->ctl, args->word, args->count, &why);
    enum program_result result = done(good);

    if (why.len != 0) {
        result = program_misused(program, "%s", text_str(&why));
    }
    text_fini(&why);
    return result;
}

/* ---- isolation ------------------------------------------------------------
 */

static enum program_result group(struct program *program,
                                 const struct args *args)
{
    return each(program, args, ctl_group);
}

static enum program_result isolate(struct program *program,
                                   const struct args *args)
{
    pcv_sbdf sbdf;
    bool on;

    if (!take_sbdf(program, args->word[0], &sbdf) ||
        !take_on_off(program, args->word[1], &on)) {
        return PROGRAM_MISUSED;
    }
    return done(ctl_isolate(&program->ctl, sbdf, on));
}

static enum program_result requesters(struct program *program,
                                      const struct args *args)
{
    struct pcv_ctl_request request;
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    request = ctl_request(PCV_CTL_REQUESTERS, sbdf);
    if (!ctl_requesters_words(&program->ctl, args->word + 1, args->count - 1,
                              &request, &why)) {
        program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    return done(ctl_requesters(&program->ctl, &request));
}

static enum program_result override(struct program *program,
                                    const struct args *args)
{
    pcv_sbdf sbdf;
    bool on;

    if (!take_sbdf(program, args->word[0], &sbdf) ||
        !take_on_off(program, args->word[1], &on)) {
        return PROGRAM_MISUSED;
    }
    return done(ctl_override(&program->ctl, sbdf, on));
}

static enum program_result hide(struct program *program,
                                const struct args *args)
{
    struct pcv_hide_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (!ctl_hide_words(args->word + 1, args->count - 1, &info, &why)) {
        (void)program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    info.flags = args->option[1] != NULL ? PCV_HIDE_MASTER : 0;
    return done(ctl_hide(&program->ctl, sbdf, &info,
                         args->option[0] != NULL ? PCV_CTL_SUBTREE : 0u));
}

static enum program_result over_set(
    struct program *program, const struct args *args, uint32_t other,
    bool (*perform)(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags))
{
    uint32_t flags = (args->option[0] != NULL ? PCV_CTL_SUBTREE : 0u) |
                     (args->option[1] != NULL ? other : 0u);
    pcv_sbdf sbdf;

    return !take_sbdf(program, args->word[0], &sbdf)
               ? PROGRAM_MISUSED
               : done(perform(&program->ctl, sbdf, flags));
}

static enum program_result conceal(struct program *program,
                                   const struct args *args)
{
    return over_set(program, args, PCV_CTL_SLOT, ctl_conceal);
}

static enum program_result reveal(struct program *program,
                                  const struct args *args)
{
    return over_set(program, args, PCV_CTL_SLOT, ctl_reveal);
}

static enum program_result quarantine(struct program *program,
                                      const struct args *args)
{
    return over_set(program, args, 0, ctl_quarantine);
}

/* ---- the table ------------------------------------------------------------
 */

static const struct args_option hide_options[] = {
    {"--subtree", NULL},
    {"--master", NULL},
    {NULL, NULL},
};
static const struct args_option set_options[] = {
    {"--subtree", NULL},
    {"--slot", NULL},
    {NULL, NULL},
};
static const struct args_option subtree_options[] = {
    {"--subtree", NULL},
    {NULL, NULL},
};

static const struct args_option long_options[] = {
    {"--long", NULL},
    {NULL, NULL},
};
static const struct args_option as_options[] = {
    {"--as", "DOMAIN"},
    {NULL, NULL},
};
static const struct args_option reset_options[] = {
    {"--ask", NULL},
    {NULL, NULL},
};
static const struct args_option assign_options[] = {
    {"--no-reset", NULL}, /* the order is that of take_assign() */
    {"--group", NULL},
    {"--to-quarantine", NULL},
    {NULL, NULL},
};
#define ASSIGN_ARGUMENTS                                                       \
    "DOMAIN SBDF [SLOT] [--no-reset] [--group] [--to-quarantine]"

const struct program_command program_commands[] = {
    {"devices", "[--long]", "list every registered function", 0, 0,
     long_options, devices},
    {"status", "SBDF...", "where a function stands: state, owner, counters", 1,
     ANY, NULL, status},
    {"holders", "SBDF...", "who holds a function, and how often", 1, ANY, NULL,
     holders},
    {"nodes", "SBDF...", "NUMA nodes of functions", 1, ANY, NULL, nodes},
    {"path", "SBDF...", "the bridges up to the root bus, nearest first", 1, ANY,
     NULL, path},
    {"add", "SBDF [vf-of SBDF] [node N]", "report a function to the library", 1,
     5, NULL, add},
    {"remove", "SBDF", "remove a function, and what is behind a bridge", 1, 1,
     NULL, remove_function},
    {"vanish", "SBDF", "tell the library that a function was pulled", 1, 1,
     NULL, vanish},
    {"scan", "", "look at every bus again and add what is new", 0, 0, NULL,
     scan},
    {"ecam", "SEGMENT:FIRST-LAST on|off",
     "declare extended space of a run of buses usable, or not", 2, 2, NULL,
     ecam},
    {"buses", "SBDF PRIMARY SECONDARY SUBORDINATE",
     "report a bridge's bus numbers, which were changed elsewhere", 4, 4, NULL,
     buses},
    {"domain", "list", "domains, and where they find what they own", 1, 1, NULL,
     domain},
    {"assign", ASSIGN_ARGUMENTS,
     "give a function to a guest; SLOT: its device, or device.function, there",
     2, 3, assign_options, assign},
    {"test-assign", ASSIGN_ARGUMENTS,
     "what assign would answer, without doing it", 2, 3, assign_options,
     test_assign},
    {"deassign", "SBDF",
     "take a function back from a guest, or out of quarantine", 1, 1, NULL,
     deassign},
    {"attach", ASSIGN_ARGUMENTS, "another name of assign", 2, 3, assign_options,
     assign},
    {"detach", "SBDF", "another name of deassign", 1, 1, NULL, deassign},
    {"cancel-remove", "SBDF",
     "withdraw a removal that waits for a guest to give it back", 1, 1, NULL,
     cancel_remove},
    {"broken", "SBDF on|off",
     "mark a function as broken: it is assigned to no guest", 2, 2, NULL,
     broken},
    {"restore", "SBDF",
     "write again what the owner programmed, after a reset behind its back", 1,
     1, NULL, restore},
    {"reset", "SBDF [--ask]",
     "reset a function for whoever has it; --ask: say how it would be done", 1,
     1, reset_options, reset},
    {"prepare-msix", "SBDF",
     "set MSI-X of a function aside: dom0 leaves it alone", 1, 1, NULL,
     prepare_msix},
    {"release-msix", "SBDF", "let dom0 use MSI-X of a function again", 1, 1,
     NULL, release_msix},
    {"read-only", "SBDF",
     "keep functions for the hypervisor: dom0 reads them, and changes nothing",
     1, 1, NULL, read_only},
    {"faults", "SBDF [clear] | limit COUNT MILLISECONDS",
     "IOMMU faults of a function: how many, forget them; how many are too many",
     1, 3, NULL, faults},
    {"group", "SBDF...",
     "who can reach a function, or cannot be told from it, without the IOMMU",
     1, ANY, NULL, group},
    {"isolate", "SBDF on|off",
     "declare a function isolated, or a port to isolate", 2, 2, NULL, isolate},
    {"requesters", "SBDF [also SBDF | phantom STRIDE]",
     "under which requester IDs a function sends; also, phantom: it has more",
     1, 3, NULL, requesters},
    {"override", "SBDF on|off",
     "let dom0's writes to a bridge or PF take functions away from guests", 2,
     2, NULL, override},
    {"hide", "SBDF [BAR:OFFSET:SIZE...] [--subtree] [--master]",
     "share a function with the hypervisor, which uses bytes of its BARs", 1,
     1 + PCV_HIDE_RANGES, hide_options, hide},
    {"conceal", "SBDF [--subtree] [--slot]",
     "let a function not exist for dom0, or all of its bridge or slot", 1, 1,
     set_options, conceal},
    {"reveal", "SBDF [--subtree] [--slot]",
     "give back to dom0 what is hidden, concealed or in quarantine", 1, 1,
     set_options, reveal},
    {"quarantine", "SBDF [--subtree]", "take a function from dom0, for nobody",
     1, 1, subtree_options, quarantine},
    {"map", "SBDF|DOMAIN...",
     "the owner's view of each BAR of functions, or of all that a domain has",
     1, ANY, NULL, map},
    {"mapped", "[DOMAIN]", "guest memory that a domain has mapped", 0, 1, NULL,
     mapped},
    {"dump", "SBDF [REG [BYTES]] [--as DOMAIN]",
     "configuration space as a domain sees it, in rows of 16 bytes", 1, 3,
     as_options, dump},
    {"stats", "", "counts of the host", 0, 0, NULL, stats},
    {"events", "", "what the library told since last asked", 0, 0, NULL,
     events},
    {"help", "[COMMAND]", "list the commands, or say how one is used", 0, 1,
     NULL, program_command_help},
};

const size_t program_command_count =
    sizeof(program_commands) / sizeof(program_commands[0]);
