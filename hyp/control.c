/* SPDX-License-Identifier: MIT */
/* The control device: a mailbox on the hardware domain's bus. */
#include "control.h"

void control_init(const struct machine *machine, struct pcv_host *host)
{
    (void)machine;
    (void)host;
}
