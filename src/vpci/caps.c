/* SPDX-License-Identifier: MIT */
/*
 * Capabilities of a view: which are set up, and how the lists are linked
 * (CAP-2 to CAP-5). What a capability does is its own file's under cap/.
 */
#include "vpci/cap_link.h"

/* ---- rows and registers ----------------------------------------------------
 */

int pcv__cap_add_at(struct pcv__cap *cap, uint16_t offset,
                    const struct pcv_register *row)
{
    uint32_t end = cap->desc->extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
    uint32_t base = (uint32_t)cap->offset + offset;

    if (base + row->offset > end - row->size) {
        return -PCV_EINVAL;
    }
    return pcv__cells_add_at(pcv__vpci(cap->device), (uint16_t)base, row, cap);
}

int pcv__cap_add(struct pcv__cap *cap, const struct pcv_register *rows,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = pcv__cap_add_at(cap, 0, &rows[i]);

        if (error != 0) {
            return error;
        }
    }
    return 0;
}

uint32_t pcv__cap_read(const struct pcv__cap *cap, uint16_t offset,
                       uint8_t size)
{
    return pcv__hw_read(cap->device, (uint16_t)(cap->offset + offset), size);
}

void pcv__cap_write(const struct pcv__cap *cap, uint16_t offset, uint8_t size,
                    uint32_t value)
{
    pcv__hw_write(cap->device, (uint16_t)(cap->offset + offset), size, value);
}

void pcv__cap_store(const struct pcv__cap *cap, uint16_t offset, uint8_t size,
                    uint32_t value)
{
    pcv__cells_store(pcv__vpci(cap->device), (uint16_t)(cap->offset + offset),
                     size, value);
}

uint32_t pcv__cap_load(const struct pcv__cap *cap, uint16_t offset,
                       uint8_t size)
{
    return pcv__cells_load(pcv__vpci(cap->device),
                           (uint16_t)(cap->offset + offset), size);
}

/* ---- which are there -------------------------------------------------------
 */

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    return pcv__hw_read(ctx, reg, size);
}

/* -PCV_EIO if the host could not read the lists: nobody knows then what must be
 * mediated, or hidden. */
static int find_all(struct pcv_device *device, bool extended,
                    struct pcv__found *found)
{
    const struct pcv_cap_source source = {read_device, device};

