/* SPDX-License-Identifier: MIT */
/*
 * A modelled machine in place of the real one's PCI devices: with the option
 * model=NAME the hardware domain gets a captured machine (captures.S), whose
 * functions answer as hardware does. Nothing of it is more than memory: no
 * interrupt comes from it, and nothing of its BARs is mapped in stage 2, so
 * that each access to them traps.
 */
#ifndef HYP_MODELLED_H
#define HYP_MODELLED_H

#include "machine.h"
#include "pcivisor/pcivisor.h"

/*
 * If the option is there: build the machine, and take the real one's windows
 * and pins out of `machine`, so that nobody else shares them out; what is left
 * is a window of memory where the capture has nothing, for functions that the
 * hypervisor adds. They must be placed, since Linux leaves all BARs where they
 * are. Once, when
 * the console has its card, and before the hardware domain is made; panics
 * with what is wrong.
 */
void modelled_init(struct machine *machine);
/* Whether it was there. */
bool modelled(void);

/* The host operations for pcv_host_create(), and their context: the model's for
 * what is modelled, the port's for the rest. */
const struct pcv_host_ops *modelled_ops(void);
void *modelled_context(void);

/* Whether an access goes to a window of the modelled host bridges. False
 * without a model. */
bool modelled_covers(uint64_t address, unsigned size);
/* An access there that the library forwards; *data is the size's bytes. */
void modelled_access(uint32_t domain_id, uint64_t address, unsigned size,
                     bool write, uint64_t *data);

/* Put the modelled host bridges into a device tree in place of the real one;
 * their messages go to the frame with this phandle. 0, or libfdt's error. */
int modelled_fdt(void *fdt, uint32_t frame);

#endif
