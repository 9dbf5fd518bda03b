/* SPDX-License-Identifier: MIT */
/* The guests of a machine. */
#include "guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the hardware domain's first one. */
#define ECAM_BASE (UINT64_C(1) << 36)

struct guest *guest_named(const struct machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->guests; i++) {
        if (strcmp(machine->guest[i].name, name) == 0) {
            return &machine->guest[i];
        }
    }
    return NULL;
}

struct guest *guest_of(const struct machine *machine, uint32_t id)
{
    for (size_t i = 0; i < machine->guests; i++) {
        if (pcv_domain_id(machine->guest[i].domain) == id) {
            return &machine->guest[i];
        }
    }
    return NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool guest_name_good(const char *name)
{
    static const char *const taken[] = {"dom0", "hypervisor", "quarantine"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(name, taken[i]) == 0) {
            return false;
        }
    }
    if (len > GUEST_NAME_MAX || !is_letter(name[0])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_letter(name[i]) && (name[i] < '0' || name[i] > '9') &&
            name[i] != '-' && name[i] != '_') {
            return false;
        }
    }
    return true;
}

const char *guest_name_of(const struct machine *machine, uint32_t id)
{
    const struct guest *guest = guest_of(machine, id);

    for (size_t i = 0; guest == NULL && i < machine->formers; i++) {
        if (machine->former[i].id == id) {
            return machine->former[i].name;
        }
    }
    return guest != NULL ? guest->name : NULL;
}

/* What was its own may be told of later. */
static void keep_name(struct machine *machine, const struct guest *guest,
                      uint32_t id)
{
    struct former_guest former = {.id = id};

    snprintf(former.name, sizeof(former.name), "%s", guest->name);
    machine->former =
        memory_resize(machine->former, machine->formers + 1, sizeof(former));
    machine->former[machine->formers++] = former;
}

void guests_forget_former(struct machine *machine)
{
    free(machine->former);
    machine->former = NULL;
    machine->formers = 0;
}

/* Bounded: each identifier that is passed over is a guest's. */
static uint32_t free_id(const struct machine *machine)
{
    uint32_t id = machine->last_guest_id + 1;

    if (id <= PCV_DOMAIN_ID_HARDWARE) {
        id = PCV_DOMAIN_ID_HARDWARE + 1;
    }
    while (pcv_domain_find(machine->host, id) != NULL) {
        id++;
    }
    return id;
}

int guest_create(struct machine *machine, const char *name)
{
    struct guest guest = {.ecam = {.base = ECAM_BASE, .bus_last = 0xff}};
    int result;

    if (guest_named(machine, name) != NULL) {
        return -PCV_EEXIST;
    }
    result = pcv_domain_create(machine->host, free_id(machine), &guest.domain);
    if (result != 0) {
        return result;
    }
    result = pcv_domain_add_ecam(guest.domain, (pcv_gpa){guest.ecam.base},
                                 guest.ecam.segment, 0, guest.ecam.bus_last);
    if (result != 0) {
        /* It owns nothing, so it goes. */
        int undone = pcv_domain_destroy(guest.domain);
        return undone != 0 ? undone : result;
    }
    machine->last_guest_id = pcv_domain_id(guest.domain);
    snprintf(guest.name, sizeof(guest.name), "%s", name);
    machine->guest =
        memory_resize(machine->guest, machine->guests + 1, sizeof(guest));
    machine->guest[machine->guests++] = guest;
    return 0;
}

/* More than a machine of the model takes; beyond it there is a bug. */
#define DESTROY_STEPS_MAX 1000000u

int guest_destroy(struct machine *machine, const char *name,
                  uint64_t *out_wait_us)
{
    struct guest *guest = guest_named(machine, name);
    uint32_t steps = 0;
    int result;

    *out_wait_us = 0;
    if (guest == NULL) {
        return -PCV_ENOENT;
    }
    uint32_t id = pcv_domain_id(guest->domain);
    do {
        result = pcv_domain_destroy(guest->domain);
        *out_wait_us = result == -PCV_ERESTART && machine->clock
                           ? pcv_domain_wait_us(guest->domain)
                           : 0;
    } while (result == -PCV_ERESTART && *out_wait_us == 0 &&
             ++steps < DESTROY_STEPS_MAX);
    if (result == 0) {
        size_t index = (size_t)(guest - machine->guest);
        keep_name(machine, guest, id);
        machine->guests--;
        memmove(guest, guest + 1, (machine->guests - index) * sizeof(*guest));
    }
    return result;
}

static int window_add(struct guest *guest, uint64_t base, uint64_t size)
{
    int result = pcv_domain_add_window(guest->domain, (pcv_gpa){base}, size);
    if (result == 0 && guest->windows < PCV_DOMAIN_WINDOWS) {
        guest->window[guest->windows++] = (struct guest_window){base, size};
    }
    return result;
}

int guest_add_window(struct guest *guest, uint64_t base, uint64_t size)
{
    int result = -PCV_EBUSY;

    if (!guest->used) {
        result = window_add(guest, base, size);
        guest->declared = guest->declared || result == 0;
    }
    return result;
}