    found->count = 0;
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    if (extended) {
        if (pcv__is_extended(device)) {
            found->count =
                pcv_ext_caps_walk(&source, found->cap, PCV_CAPS_MAX, NULL);
        }
    } else if ((pcv__hw_read(device, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS) !=
               0) {
        found->count = pcv_caps_walk(&source, found->cap, PCV_CAPS_MAX, NULL);
    }
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

static const struct pcv__cap_desc *describe(const struct pcv_cap *cap)
{
    for (size_t i = 0; pcv__cap_list[i]; i++) {
        if (pcv__cap_list[i]->id == cap->id &&
            pcv__cap_list[i]->extended == cap->extended) {
            return pcv__cap_list[i];
        }
    }
    return NULL;
}

/* What the assignment says of a capability (CAP-6). */
static bool chosen(const struct pcv_assign_policy *policy,
                   const struct pcv__cap_desc *desc)
{
    for (uint32_t i = 0; i < policy->cap_count; i++) {
        const struct pcv_cap_choice *choice = &policy->caps[i];

        if (choice->id == desc->id && choice->extended == desc->extended) {
            return choice->show;
        }
    }
    return (desc->flags & PCV__CAP_ON_WISH) == 0;
}

/* Whether the owner's view of it is to be set up, or that it has none. */
static bool wanted(const struct pcv_device *device,
                   const struct pcv__cap_desc *desc)
{
    if (!desc) {
        return false;
    }
    if (!device->assignment) {
        return (desc->flags & PCV__CAP_HARDWARE) != 0;
    }
    return (desc->flags & PCV__CAP_GUEST) != 0 &&
           (desc->shield || chosen(&device->assignment->policy, desc));
}

/* ---- setting up ------------------------------------------------------------
 */

static void drop_rows(struct pcv__vpci *vpci, const struct pcv__cap *cap)
{
    for (uint16_t i = 0; i < vpci->reg_count; i++) {
        if (vpci->regs[i].desc && vpci->regs[i].data == cap) {
            pcv__cells_drop(vpci, (uint16_t)(i + 1u));
        }
    }
}

static void take_down(struct pcv__cap *cap)
{
    if (cap->desc->teardown) {
        cap->desc->teardown(cap);
    }
    drop_rows(pcv__vpci(cap->device), cap);
    cap->up = false;
}

static void hide(struct pcv__cap *cap, int error)
{
    take_down(cap);
    pcv__event(cap->device, PCV_EVENT_CAP_HIDDEN, PCV_EVENT_DEVICE,
               cap->desc->id | (cap->desc->extended ? 0x10000u : 0),
               (uint64_t)-error);
}

/* The number of a list's capabilities that are to be set up. */
static uint16_t count_wanted(const struct pcv_device *device,
                             const struct pcv__found *found)
{
    uint16_t count = 0;

    for (size_t i = 0; i < found->count; i++) {
        if (wanted(device, describe(&found->cap[i]))) {
            count++;
        }
    }
    return count;
}

/* Room for `more` records behind those that are there. They move, so rows and
 * holes that name them follow. */
static int make_room(struct pcv_device *device, uint16_t more)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__cap *old = vpci->caps;
    struct pcv__cap *caps;
    size_t count = vpci->cap_count;

    if (more == 0) {
        return 0;
    }
    caps = pcv__alloc(mem, (count + more) * sizeof(*caps));
    if (!caps) {
        return -PCV_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        caps[i] = old[i];
        for (uint16_t r = 0; r < vpci->reg_count; r++) {
            if (vpci->regs[r].data == &old[i]) {
                vpci->regs[r].data = &caps[i];
            }
        }
        for (uint32_t h = 0; h < PCV__HOLES; h++) {
            if (vpci->hole[h].cap == &old[i]) {
                vpci->hole[h].cap = &caps[i];
            }
        }
    }
    pcv__free(mem, old, vpci->cap_room * sizeof(*old));
    vpci->caps = caps;
    vpci->cap_count = (uint16_t)(count + more);
    vpci->cap_room = vpci->cap_count;
    return 0;
}

struct pcv__cap *pcv__cap_at(const struct pcv__vpci *vpci, uint16_t offset)
{
    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        if (vpci->caps[i].offset == offset) {
            return &vpci->caps[i];
        }
    }
    return NULL;
}

/* ---- a list ----------------------------------------------------------------
 */

static int try_setup(struct pcv__cap *cap)
{
    if (cap->device->assignment &&
        !chosen(&cap->device->assignment->policy, cap->desc)) {
        return PCV__CAP_NOT_SHOWN;
    }
    return cap->up ? cap->desc->setup(cap) : -PCV_EEXIST;
}

/* 0, or an error of shield(). */
static int set_up(struct pcv__cap *cap)
{
    int error = try_setup(cap);

    cap->up = error == 0;
    if (error < 0) {
        hide(cap, error);
    } else if (error > 0) {
        take_down(cap); /* it is not for this owner */
    }
    return error != 0 && cap->desc->shield ? cap->desc->shield(cap) : 0;
}

static int build_list(struct pcv_device *device, bool extended)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint16_t first = vpci->cap_count;
    uint16_t at = first;
    struct pcv__found found;
    int error = find_all(device, extended, &found);

    if (error == 0) {
        error = make_room(device, count_wanted(device, &found));
    }
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct pcv__cap_desc *desc = describe(&found.cap[i]);

        if (wanted(device, desc)) {
            vpci->caps[at++] = (struct pcv__cap){
                .desc = desc, .device = device, .offset = found.cap[i].offset};
        }
    }
    /* Headers first: registers of one capability must not reach into the
     * header of another. */
    error = pcv__list_begin(device, extended, first);
    for (uint16_t i = first; i < at && error == 0; i++) {
        error = set_up(&vpci->caps[i]);
    }
    return error != 0 ? error : pcv__list_link(device, &found, extended);
}

