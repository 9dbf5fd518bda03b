/* SPDX-License-Identifier: MIT */
/*
 * Hiding a function, and giving it back (OWN-7). The hardware domain keeps its
 * view, and what is mapped: while its gate is paused some registers become
 * virtual, or hardware's again. So nothing is drained but accesses, nothing is
 * reset, and a failure leaves what was there.
 */
#include "owner/hidden.h"
#include "owner/home.h"
#include "vpci/hidden.h"
#include "vpci/reserved.h"

/* ---- what may be -----------------------------------------------------------
 */

static const struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

static int check_kind(const struct pcv_device *device,
                      const struct pcv__order *order)
{
    if (order->op == PCV__SET_HIDE &&
        (device->id.header_type & PCV_HEADER_TYPE_MASK) > 1) {
        return -PCV_EOPNOTSUPP; /* HDR-1 */
    }
    if ((device->is_vf && order->op != PCV__SET_QUARANTINE) ||
        (device->is_bridge && !order->in_set)) {
        return -PCV_EPERM;
    }
    return 0;
}

int pcv__set_check(const struct pcv_device *device,
                   const struct pcv__order *order)
{
    const struct pcv_domain *owner = owner_of(device);
    int error = check_kind(device, order);

    if (pcv__is_unreachable(device)) {
        return -PCV_ENODEV;
    }
    if (error != 0) {
        return error;
    }
    return device->change_for || (owner->kind != PCV_DOMAIN_HARDWARE &&
                                  owner->kind != PCV_DOMAIN_QUARANTINE)
               ? -PCV_EBUSY
               : 0;
}

/* The hardware domain's, behind a gate that somebody closed and left so. */
static bool is_begun(const struct pcv_device *device)
{
    return owner_of(device)->kind == PCV_DOMAIN_HARDWARE &&
           (pcv__word(device) & (PCV__WORD_CLOSED | PCV__WORD_PAUSED)) != 0;
}

bool pcv__set_is_done(const struct pcv_device *device,
                      const struct pcv__order *order)
{
    switch (order->op) {
    case PCV__SET_HIDE:
        return pcv__is_marked(device, PCV__MARK_HIDDEN);
    case PCV__SET_CONCEAL:
        return pcv__is_marked(device, PCV__MARK_CONCEALED);
    case PCV__SET_QUARANTINE:
        return pcv__is_quarantined(device) && !device->change_for &&
               !pcv__is_on_its_way(device) &&
               !pcv__is_noted(device, PCV__NOTE_WAITS);
    case PCV__SET_REVEAL:
        return !pcv__is_marked(device,
                               PCV__MARK_HIDDEN | PCV__MARK_CONCEALED) &&
               (device->change_for ||
                (!pcv__is_quarantined(device) && !is_begun(device)));
    case PCV__SET_REST:
    case PCV__SET_NOTHING:
        break;
    }
    return true;
}

/* ---- the gate --------------------------------------------------------------
 */

/* Nobody is inside, and nothing is under way. -PCV_ERESTART: the gate stays
 * paused, so that nobody new comes in. */
static int enter(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error = pcv__gate_pause(device);

    if (error != 0) {
        return error;
    }
    if (atomic_load_explicit(&device->renumbered, memory_order_acquire)) {
        /* Who wrote the numbers must get inside to go on with them. Who pauses
         * a gate for another reason does so in each call. */
        pcv__gate_open(device);
        return -PCV_ERESTART;
    }
    error = pcv__settle_patiently(device);
    return error == 0 && pcv__map_step(device) != PCV_DONE ? -PCV_ERESTART
                                                           : error;
}

/* From now on it is another's, who finds it; what is left to be mapped is.
 * -PCV_ERESTART: call again for that. */
static int publish(struct pcv_device *device, struct pcv_domain *domain)
{
    int error = pcv__change_publish(device, domain);

    if (error == 0) {
        pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST, domain->id, 0);
        error = pcv__add_finish(device);
    }
    return error;
}

/* ---- hide ------------------------------------------------------------------
 */

