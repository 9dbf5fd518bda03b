/* SPDX-License-Identifier: MIT */
/* Error numbers in words. */
#include "pcivisor/errno.h"

const char *pcv_errno_name(int error)
{
    switch (error < 0 ? -error : error) {
#define NAME_CASE(name, value, meaning)                                        \
    case value:                                                                \
        return #name;
        PCV_ERRORS(NAME_CASE)
#undef NAME_CASE
    default:
        return "E?";
    }
}

const char *pcv_errno_meaning(int error)
{
    switch (error < 0 ? -error : error) {
#define MEANING_CASE(name, value, meaning)                                     \
    case value:                                                                \
        return meaning;
        PCV_ERRORS(MEANING_CASE)
#undef MEANING_CASE
    default:
        return "unknown error";
    }
}