int pcv__caps_build(struct pcv_device *device, uint32_t lists)
{
    int error = 0;

    if ((lists & PCV__LIST_FIRST) != 0) {
        error = build_list(device, false);
    }
    if (error == 0 && (lists & PCV__LIST_EXTENDED) != 0) {
        error = build_list(device, true);
    }
    return error;
}

static bool in_lists(const struct pcv__cap *cap, uint32_t lists)
{
    return (lists &
            (cap->desc->extended ? PCV__LIST_EXTENDED : PCV__LIST_FIRST)) != 0;
}

void pcv__caps_teardown(struct pcv_device *device, uint32_t lists)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        struct pcv__cap *cap = &vpci->caps[i];

        if (cap->desc && in_lists(cap, lists) && cap->desc->teardown) {
            cap->desc->teardown(cap);
        }
    }
}

void pcv__caps_forget_extended(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint16_t kept = 0;

    pcv__caps_teardown(device, PCV__LIST_EXTENDED);
    for (uint16_t i = 0; i < vpci->reg_count; i++) {
        if (vpci->regs[i].desc && !vpci->regs[i].foreign &&
            vpci->regs[i].offset >= PCV_CFG_SIZE) {
            pcv__cells_drop(vpci, (uint16_t)(i + 1u));
        }
    }
    /* Records of the first list stand before those of the extended one. */
    while (kept < vpci->cap_count && !vpci->caps[kept].desc->extended) {
        kept++;
    }
    vpci->cap_count = kept;
}

void pcv__caps_free(struct pcv_device *device, struct pcv__vpci *vpci)
{
    pcv__free(&device->host->mem, vpci->caps,
              vpci->cap_room * sizeof(*vpci->caps));
    vpci->caps = NULL;
    vpci->cap_count = 0;
    vpci->cap_room = 0;
}

void pcv__caps_reset(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        if (vpci->caps[i].up && vpci->caps[i].desc->reset) {
            vpci->caps[i].desc->reset(&vpci->caps[i]);
        }
    }
}

void pcv__caps_restore(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        if (vpci->caps[i].up && vpci->caps[i].desc->restore) {
            vpci->caps[i].desc->restore(&vpci->caps[i]);
        }
    }
}

/* What was torn down has nothing bound. */
static bool has_caps(const struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    return device->view && !device->torn;
}

void pcv__caps_leave(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    pcv__lock_check_held(&device->host->mem, &device->lock);
    for (uint16_t i = 0; has_caps(device) && i < vpci->cap_count; i++) {
        if (vpci->caps[i].up && vpci->caps[i].desc->leave) {
            vpci->caps[i].desc->leave(&vpci->caps[i]);
        }
    }
}

void pcv__caps_arrive(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    pcv__lock_check_held(&device->host->mem, &device->lock);
    if (has_caps(device)) {
        pcv__vectors_follow(device);
    }
    for (uint16_t i = 0; has_caps(device) && i < vpci->cap_count; i++) {
        if (vpci->caps[i].up && vpci->caps[i].desc->arrive) {
            vpci->caps[i].desc->arrive(&vpci->caps[i]);
        }
    }
}

void pcv__caps_overtop(struct pcv_device *device)
{
    if (has_caps(device) && pcv__vectors_stray(device)) {
        pcv__caps_leave(device);
        pcv__caps_arrive(device);
    }
}

struct pcv__cap *pcv__cap_find(const struct pcv_device *device, uint16_t id,
                               bool extended)
{
    const struct pcv__vpci *vpci = pcv__vpci((struct pcv_device *)device);

    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        const struct pcv__cap_desc *desc = vpci->caps[i].desc;

        if (vpci->caps[i].up && desc->id == id && desc->extended == extended) {
            return &vpci->caps[i];
        }
    }
    return NULL;
}