/* A guest whose windows nobody declared gets those that everything fits in. */
int guest_prepare(struct guest *guest)
{
    static const struct guest_window window[] = {
        {GUEST_WINDOW_LOW, GUEST_WINDOW_LOW_SIZE},
        {GUEST_WINDOW_HIGH, GUEST_WINDOW_HIGH_SIZE},
    };
    size_t count = sizeof(window) / sizeof(window[0]);
    int result = 0;

    while (!guest->declared && guest->windows < count && result == 0) {
        const struct guest_window *next = &window[guest->windows];
        result = window_add(guest, next->base, next->size);
    }
    guest->used = guest->used || result == 0;
    return result;
}

int guest_attach(const struct machine *machine, struct guest *guest,
                 pcv_sbdf sbdf, const struct pcv_assign_policy *policy,
                 pcv_sbdf *out_own, uint64_t *out_wait_us)
{
    uint32_t steps = 0;
    int result = guest_prepare(guest);

    *out_wait_us = 0;
    if (result != 0) {
        return result;
    }
    do {
        result = pcv_device_assign(machine->host, sbdf, guest->domain, policy,
                                   out_own);
    } while (result == -PCV_ERESTART &&
             machine_again(machine, sbdf, &steps, out_wait_us));
    return result;
}

/* See it through, as guest_attach() does. */
static int quarantine(const struct machine *machine, pcv_sbdf sbdf,
                      uint64_t *out_wait_us)
{
    uint32_t steps = 0;
    int result;

    do {
        result = pcv_device_quarantine(machine->host, sbdf, 0, NULL);
    } while (result == -PCV_ERESTART &&
             machine_again(machine, sbdf, &steps, out_wait_us));
    return result;
}

/* Declare all of a group isolated that can be told from others; a port that
 * isolates parts what is behind it from the rest, too. */
static int declare(const struct machine *machine, pcv_sbdf sbdf)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    int result = pcv_group_find(machine->host, sbdf, &group);

    while (result == 0 && pcv_group_next(&group, from, &member)) {
        result = pcv_device_declare_isolated(machine->host, member.sbdf, true);
        result = result == -PCV_EPERM ? 0 : result;
        from.v = member.sbdf.v + 1;
    }
    return result;
}

/* Who is joined by conventional PCI goes to quarantine: there it splits no
 * group, and can be given to the guest later. */
static int set_apart(const struct machine *machine, const struct guest *guest,
                     pcv_sbdf sbdf, uint64_t *out_wait_us)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    int result = declare(machine, sbdf);

    if (result == 0) {
        result = pcv_group_find(machine->host, sbdf, &group);
    }
    while (result == 0 && pcv_group_next(&group, from, &member)) {
        if (member.sbdf.v != sbdf.v && !member.is_bridge &&
            member.owner_id != pcv_domain_id(guest->domain)) {
            result = quarantine(machine, member.sbdf, out_wait_us);
        }
        from.v = member.sbdf.v + 1;
    }
    return result;
}

int guest_show(const struct machine *machine, struct guest *guest,
               pcv_sbdf sbdf, const struct pcv_assign_policy *policy,
               pcv_sbdf *out_own, uint64_t *out_wait_us)
{
    int result =
        guest_attach(machine, guest, sbdf, policy, out_own, out_wait_us);

    if (result == -PCV_EXDEV) {
        result = set_apart(machine, guest, sbdf, out_wait_us);
        if (result == 0) {
            result = guest_attach(machine, guest, sbdf, policy, out_own,
                                  out_wait_us);
        }
    }
    return result;
}

static int owned_compare(const void *a, const void *b)
{
    const struct owned *x = a;
    const struct owned *y = b;
    return x->own.v < y->own.v ? -1 : x->own.v > y->own.v;
}

void owned_take(struct owned_list *out_list, const struct machine *machine,
                uint32_t domain_id)
{
    struct owned_list list = {0};
    size_t room = 0;
    pcv_sbdf from = {0};

    for (;;) {
        struct pcv_device_info info;
        struct pcv_device *device = pcv_device_next(machine->host, from);
        if (device == NULL) {
            break;
        }
        pcv_device_get_info(device, &info);
        pcv_sbdf own = pcv_device_guest_sbdf(device);
        pcv_device_put(device);
        if (info.owner_id == domain_id) {
            list.item =
                memory_grow(list.item, list.count, &room, sizeof(*list.item));
            list.item[list.count++] =
                (struct owned){info.sbdf, own, info.extended};
        }
        if (info.sbdf.v == UINT32_MAX) {
            break;
        }
        from.v = info.sbdf.v + 1;
    }
    if (list.count > 0) {
        qsort(list.item, list.count, sizeof(*list.item), owned_compare);
    }
    *out_list = list;
}

void owned_fini(struct owned_list *list)
{
    free(list->item);
    memset(list, 0, sizeof(*list));
}
