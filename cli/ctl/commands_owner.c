/* SPDX-License-Identifier: MIT */
/* The commands of pcivisorctl about who has a function, and how it is kept
 * from others. */
#include "ctl/commands.h"

/* A domain, a function, and what else an assignment can be told. */
static bool take_assign(struct program *program, const struct args *args,
                        uint32_t *out_id, pcv_sbdf *out_sbdf,
                        struct pcv_assign_policy *out_policy)
{
    static const uint32_t flags[] = {PCV_ASSIGN_NO_RESET, PCV_ASSIGN_GROUP,
                                     PCV_ASSIGN_TO_QUARANTINE};

    if (!program_take_domain(program, args->word[0], out_id) ||
        !program_take_sbdf(program, args->word[1], out_sbdf)) {
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

enum program_result program_command_assign(struct program *program,
                                           const struct args *args)
{
    struct pcv_assign_policy policy = {0};
    uint32_t id;
    pcv_sbdf sbdf;

    return take_assign(program, args, &id, &sbdf, &policy)
               ? program_done(ctl_assign(&program->ctl, sbdf, id, &policy))
               : PROGRAM_MISUSED;
}

enum program_result program_command_test_assign(struct program *program,
                                                const struct args *args)
{
    struct pcv_assign_policy policy = {0};
    uint32_t id;
    pcv_sbdf sbdf;

    return take_assign(program, args, &id, &sbdf, &policy)
               ? program_done(ctl_test_assign(&program->ctl, sbdf, id, &policy))
               : PROGRAM_MISUSED;
}

enum program_result program_command_deassign(struct program *program,
                                             const struct args *args)
{
    return program_each(program, args,
                        args->option[0] != NULL ? ctl_deassign_group
                                                : ctl_deassign);
}

enum program_result program_command_cancel_remove(struct program *program,
                                                  const struct args *args)
{
    return program_each(program, args, ctl_cancel_remove);
}

enum program_result program_command_broken(struct program *program,
                                           const struct args *args)
{
    return program_switch(program, args, ctl_broken);
}

enum program_result program_command_restore(struct program *program,
                                            const struct args *args)
{
    return program_each(program, args, ctl_restore);
}

enum program_result program_command_reset(struct program *program,
                                          const struct args *args)
{
    return program_each(program, args,
                        args->option[0] != NULL ? ctl_reset_method : ctl_reset);
}

enum program_result program_command_prepare_msix(struct program *program,
                                                 const struct args *args)
{
    return program_each(program, args, ctl_prepare_msix);
}

enum program_result program_command_release_msix(struct program *program,
                                                 const struct args *args)
{
    return program_each(program, args, ctl_release_msix);
}

enum program_result program_command_read_only(struct program *program,
                                              const struct args *args)
{
    return program_each(program, args, ctl_read_only);
}

enum program_result program_command_faults(struct program *program,
                                           const struct args *args)
{
    struct text why = {0};
    bool good = ctl_faults(&program->ctl, args->word, args->count, &why);
    enum program_result result = program_done(good);

    if (why.len != 0) {
        result = program_misused(program, "%s", text_str(&why));
    }
    text_fini(&why);
    return result;
}

enum program_result program_command_group(struct program *program,
                                          const struct args *args)
{
    return program_each(program, args, ctl_group);
}

enum program_result program_command_isolate(struct program *program,
                                            const struct args *args)
{
    return program_switch(program, args, ctl_isolate);
}

enum program_result program_command_requesters(struct program *program,
                                               const struct args *args)
{
    struct pcv_ctl_request request;
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!program_take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    request = ctl_request(PCV_CTL_REQUESTERS, sbdf);
    if (!ctl_requesters_words(&program->ctl, args->word + 1, args->count - 1,
                              &request, &why)) {
        program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    return program_done(ctl_requesters(&program->ctl, &request));
}

enum program_result program_command_override(struct program *program,
                                             const struct args *args)
{
    return program_switch(program, args, ctl_override);
}

enum program_result program_command_hide(struct program *program,
                                         const struct args *args)
{
    struct pcv_hide_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!program_take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (!ctl_hide_words(args->word + 1, args->count - 1, &info, &why)) {
        (void)program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    info.flags = args->option[1] != NULL ? PCV_HIDE_MASTER : 0;
    return program_done(
        ctl_hide(&program->ctl, sbdf, &info,
                 args->option[0] != NULL ? PCV_CTL_SUBTREE : 0u));
}

static enum program_result over_set(
    struct program *program, const struct args *args, uint32_t other,
    bool (*perform)(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags))
{
    uint32_t flags = (args->option[0] != NULL ? PCV_CTL_SUBTREE : 0u) |
                     (args->option[1] != NULL ? other : 0u);
    pcv_sbdf sbdf;

    return !program_take_sbdf(program, args->word[0], &sbdf)
               ? PROGRAM_MISUSED
               : program_done(perform(&program->ctl, sbdf, flags));
}

enum program_result program_command_conceal(struct program *program,
                                            const struct args *args)
{
    return over_set(program, args, PCV_CTL_SLOT, ctl_conceal);
}

enum program_result program_command_reveal(struct program *program,
                                           const struct args *args)
{
    return over_set(program, args, PCV_CTL_SLOT, ctl_reveal);
}

enum program_result program_command_quarantine(struct program *program,
                                               const struct args *args)
{
    return over_set(program, args, 0, ctl_quarantine);
}
