/* SPDX-License-Identifier: MIT */
/* All of pcivisor's public interface. */
#ifndef PCIVISOR_PCIVISOR_H
#define PCIVISOR_PCIVISOR_H

#include "pcivisor/access.h"
#include "pcivisor/assign.h"
#include "pcivisor/cap.h"
#include "pcivisor/ctl.h"
#include "pcivisor/device.h"
#include "pcivisor/domain.h"
#include "pcivisor/emulated.h"
#include "pcivisor/errno.h"
#include "pcivisor/faults.h"
#include "pcivisor/group.h"
#include "pcivisor/hidden.h"
#include "pcivisor/host.h"
#include "pcivisor/mailbox.h"
#include "pcivisor/msix.h"
#include "pcivisor/port.h"
#include "pcivisor/protected.h"
#include "pcivisor/read_only.h"
#include "pcivisor/register.h"
#include "pcivisor/regs.h"
#include "pcivisor/requester.h"
#include "pcivisor/reset.h"
#include "pcivisor/topology.h"
#include "pcivisor/types.h"

#endif
