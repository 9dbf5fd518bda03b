/* SPDX-License-Identifier: MIT */
/*
 * The commands of transcripts and of the shell: one table says what there is;
 * running, help and completion all read it.
 */
#ifndef PCIVISOR_CLI_COMMAND_H
#define PCIVISOR_CLI_COMMAND_H

#include "args.h"
#include "ctl/ctl.h"
#include "session.h"
#include "view.h"

/* What became of a command; its output is in the session either way. */
enum command_result {
    COMMAND_DONE,
    COMMAND_FAILED,  /* understood, and answered with an error */
    COMMAND_MISUSED, /* no such command, or arguments that mean nothing */
};

/* A command being run. */
struct call {
    struct session *session;
    struct text *out; /* the session's */
    struct args args; /* in the order of the command's options */
    struct view view; /* the hardware domain's, by the session's entrance */
};

#define COMMAND_WORDS_MAX 1024u

struct command {
    const char *name;
    const char *arguments; /* for people */
    const char *help;      /* one line */
    /* One letter for each argument, for completion; the last one repeats, NULL
     * stands for nothing.
     * s: address, r: register, o: host operation, c: command, w: on or off,
     * v: entrance, d: domain, g: guest, a: address or domain, G: address on
     * the bus of the domain in front of it, k: one of the words below,
     * -: nothing. */
    const char *completes;
    const char *words; /* of each k in turn: "create list|all none" */
    size_t min;        /* arguments */
    size_t max;
    bool anywhere;                    /* works without a machine */
    const struct args_option *option; /* NULL: none */
    enum command_result (*run)(struct call *call);
};

/* The second half of the table. commands_guest.c. */
extern const struct command commands_guest[];
extern const size_t commands_guest_count;

/* The index-th command; NULL past the last. */
const struct command *command_at(size_t index);
/* NULL if there is none. */
const struct command *command_named(const char *name);

/* Run a line; what it prints replaces what is in session->out. Every line of
 * it ends with a newline, none is blank or could be taken for a command or a
 * comment. */
enum command_result command_run(struct session *session, const char *line);

/* An error in the output: "error: EBUSY in use: ...". Returns
 * COMMAND_FAILED. `error` may be negated. */
enum command_result call_failed(struct call *call, int error,
                                const char *format, ...) CLI_PRINTF(3, 4);
/* The same for what was refused, with the reason; of control operations
 * ctl/why.h knows it. */
enum call_about {
    ABOUT_HARDWARE, /* what the model has, behind all backs */
    ABOUT_FIND,     /* references */
    ABOUT_VIEW,     /* a domain's bus */
    ABOUT_DMA,
    ABOUT_VECTOR,
    ABOUT_GUEST,
    ABOUT_WINDOW, /* of a guest */
    ABOUT_EMULATED,
};
enum command_result call_refused(struct call *call, enum call_about about,
                                 int error, const char *name);
/* "error: ..." for what was not understood. Returns COMMAND_MISUSED. */
enum command_result call_misused(struct call *call, const char *format, ...)
    CLI_PRINTF(2, 3);
/* The index-th argument as an address; false with its error printed. */
bool call_sbdf(struct call *call, size_t index, pcv_sbdf *out_sbdf);
/* An address of the call's machine, printed. */
struct sbdf_text call_show(const struct call *call, pcv_sbdf sbdf);
/* The call's view becomes that of the domain of this name; false with its error
 * printed. */
bool call_domain(struct call *call, const char *name);
/* The index-th argument as an address of the view's domain; false with its
 * error printed. */
bool call_view_sbdf(struct call *call, size_t index, pcv_sbdf *out_sbdf);
/* The index-th argument is on or off; false with its error printed. */
bool call_on_off(struct call *call, size_t index, bool *out_on);
/* The control operations of the call's machine, for commands that pcivisorctl
 * has as well; `done` becomes a result. */
struct ctl call_ctl(struct call *call);
/* A command of two words, an address and on or off. */
enum command_result call_switch(struct call *call,
                                bool (*fn)(const struct ctl *ctl, pcv_sbdf sbdf,
                                           bool on));
