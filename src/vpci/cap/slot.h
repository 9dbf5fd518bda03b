/* SPDX-License-Identifier: MIT */
/* A port's slot registers: the part of the PCI Express capability that ports
 * have for the hardware domain. */
#ifndef PCV_VPCI_CAP_SLOT_H
#define PCV_VPCI_CAP_SLOT_H

#include "vpci/cap.h"

/* Mediate them where the port has a slot. 0; -PCV_ENOMEM, -PCV_EEXIST,
 * -PCV_EIO. */
int pcv__slot_setup(struct pcv__cap *cap);

#endif
