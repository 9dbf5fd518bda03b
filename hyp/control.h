/* SPDX-License-Identifier: MIT */
/* The control device: a mailbox on the hardware domain's bus. */
#ifndef HYP_CONTROL_H
#define HYP_CONTROL_H

#include "machine.h"
#include "pcivisor/pcivisor.h"

/* Put it on the root bus. Says so where there is no room. */
void control_init(const struct machine *machine, struct pcv_host *host);
/* The library told something: kept for who asks. Any context. */
void control_event(const struct pcv_event *event);

#endif