enum command_result call_done(bool done);

/* The commands, by file. commands_device.c: */
enum command_result command_devices(struct call *call);
enum command_result command_unreachable(struct call *call);
enum command_result command_find(struct call *call);
enum command_result command_put(struct call *call);
enum command_result command_holders(struct call *call);
enum command_result command_status(struct call *call);
enum command_result command_nodes(struct call *call);
enum command_result command_path(struct call *call);
/* commands_left.c: a write by address that stays pending where it does. */
enum command_result left_write(struct call *call, pcv_sbdf sbdf, uint16_t reg,
                               uint8_t size, uint64_t value);
enum command_result command_resume(struct call *call);
/* commands_change.c: */
enum command_result command_add(struct call *call);
enum command_result command_remove(struct call *call);
enum command_result command_scan(struct call *call);
enum command_result command_buses(struct call *call);
enum command_result command_group(struct call *call);
enum command_result command_isolate(struct call *call);
enum command_result command_requesters(struct call *call);
enum command_result command_vanish(struct call *call);
enum command_result command_vanished(struct call *call);
enum command_result command_pull(struct call *call);
enum command_result command_plug(struct call *call);
enum command_result command_dead(struct call *call);
enum command_result command_vector(struct call *call);
enum command_result command_vector_free(struct call *call);
/* commands_config.c: */
enum command_result command_via(struct call *call);
enum command_result command_read(struct call *call);
enum command_result command_write(struct call *call);
enum command_result command_dump(struct call *call);
enum command_result command_caps(struct call *call);
enum command_result command_peek(struct call *call);
enum command_result command_poke(struct call *call);
/* commands_enumerate.c: */
enum command_result command_enumerate(struct call *call);
/* commands_raw.c: */
enum command_result command_in(struct call *call);
enum command_result command_out(struct call *call);
enum command_result command_load(struct call *call);
enum command_result command_store(struct call *call);
enum command_result command_windows(struct call *call);
enum command_result command_mmio(struct call *call);
/* commands_domain.c: */
enum command_result command_domains(struct call *call);
enum command_result command_domain(struct call *call);
enum command_result command_assign(struct call *call);
enum command_result command_test_assign(struct call *call);
enum command_result command_deassign(struct call *call);
enum command_result command_broken(struct call *call);
enum command_result command_cancel_remove(struct call *call);
enum command_result command_restore(struct call *call);
enum command_result command_read_only(struct call *call);
enum command_result command_override(struct call *call);
enum command_result command_reserved(struct call *call);
/* commands_hidden.c: */
enum command_result command_hide(struct call *call);
enum command_result command_conceal(struct call *call);
enum command_result command_reveal(struct call *call);
enum command_result command_quarantine(struct call *call);
/* commands_reset.c: */
enum command_result command_reset(struct call *call);
enum command_result command_prepare_msix(struct call *call);
enum command_result command_release_msix(struct call *call);
enum command_result command_ways(struct call *call);
enum command_result command_pending(struct call *call);
/* commands_emulated.c: */
enum command_result command_emulated(struct call *call);
/* commands_memory.c: */
enum command_result command_memory(struct call *call);
enum command_result command_map(struct call *call);
/* commands_vectors.c: */
enum command_result command_msi(struct call *call);
/* commands_hardware.c: */
enum command_result command_device(struct call *call);
enum command_result command_faults(struct call *call);
enum command_result command_reserve(struct call *call);
enum command_result command_ecam(struct call *call);
enum command_result command_extended(struct call *call);
enum command_result command_clock(struct call *call);
enum command_result command_advance(struct call *call);
enum command_result command_work(struct call *call);
/* cells.c: */
enum command_result command_cells(struct call *call);
/* commands_host.c: */
enum command_result command_host(struct call *call);
enum command_result command_mapped(struct call *call);
enum command_result command_map_chunk(struct call *call);
enum command_result command_events(struct call *call);
enum command_result command_trace(struct call *call);
enum command_result command_stats(struct call *call);
enum command_result command_fail(struct call *call);
/* commands.c: */
enum command_result command_help(struct call *call);

#endif
