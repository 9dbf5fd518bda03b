/* SPDX-License-Identifier: MIT */
/* Names of vendors, devices and classes. */
#include "names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <pci/pci.h>

struct names {
    struct pci_access *access;
};

/* libpci asks that this never returns. It happens when pci.ids is damaged or
 * memory ends. */
static void __attribute__((noreturn, format(printf, 1, 2)))
names_error(char *message, ...)
{
    va_list args;
    va_start(args, message);
    fputs("pcivisor: names: ", stderr);
    vfprintf(stderr, message, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void __attribute__((format(printf, 1, 2)))
names_quiet(char *message, ...)
{
    (void)message;
}

struct names *names_create(void)
{
    struct names *names = memory_zero(1, sizeof(*names));
    names->access = pci_alloc();
    /* pci_init() would set these, but it looks for hardware too. */
    names->access->error = names_error;
    names->access->warning = names_quiet;
    names->access->debug = names_quiet;
    /* udev's own list is left out: names are the same everywhere then, and
     * libpci loses memory where that list is missing. */
    static char disable[] = "hwdb.disable";
    static char yes[] = "1";
    (void)pci_set_param(names->access, disable, yes);
    return names;
}

void names_destroy(struct names *names)
{
    if (names != NULL) {
        pci_cleanup(names->access);
        free(names);
    }
}

void names_add_device(struct names *names, struct text *text, uint16_t vendor,
                      uint16_t device)
{
    char room[256];
    text_add_clean(text, pci_lookup_name(names->access, room, sizeof(room),
                                         PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
                                         vendor, device));
}

void names_add_class(struct names *names, struct text *text, uint16_t class)
{
    char room[256];
    text_add_clean(text, pci_lookup_name(names->access, room, sizeof(room),
                                         PCI_LOOKUP_CLASS, class));
}
