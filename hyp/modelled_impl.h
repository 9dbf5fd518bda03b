/* SPDX-License-Identifier: MIT */
/* The modelled machine, as its files share it. */
#ifndef HYP_MODELLED_IMPL_H
#define HYP_MODELLED_IMPL_H

#include "model.h"
#include "modelled.h"

#define MODELLED_ROOTS 16u
#define MODELLED_WINDOWS 64u

enum modelled_space {
    MODELLED_IO,
    MODELLED_MEMORY, /* at the same address for the CPU and on the bus */
};

/* What a host bridge forwards: [start, end) of the bus. */
struct modelled_window {
    enum modelled_space space;
    unsigned root;
    uint64_t start, end;
};

/* A host bridge for each root bus, with the buses up to the next one. */
struct modelled_root {
    uint8_t bus_first, bus_last;
};

struct modelled_machine {
    struct pcv_model *model; /* NULL: the option was not given */
    uint16_t segment;        /* the one that is shown */
    struct region ecam, io;  /* CPU addresses: those of the real bridge */
    struct region spare;     /* memory in a window of the first root bus */
    unsigned roots, windows;
    struct modelled_root root[MODELLED_ROOTS];
    struct modelled_window window[MODELLED_WINDOWS];
};

extern struct modelled_machine modelled_machine;

/* Find root buses and windows (modelled_windows.c). `real` says which
 * addresses are taken. Panics if the two machines do not go together. */
void modelled_find_windows(const struct machine *real);

#endif
