/* SPDX-License-Identifier: MIT */
/*
 * The mailbox of a running Linux: found in sysfs, its BAR mapped. No kernel
 * driver is needed.
 */
#ifndef PCIVISOR_CLI_CTL_SYSFS_H
#define PCIVISOR_CLI_CTL_SYSFS_H

#include "ctl/mailbox.h"

struct sysfs {
    volatile uint32_t *bar;
    size_t size; /* of what is mapped, bytes */
    int fd;      /* of the BAR, locked */
};

/*
 * Find the function, or take the one that is named, and map its BAR.
 *
 * @devices  Linux's folder of functions
 * @sbdf     "0000:00:1f.0", or NULL: the one whose class and subsystem are
 *           those of a mailbox; no other is touched
 *
 * Waits as long as another pcivisorctl has it. False, and why; else to be ended
 * with sysfs_close().
 */
bool sysfs_open(struct sysfs *sysfs, const char *devices, const char *sbdf,
                struct text *why);
void sysfs_close(struct sysfs *sysfs);

/* How mailbox_open() is to reach it. */
void sysfs_mailbox(struct sysfs *sysfs, struct mailbox *out_mailbox);

#endif
