/* SPDX-License-Identifier: MIT */
/*
 * The running machine's functions, through libpci.
 */
#ifndef PCIVISOR_HOST_LINUX_LIVE_H
#define PCIVISOR_HOST_LINUX_LIVE_H

#include "../model/model.h"

/*
 * As pcv_model_load_live(), from another tree than /sys/bus/pci (NULL: that
 * one). A test needs no PCI devices for it.
 */
int pcv__live_load(struct pcv_model *model, const char *sysfs,
                   struct pcv_model_error *error);

#endif
