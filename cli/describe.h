/* SPDX-License-Identifier: MIT */
/* What `inspect` says of a function, beside the tree. */
#ifndef PCIVISOR_CLI_DESCRIBE_H
#define PCIVISOR_CLI_DESCRIBE_H

#include "machine.h"
#include "names.h"

/* "root port  Red Hat, Inc. QEMU PCIe Root port [1b36:000c]" */
void describe_title(struct text *text, const struct pcv_device_info *info,
                    struct names *names);

/* What to say of a function. */
struct describe_style {
    struct names *names; /* NULL: numbers only */
    bool verbose; /* also class, subsystem, serial number, capabilities, and
                     the address of each BAR */
    bool owners;  /* name the owner */
};

/* The rest, one call of `fn` a line: owner, node, relations and BARs. None if
 * there is nothing to say. */
void describe_details(struct machine *machine,
                      const struct pcv_device_info *info,
                      const struct describe_style *style,
                      void (*fn)(void *arg, const char *words), void *arg);

#endif
