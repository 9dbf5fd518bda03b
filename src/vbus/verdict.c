/* SPDX-License-Identifier: MIT */
/* What verdicts are called. */
#include "pcivisor/access.h"

const char *pcv_verdict_name(enum pcv_verdict verdict)
{
    switch (verdict) {
    case PCV_DONE:
        return "done";
    case PCV_PENDING:
        return "pending";
    case PCV_RETRY:
        return "retry";
    case PCV_ABSENT:
        return "absent";
    case PCV_FORWARD:
        return "forward";
    }
    return "unknown verdict";
}