static int begin(struct pcv_device *device, const struct pcv_hide_info *info)
    PCV__REQUIRES(device->lock)
{
    if (pcv__has_vfs(device)) {
        return -PCV_EBUSY;
    }
    if (pcv__vpci(device)->asleep) {
        return -PCV_EAGAIN;
    }
    return pcv__hidden_begin(device, info);
}

static int hide(struct pcv_device *device, const struct pcv_hide_info *info)
{
    struct pcv_host *host = device->host;
    int error;

    pcv__change_drop(device);
    pcv__lock_take(&host->mem, &device->lock);
    pcv__gate_reopen(device); /* what somebody began and gave up */
    error = enter(device);
    error = error == 0 ? begin(device, info) : error;
    if (error != 0 && error != -PCV_ERESTART) {
        pcv__gate_open(device);
    }
    pcv__lock_drop(&host->mem, &device->lock);
    if (error != 0) {
        return error;
    }
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_HIDDEN,
                             memory_order_release);
    error = publish(device, &host->hypervisor);
    pcv__reserved_evict(host);
    return error;
}

/* Out of quarantine: behind its closed gate it is reset and becomes what the
 * hardware domain would have, and is hidden before that domain sees it. What
 * fails leaves it where it was. */
static int hide_resting(struct pcv_device *device,
                        const struct pcv_hide_info *info)
{
    struct pcv_host *host = device->host;
    int error = pcv__home_prepare(device);

    if (error != 0) {
        return error;
    }
    pcv__lock_take(&host->mem, &device->lock);
    error = begin(device, info);
    pcv__lock_drop(&host->mem, &device->lock);
    if (error != 0) {
        pcv__change_failed(device, error);
        return error;
    }
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_HIDDEN,
                             memory_order_release);
    error = pcv__change_hand(device, &host->hypervisor);
    pcv__reserved_evict(host);
    return error == 0 ? pcv__add_finish(device) : error;
}

static bool is_the_same(struct pcv_device *device,
                        const struct pcv_hide_info *info)
{
    bool is;

    pcv__lock_take(&device->host->mem, &device->lock);
    is = pcv__hidden_is(device, info);
    pcv__lock_drop(&device->host->mem, &device->lock);
    return is;
}

/* Nobody goes on revealing it: who waited before its gate may come in. */
static int stay_hidden(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    pcv__gate_open(device);
    pcv__lock_drop(mem, &device->lock);
    return pcv__add_finish(device);
}

int pcv__hide(struct pcv_device *device, const struct pcv__order *order)
{
    int error;

    if (pcv__is_marked(device, PCV__MARK_HIDDEN)) {
        return order->in_set || is_the_same(device, order->info)
                   ? stay_hidden(device)
                   : -PCV_EBUSY;
    }
    error = pcv__set_check(device, order);
    if (error != 0) {
        return error;
    }
    return pcv__is_quarantined(device) ? hide_resting(device, order->info)
                                       : hide(device, order->info);
}

/* ---- reveal ----------------------------------------------------------------
 */

/* Hardware does as the domain has it in its registers, and these are
 * hardware's. */
static int undo(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error = enter(device);

    if (error == 0) {
        error = pcv__hidden_write_back(device);
    }
    if (error == 0) {
        (void)pcv__hidden_undo(device);
    } else if (error != -PCV_ERESTART) {
        pcv__gate_open(device);
    }
    return error;
}

int pcv__unhide(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    int error;

    if (pcv__is_unreachable(device)) {
        return -PCV_ENODEV;
    }
    if ((pcv__word(device) & PCV__WORD_CLOSED) != 0) {
        pcv__change_drop(device); /* it was on its way back to quarantine */
        pcv__change_reopen(device);
    }
    pcv__lock_take(&host->mem, &device->lock);
    error = undo(device);
    pcv__lock_drop(&host->mem, &device->lock);
    if (error != 0) {
        return error;
    }
    atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_HIDDEN,
                              memory_order_release);
    return publish(device, &host->hardware);
}

