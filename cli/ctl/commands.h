/* SPDX-License-Identifier: MIT */
/*
 * The commands of pcivisorctl: those of the shell that are control operations,
 * with the shell's arguments.
 */
#ifndef PCIVISOR_CLI_CTL_COMMANDS_H
#define PCIVISOR_CLI_CTL_COMMANDS_H

#include "ctl/program.h"

struct program_command {
    const char *name;
    const char *arguments;            /* for people */
    const char *help;                 /* one line */
    size_t min, max;                  /* arguments */
    const struct args_option *option; /* NULL: none */
    enum program_result (*run)(struct program *program,
                               const struct args *args);
};

extern const struct program_command program_commands[];
extern const size_t program_command_count;

/* "error: ..." for what was not understood. Returns PROGRAM_MISUSED. */
enum program_result program_misused(struct program *program, const char *format,
                                    ...) CLI_PRINTF(2, 3);
enum program_result program_command_help(struct program *program,
                                         const struct args *args);

/* What became of a command whose operations went well, or did not. */
enum program_result program_done(bool good);
/* A word as an address, as a domain ("dom0"; whether there is such a one, the
 * operation finds out), as on or off: false with its error printed. */
bool program_take_sbdf(struct program *program, const char *word,
                       pcv_sbdf *out_sbdf);
bool program_take_domain(struct program *program, const char *word,
                         uint32_t *out_id);
bool program_take_on_off(struct program *program, const char *word,
                         bool *out_on);
/* Every argument as an address, before anything is done with one. To be freed;
 * NULL with its error printed. */
pcv_sbdf *program_take_sbdfs(struct program *program, const struct args *args);
/* Two arguments, an address and on or off. */
enum program_result program_switch(struct program *program,
                                   const struct args *args,
                                   bool (*fn)(const struct ctl *ctl,
                                              pcv_sbdf sbdf, bool on));
/* Each argument is an address: what is done for each. */
enum program_result program_each(struct program *program,
                                 const struct args *args,
                                 bool (*fn)(const struct ctl *ctl,
                                            pcv_sbdf sbdf));

/* The commands, by file. commands_look.c: */
enum program_result program_command_devices(struct program *program,
                                            const struct args *args);
enum program_result program_command_status(struct program *program,
                                           const struct args *args);
enum program_result program_command_holders(struct program *program,
                                            const struct args *args);
enum program_result program_command_device(struct program *program,
                                           const struct args *args);
enum program_result program_command_unreachable(struct program *program,
                                                const struct args *args);
enum program_result program_command_domains(struct program *program,
                                            const struct args *args);
enum program_result program_command_path(struct program *program,
                                         const struct args *args);
enum program_result program_command_nodes(struct program *program,
                                          const struct args *args);
enum program_result program_command_stats(struct program *program,
                                          const struct args *args);
enum program_result program_command_events(struct program *program,
                                           const struct args *args);
enum program_result program_command_domain(struct program *program,
                                           const struct args *args);
enum program_result program_command_mapped(struct program *program,
                                           const struct args *args);
enum program_result program_command_map(struct program *program,
                                        const struct args *args);
enum program_result program_command_memory(struct program *program,
                                           const struct args *args);
enum program_result program_command_dump(struct program *program,
                                         const struct args *args);
/* commands_change.c: */
enum program_result program_command_add(struct program *program,
                                        const struct args *args);
enum program_result program_command_remove(struct program *program,
                                           const struct args *args);
enum program_result program_command_vanish(struct program *program,
                                           const struct args *args);
enum program_result program_command_scan(struct program *program,
                                         const struct args *args);
enum program_result program_command_ecam(struct program *program,
                                         const struct args *args);
enum program_result program_command_buses(struct program *program,
                                          const struct args *args);
/* commands_owner.c: */
enum program_result program_command_assign(struct program *program,
                                           const struct args *args);
enum program_result program_command_test_assign(struct program *program,
                                                const struct args *args);
enum program_result program_command_deassign(struct program *program,
                                             const struct args *args);
enum program_result program_command_cancel_remove(struct program *program,
                                                  const struct args *args);
enum program_result program_command_broken(struct program *program,
                                           const struct args *args);
enum program_result program_command_restore(struct program *program,
                                            const struct args *args);
enum program_result program_command_reset(struct program *program,
                                          const struct args *args);
enum program_result program_command_prepare_msix(struct program *program,
                                                 const struct args *args);
enum program_result program_command_release_msix(struct program *program,
                                                 const struct args *args);
enum program_result program_command_read_only(struct program *program,
                                              const struct args *args);
enum program_result program_command_faults(struct program *program,
                                           const struct args *args);
enum program_result program_command_group(struct program *program,
                                          const struct args *args);
enum program_result program_command_isolate(struct program *program,
                                            const struct args *args);
enum program_result program_command_requesters(struct program *program,
                                               const struct args *args);
enum program_result program_command_override(struct program *program,
                                             const struct args *args);
enum program_result program_command_hide(struct program *program,
                                         const struct args *args);
enum program_result program_command_conceal(struct program *program,
                                            const struct args *args);
enum program_result program_command_reveal(struct program *program,
                                           const struct args *args);
enum program_result program_command_quarantine(struct program *program,
                                               const struct args *args);

#endif
