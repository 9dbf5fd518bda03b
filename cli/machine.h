/* SPDX-License-Identifier: MIT */
/*
 * A machine: the HOST of the command line, modelled, and pcivisor brought up
 * on it.
 */
#ifndef PCIVISOR_CLI_MACHINE_H
#define PCIVISOR_CLI_MACHINE_H

#include "format.h"
#include "model.h"
#include "text.h"

/* The library's events, in order, as long as nobody asked for them. */
struct event_log {
    struct pcv_event *item;
    size_t count;
    size_t room;
    uint64_t lost; /* beyond EVENT_LOG_MAX */
};
#define EVENT_LOG_MAX 1000000u

/* An ECAM window of a domain. */
struct ecam_window {
    uint64_t base; /* of bus_first, bytes */
    uint16_t segment;
    uint8_t bus_first;
    uint8_t bus_last;
};

struct machine {
    struct pcv_model *model; /* NULL: there is no machine */
    struct pcv_host *host;
    struct pcv_domain *dom0;
    struct pcv_scan scan;
    uint64_t boot_ns;   /* how long bring-up took */
    pcv_sbdf *reported; /* functions that a scan cannot find */
    size_t reported_count;
    struct event_log events;    /* those of bring-up, without "added" */
    struct ecam_window *window; /* of the hardware domain */
    size_t windows;
    struct guest *guest; /* guests.h; in the order of their creation */
    size_t guests;
    struct former_guest *former; /* guests.h; events may still name them */
    size_t formers;
    uint32_t last_guest_id; /* no identifier is given twice: such an event would
                               name another guest */
    struct emulated **emulated; /* emulated.h; of the hardware domain */
    size_t emulateds;
    void **lent; /* what the library borrows until the machine ends */
    size_t lents;
    bool clock;   /* the model's time moves only when it is told to */
    bool domains; /* addresses are written with their domain */
};

enum machine_boot {
    MACHINE_SCANNED,    /* everything is found and reported at boot */
    MACHINE_UNNUMBERED, /* bridges have no bus numbers, and nobody looked */
};

/*
 * Bring up a machine.
 *
 * @spec    a file, `live`, or `generate:KEY=VALUE,...`
 * @folder  what a relative file name is relative to, or NULL
 *
 * Returns true and *out_machine, to be closed with machine_close(); or false
 * and why: "FILE:LINE: text".
 */
bool machine_open(struct machine *out_machine, const char *spec,
                  const char *folder, enum machine_boot boot, struct text *why);

/*
 * Put everything back. Returns true, or false and what leaked. References and
 * vectors that the caller took must have been given back.
 */
bool machine_close(struct machine *machine, struct text *why);

/* An address of this machine, printed. */
struct sbdf_text machine_sbdf(const struct machine *machine, pcv_sbdf sbdf);

/* The domain that goes by this name: "dom0", or that of a guest. False, and
 * why, for another. */
bool machine_domain(const struct machine *machine, const char *name,
                    struct pcv_domain **out_domain, struct text *why);
struct domain_text machine_domain_name(const struct machine *machine,
                                       uint32_t id);
/* Its ECAM windows. */
const struct ecam_window *machine_windows(const struct machine *machine,
                                          const struct pcv_domain *domain,
                                          size_t *out_count);

/*
 * Whether an operation on a function that answered restart is to be called
 * again: always, unless the model's clock stands still and the function must be
 * left alone for *out_wait_us more. `steps` counts the calls, from 0.
 */
bool machine_again(const struct machine *machine, pcv_sbdf sbdf,
                   uint32_t *steps, uint64_t *out_wait_us);

/* "41 functions on 13 buses" of the machine as it is now. */
void machine_add_size(struct machine *machine, struct text *text);

#endif
