/* SPDX-License-Identifier: MIT */
/* The commands of pcivisorctl that tell what changed on the machine. */
#include "ctl/commands.h"

enum program_result program_command_add(struct program *program,
                                        const struct args *args)
{
    struct pcv_add_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!program_take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (!ctl_add_words(&program->ctl, args->word + 1, args->count - 1, &info,
                       &why)) {
        program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return PROGRAM_MISUSED;
    }
    return program_done(ctl_add(&program->ctl, sbdf, &info));
}

static bool remove_one(const struct ctl *ctl, pcv_sbdf sbdf)
{
    return ctl_remove(ctl, sbdf, NULL);
}

enum program_result program_command_remove(struct program *program,
                                           const struct args *args)
{
    return program_each(program, args, remove_one);
}

enum program_result program_command_vanish(struct program *program,
                                           const struct args *args)
{
    return program_each(program, args, ctl_vanished);
}

enum program_result program_command_scan(struct program *program,
                                         const struct args *args)
{
    (void)args;
    return program_done(ctl_scan(&program->ctl));
}

enum program_result program_command_ecam(struct program *program,
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
    if (!program_take_on_off(program, args->word[1], &on)) {
        return PROGRAM_MISUSED;
    }
    request.u.ecam.segment = (uint16_t)segment;
    request.u.ecam.bus_first = bus[0];
    request.u.ecam.bus_last = bus[1];
    request.u.ecam.usable = on;
    return program_done(
        ctl_ecam(&program->ctl, &request, args->word[0], segment));
}

enum program_result program_command_buses(struct program *program,
                                          const struct args *args)
{
    uint8_t bus[3];
    pcv_sbdf sbdf;

    if (!program_take_sbdf(program, args->word[0], &sbdf)) {
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
    return program_done(ctl_buses(&program->ctl, sbdf, bus));
}
