/* SPDX-License-Identifier: MIT */
/*
 * The tree of functions, drawn the way `lspci -t` does, one line a function,
 * each with what is known of it.
 */
#ifndef PCIVISOR_CLI_TREE_H
#define PCIVISOR_CLI_TREE_H

#include "describe.h"
#include "inventory.h"

struct tree_style {
    struct describe_style describe;
    bool colours;
    size_t lines_max; /* functions that are no bridges are counted in one line
                         a bridge, and so many lines printed; 0: everything */
};

/* Prints to standard output. The machine is not changed. */
void tree_print(struct machine *machine, const struct inventory *inventory,
                const struct tree_style *style);

#endif
