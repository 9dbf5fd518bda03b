/* SPDX-License-Identifier: MIT */
/*
 * A machine for drivers (nvme.h, nic.h): the modelled host with one device of
 * each kind, a guest to give them to, and what ties its bus to the model. This
 * is the hypervisor's side; drivers do not know it.
 *
 *   00:00.0 host bridge
 *   00:02.0 root port, bus 1
 *     01:00.0 something like NVMe
 *   00:05.0 something like a network card
 */
#ifndef PCV_TESTS_DRIVER_DRIVEN_H
#define PCV_TESTS_DRIVER_DRIVEN_H

#include "bus.h"
#include "model.h"

#define DRIVEN_NVME pcv_sbdf_make(0, 1, 0)
#define DRIVEN_NIC pcv_sbdf_make(0, 0, pcv_devfn(5, 0))
#define DRIVEN_FUNCTIONS 4u

#define DRIVEN_GUEST 7u

/* Where each side has its ECAM window: for struct bus. */
#define DRIVEN_GUEST_ECAM UINT64_C(0xb0000000)
#define DRIVEN_HARDWARE_ECAM UINT64_C(0xe0000000)

/* A domain with its bus. */
struct driven_side {
    struct driven *machine;
    struct bus bus;
};

struct driven {
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_domain *guest;    /* NULL: there is none */
    struct driven_side hardware; /* the hardware domain's side */
    struct driven_side side;     /* the guest's */
    uint64_t stray;              /* messages for somebody else */
    uint64_t told[64];           /* events, by kind: more than there are */
};

/* The machine, with everything found and its clock going. */
void driven_start(struct driven *machine);
/* Everything is given back, and nothing was done wrong. */
void driven_end(struct driven *machine);

/* The network card by itself, for other machines: its 32-bit BARs are in 1 MiB
 * at `low`, its 64-bit BAR in 4 MiB at `high`. Before the model is ready. */
void driven_add_nic(struct pcv_model *model, pcv_sbdf sbdf, uint32_t low,
                    uint64_t high);

/* Each answers 0 or the library's error; restarts are waited for. */
int driven_guest_create(struct driven *machine);
int driven_guest_destroy(struct driven *machine);
int driven_assign(struct driven *machine, pcv_sbdf sbdf,
                  const struct pcv_assign_policy *policy);
int driven_deassign(struct driven *machine, pcv_sbdf sbdf);

/* Events of the kinds that say that something did not work. */
uint64_t driven_complaints(const struct driven *machine);

#endif
