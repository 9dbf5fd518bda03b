/* SPDX-License-Identifier: MIT */
/* What the entrances share. */
#ifndef PCV_VBUS_INTERNAL_H
#define PCV_VBUS_INTERNAL_H

#include "vpci/internal.h"

#endif
