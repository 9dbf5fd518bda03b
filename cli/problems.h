/* SPDX-License-Identifier: MIT */
/* What looks broken in a machine, in sentences. */
#ifndef PCIVISOR_CLI_PROBLEMS_H
#define PCIVISOR_CLI_PROBLEMS_H

#include "inventory.h"

struct problem {
    pcv_sbdf sbdf;
    char *words; /* what is the matter with that function */
};

struct problems {
    struct problem *item;
    size_t count;
    size_t room;
};

void problems_find(struct problems *out_problems, const struct machine *machine,
                   const struct inventory *inventory);
void problems_fini(struct problems *problems);

#endif
