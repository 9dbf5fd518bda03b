/* SPDX-License-Identifier: MIT */
/*
 * The guests of a machine: domains that commands create, and call by name.
 */
#ifndef PCIVISOR_CLI_GUESTS_H
#define PCIVISOR_CLI_GUESTS_H

#include "machine.h"

#define GUEST_NAME_MAX 31u

/* Where BARs of a guest may appear unless its windows are declared: 1 GiB below
 * 4 GiB, and 256 GiB above everything else. */
#define GUEST_WINDOW_LOW UINT64_C(0x80000000)
#define GUEST_WINDOW_LOW_SIZE UINT64_C(0x40000000)
#define GUEST_WINDOW_HIGH UINT64_C(0x4000000000)
#define GUEST_WINDOW_HIGH_SIZE UINT64_C(0x4000000000)

struct guest_window {
    uint64_t base;
    uint64_t size;
};

struct guest {
    char name[GUEST_NAME_MAX + 1];
    struct pcv_domain *domain;
    struct ecam_window ecam; /* 256 buses of segment 0, from 64 GiB on */
    struct guest_window window[PCV_DOMAIN_WINDOWS];
    size_t windows;
    bool declared; /* its windows are those that it was told */
    bool used;     /* it was given a function: they are settled */
};

/* One that was destroyed, for as long as events that were not told yet may name
 * it. */
struct former_guest {
    char name[GUEST_NAME_MAX + 1];
    uint32_t id;
};

/* The name of a guest that is, or was; NULL. */
const char *guest_name_of(const struct machine *machine, uint32_t id);
/* All events were told. */
void guests_forget_former(struct machine *machine);

/* By name, or by the domain's identifier; NULL. Good until a guest is created
 * or destroyed. */
struct guest *guest_named(const struct machine *machine, const char *name);
struct guest *guest_of(const struct machine *machine, uint32_t id);

/* Whether a guest may be called so: a letter, then letters, digits, - and _;
 * no more than GUEST_NAME_MAX of them, and not the name of another kind of
 * domain. */
bool guest_name_good(const char *name);

/* The errors of these are the library's. -PCV_EEXIST: there is one of this
 * name. */
int guest_create(struct machine *machine, const char *name);
/* *out_wait_us: with -PCV_ERESTART, not before that, where time stands still.
 */
int guest_destroy(struct machine *machine, const char *name,
                  uint64_t *out_wait_us);
/* -PCV_EBUSY: it was given a function already. */
int guest_add_window(struct guest *guest, uint64_t base, uint64_t size);

/* It is about to be given a function: where nobody declared its windows it gets
 * those above, and they are settled. */
int guest_prepare(struct guest *guest);

/*
 * Give a function to a guest, and see it through. Where the model's clock
 * stands still while the function must be left alone, the answer is
 * -PCV_ERESTART and *out_wait_us how long.
 */
int guest_attach(const struct machine *machine, struct guest *guest,
                 pcv_sbdf sbdf, const struct pcv_assign_policy *policy,
                 pcv_sbdf *out_own, uint64_t *out_wait_us);

/*
 * The same for who only looks at what the guest would find: nothing runs, so
 * the rest of an isolation group is in nobody's way. Its functions are declared
 * isolated; those behind a bridge of conventional PCI, which no IOMMU can tell
 * apart, go to quarantine.
 */
int guest_show(const struct machine *machine, struct guest *guest,
               pcv_sbdf sbdf, const struct pcv_assign_policy *policy,
               pcv_sbdf *out_own, uint64_t *out_wait_us);

/* A function of a domain. */
struct owned {
    pcv_sbdf sbdf; /* on the machine */
    pcv_sbdf own;  /* where its owner finds it */
    bool extended;
};

/* All functions of a domain, in the order of their owner's addresses. */
struct owned_list {
    struct owned *item;
    size_t count;
};

void owned_take(struct owned_list *out_list, const struct machine *machine,
                uint32_t domain_id);
void owned_fini(struct owned_list *list);

#endif