/* ---- the public functions --------------------------------------------------
 */

int pcv__set_one(struct pcv_host *host, pcv_sbdf sbdf,
                 const struct pcv__order *order)
{
    struct pcv_device *device;
    int error = pcv__change_begin(host, sbdf, &device);

    if (error != 0) {
        return error;
    }
    switch (order->op) {
    case PCV__SET_HIDE:
        error = pcv__hide(device, order);
        break;
    case PCV__SET_CONCEAL:
        error = pcv__conceal(device, order);
        break;
    case PCV__SET_QUARANTINE:
        error = pcv__quarantine(device, order);
        break;
    case PCV__SET_REVEAL:
        error = pcv__reveal(device, order);
        break;
    case PCV__SET_REST:
        error = pcv__rest_again(device);
        break;
    case PCV__SET_NOTHING:
        break;
    }
    pcv__change_end(device);
    return error;
}

/* In the place of one that may not go home: the first of its group that a guest
 * has. */
static void name_other(struct pcv_host *host, pcv_sbdf *sbdf)
{
    struct pcv_device *device = pcv_device_find(host, *sbdf);

    if (device) {
        (void)pcv__home_others(device, sbdf);
    }
    pcv_device_put(device);
}

/* `flags` are those that it may have, PCV_SUBTREE and PCV_SLOT not both. */
static int order(struct pcv_host *host, pcv_sbdf sbdf, uint32_t flags,
                 uint32_t may, const struct pcv__order *what,
                 pcv_sbdf *out_busy)
{
    const uint32_t sets = flags & (PCV_SUBTREE | PCV_SLOT);
    struct pcv__order each = *what;
    pcv_sbdf busy = sbdf;
    int error;

    if (!host || (flags & ~may) != 0 || sets == (PCV_SUBTREE | PCV_SLOT)) {
        return -PCV_EINVAL;
    }
    each.in_set = sets != 0;
    error = sets != 0 ? pcv__set_all(host, sbdf, &each, sets == PCV_SLOT, &busy)
                      : pcv__set_one(host, sbdf, &each);
    if (error == -PCV_EXDEV) {
        name_other(host, &busy);
    }
    if ((error == -PCV_EBUSY || error == -PCV_ERESTART ||
         error == -PCV_EXDEV) &&
        out_busy) {
        *out_busy = busy;
    }
    return error;
}

int pcv_device_hide(struct pcv_host *host, pcv_sbdf sbdf,
                    const struct pcv_hide_info *info, pcv_sbdf *out_busy)
{
    static const struct pcv_hide_info nothing;
    const struct pcv__order what = {.op = PCV__SET_HIDE,
                                    .info = info ? info : &nothing};

    if (what.info->range_count > PCV_HIDE_RANGES ||
        ((what.info->flags & PCV_SUBTREE) != 0 &&
         what.info->range_count != 0)) {
        return -PCV_EINVAL;
    }
    return order(host, sbdf, what.info->flags, PCV_SUBTREE | PCV_HIDE_MASTER,
                 &what, out_busy);
}

int pcv_device_conceal(struct pcv_host *host, pcv_sbdf sbdf, uint32_t flags,
                       pcv_sbdf *out_busy)
{
    const struct pcv__order what = {.op = PCV__SET_CONCEAL};

    return order(host, sbdf, flags, PCV_SUBTREE | PCV_SLOT, &what, out_busy);
}

int pcv_device_quarantine(struct pcv_host *host, pcv_sbdf sbdf, uint32_t flags,
                          pcv_sbdf *out_busy)
{
    const struct pcv__order what = {.op = PCV__SET_QUARANTINE};

    return order(host, sbdf, flags, PCV_SUBTREE, &what, out_busy);
}

int pcv_device_reveal(struct pcv_host *host, pcv_sbdf sbdf, uint32_t flags,
                      pcv_sbdf *out_busy)
{
    const struct pcv__order what = {.op = PCV__SET_REVEAL};

    return order(host, sbdf, flags, PCV_SUBTREE | PCV_SLOT, &what, out_busy);
}
