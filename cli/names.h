/* SPDX-License-Identifier: MIT */
/*
 * Names of vendors, devices and classes, from pci.ids through libpci.
 */
#ifndef PCIVISOR_CLI_NAMES_H
#define PCIVISOR_CLI_NAMES_H

#include <stdint.h>

#include "text.h"

struct names;

struct names *names_create(void);
void names_destroy(struct names *names);

/*
 * As lspci prints them, numbers where there is no name: "Red Hat, Inc. Virtio
 * RNG", "PCI bridge". The class is base class and sub-class.
 */
void names_add_device(struct names *names, struct text *text, uint16_t vendor,
                      uint16_t device);
void names_add_class(struct names *names, struct text *text, uint16_t class);

#endif
