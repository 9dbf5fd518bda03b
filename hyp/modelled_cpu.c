/* SPDX-License-Identifier: MIT */
/* What threads are to the model in a program (host/model/cpu.c), CPUs are to
 * it here. */
#include "domain.h"
#include "internal.h"

uint32_t pcv__model_this_cpu(void)
{
    return this_cpu()->index;
}
