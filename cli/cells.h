/* SPDX-License-Identifier: MIT */
/*
 * The registers that a domain sees of a function, with the policy of each bit:
 * what `cells` prints and `diff` explains.
 */
#ifndef PCIVISOR_CLI_CELLS_H
#define PCIVISOR_CLI_CELLS_H

#include "view.h"

#define CELL_CAP_ROOM 40u

/* A register, or a run of bytes that belong to none. */
struct cell {
    struct pcv_register_info info; /* of a run: of its first piece */
    uint16_t bytes;                /* a register's size, or the run's length */
    uint32_t value;                /* a register's, as the domain reads it */
    uint16_t cap_offset; /* where the capability begins that a register belongs
                            to, in the domain's lists; 0: to none */
    char cap[CELL_CAP_ROOM]; /* its name */
};

struct cell_list {
    struct cell *item; /* in order; together they cover all that is seen */
    size_t count;
    size_t room;
};

/*
 * All cells of the function at an address of the view's domain. With `runs`,
 * pieces that belong to no register and have the same policy are one cell.
 * False if there is no such function.
 */
bool cells_take(struct cell_list *out_list, const struct view *view,
                pcv_sbdf sbdf, bool runs);
void cells_fini(struct cell_list *list);

/* What each bit in a policy's masks is called: "hardware", "virtual w1c"; NULL
 * past the last one, which stands for the bits in no mask. */
const char *cell_policy_name(size_t index);
uint32_t cell_policy_mask(const struct pcv_register_info *info, size_t index);

#endif
