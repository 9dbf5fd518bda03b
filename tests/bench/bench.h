/* SPDX-License-Identifier: MIT */
/*
 * The bench: how long things take, in one run and relative to a floor measured
 * in the same run, and how many instructions and bytes they need.
 */
#ifndef PCIVISOR_BENCH_H
#define PCIVISOR_BENCH_H

#include "pcivisor/pcivisor.h"

/* ---- rows: results.c ---------------------------------------------------- */

/* What a value must be to meet its target. */
enum bench_target {
    BENCH_NONE,    /* it is only told */
    BENCH_AT_MOST, /* value <= target */
    BENCH_AT_LEAST,
};

/* Begin a table; end it, and write it to `json` if that is not NULL. Returns
 * how many rows missed their target, or -1 if the file could not be written. */
void bench_begin(void);
int bench_end(const char *json);
void bench_row(const char *name, double value, const char *unit,
               enum bench_target kind, double target);
/* A heading for people. */
void bench_heading(const char *text);
/* The value of a row that was there before, 0 if there was none. */
double bench_value(const char *name);

/* ---- measuring: measure.c ----------------------------------------------- */

typedef void (*bench_op)(void *arg);

/* Nanoseconds of one call: the smallest mean of several batches. */
double bench_ns(bench_op op, void *arg);
/* Two operations turn by turn, so that what disturbs one disturbs the other:
 * the median of the ratios of their times, op to floor. */
double bench_ratio(bench_op op, void *arg, bench_op floor, void *floor_arg);
/* Instructions of one call, by single steps of a child process; -1: this
 * machine does not let us. */
long bench_instructions(bench_op op, void *arg);

/* ---- several CPUs: threads.c -------------------------------------------- */

#define BENCH_CPUS 2u /* at most */
bool bench_has_two_cpus(void);
/* Nanoseconds of one call while so many CPUs make calls, each with an argument
 * of its own: their mean. */
double bench_ns_together(bench_op op, void *const *args, unsigned threads);

/* ---- a host without a machine: host.c ----------------------------------- */

#define BENCH_MSIX 0x80u /* where the capability is */
#define BENCH_MSIX_ENTRIES 16u
#define BENCH_EMPTY 0xc0u /* registers from here on read zero, at once */

struct bench_host {
    struct pcv_host *host;
    struct pcv_domain *domain; /* the hardware domain */
    uint32_t devices;
    uint32_t bars; /* a device; 8 KiB apart, 4 KiB each */
    bool msix;
    uint16_t *command; /* of each device */
};

/* Make a host of that many devices, all added. Ends the program on failure. */
void bench_host_make(struct bench_host *b, uint32_t devices, uint32_t bars,
                     bool msix);
void bench_host_end(struct bench_host *b);
/* The index-th device, and where its BAR is. */
pcv_sbdf bench_sbdf(uint32_t index);
uint64_t bench_bar(const struct bench_host *b, uint32_t index, uint32_t bar);
/* What hardware is to it, with the bench_host as context. */
const struct pcv_host_ops *bench_host_ops(void);
/* The same machine for the library and for the yardstick, where each device has
 * registers of 4 bytes that hold what is written to them: machine.c. */
#define BENCH_REGISTERS 40u
#define BENCH_FIRST_REGISTER PCV_CFG_SIZE
struct yard;
void bench_machine_make(struct bench_host *b, struct yard **out_yard,
                        uint32_t devices);
/* End the program, saying why. */
_Noreturn void bench_fail(const char *what, int error);

/* ---- what is measured --------------------------------------------------- */

void bench_access(void);   /* access.c */
void bench_decode(void);   /* decode.c */
void bench_life(void);     /* life.c */
void bench_together(void); /* together.c */
/* Only what does not depend on the machine's mood: instructions, with counts
 * that are up in a second. */
extern bool bench_counts_only;
void bench_memory(void); /* memory.c */

#endif
