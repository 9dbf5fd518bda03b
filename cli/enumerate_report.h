/* SPDX-License-Identifier: MIT */
/* What the enumerator found, in words. */
#ifndef PCIVISOR_CLI_ENUMERATE_REPORT_H
#define PCIVISOR_CLI_ENUMERATE_REPORT_H

#include "enumerate.h"
#include "machine.h"

/* What a function is, by its own words. */
enum pcv_device_type enumerate_type(const struct enumerate_function *fn);

/* "mem64 prefetchable 16K at fe800000". */
void enumerate_report_bar(struct text *text, const struct enumerate_bar *bar);

/* A block of lines about one function. */
void enumerate_report_function(struct text *text, const struct machine *machine,
                               const struct enumeration *enumeration,
                               const struct enumerate_function *fn);

/* "41 functions on 13 buses, 63 BARs sized, 5211 accesses", as a line. */
void enumerate_report_summary(struct text *text,
                              const struct enumeration *enumeration);

#endif
