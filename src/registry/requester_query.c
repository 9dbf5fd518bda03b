/* SPDX-License-Identifier: MIT */
/* What can be asked of requester IDs. */
#include "registry/requester.h"

const char *pcv_requester_kind_name(enum pcv_requester_kind kind)
{
    static const char *const names[PCV_REQUESTER_KINDS] = {
        [PCV_REQUESTER_OWN] = "own",     [PCV_REQUESTER_PHANTOM] = "phantom",
        [PCV_REQUESTER_ALIAS] = "alias", [PCV_REQUESTER_BRIDGE] = "bridge",
        [PCV_REQUESTER_NAMED] = "named",
    };

    return (unsigned)kind < PCV_REQUESTER_KINDS ? names[kind] : "unknown";
}

/* ---- whose it is -----------------------------------------------------------
 */

struct belongs {
    struct pcv_host *host;
    const struct pcv_device *self;
    struct pcv_domain *to; /* the first that is not quarantine */
    bool any, mixed;
};

struct pcv_domain *pcv__dma_of(const struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    uint32_t id = atomic_load_explicit(&device->dma, memory_order_relaxed);

    if (id == host->hardware.id) {
        return &host->hardware;
    }
    if (id == host->hypervisor.id) {
        return &host->hypervisor;
    }
    /* What is on its way to a guest is still quarantine's for all others. */
    return id == owner->id ? owner : &host->quarantine;
}

static bool is_own_domain(const struct pcv_host *host,
                          const struct pcv_domain *domain)
{
    return domain == &host->hardware || domain == &host->hypervisor;
}

static void count_in(struct belongs *b, struct pcv_domain *domain)
{
    b->any = true;
    if (domain->kind == PCV_DOMAIN_QUARANTINE) {
        return;
    }
    if (!b->to) {
        b->to = domain;
    } else if (b->to != domain) {
        b->mixed = b->mixed || !is_own_domain(b->host, b->to) ||
                   !is_own_domain(b->host, domain);
        b->to = &b->host->hardware;
    }
}

bool pcv__requester_is_off(const struct pcv_device *device,
                           const struct pcv_domain *domain,
                           enum pcv_requester_kind kind)
{
    return kind == PCV_REQUESTER_PHANTOM && domain->kind == PCV_DOMAIN_GUEST &&
           !pcv__is_marked(device, PCV__MARK_PHANTOM);
}

static struct pcv_domain *of_kind(const struct pcv_device *device,
                                  struct pcv_domain *domain,
                                  enum pcv_requester_kind kind)
{
    return pcv__requester_is_off(device, domain, kind)
               ? &device->host->quarantine
               : domain;
}

static void see_owner(void *ctx, struct pcv_device *user,
                      enum pcv_requester_kind kind)
{
    struct belongs *b = ctx;

    if (user != b->self) {
        count_in(b, of_kind(user, pcv__dma_of(user), kind));
    }
}

struct pcv_domain *pcv__requester_belongs(struct pcv__segment *segment,
                                          pcv_sbdf id,
                                          const struct pcv_device *self,
                                          struct pcv_domain *to,
                                          enum pcv_requester_kind kind)
{
    struct belongs b = {.self = self};
    const struct pcv_device *forwarder;

    b.host = segment->host;
    if (self && to && !self->is_bridge) {
        count_in(&b, of_kind(self, to, kind));
    }
    forwarder = pcv__requester_users(segment, id, see_owner, &b);
    if (b.any) {
        return b.to && !b.mixed ? b.to : &b.host->quarantine;
    }
    return forwarder && forwarder != self ? pcv__dma_of(forwarder) : NULL;
}

/* ---- queries ---------------------------------------------------------------
 */

struct sharing {
    const struct pcv_device *self;
    bool others;
};

static void see_others(void *ctx, struct pcv_device *user,
                       enum pcv_requester_kind kind)
{
    struct sharing *sharing = ctx;

    (void)kind;
    sharing->others = sharing->others || user != sharing->self;
}

int pcv_device_requester(struct pcv_host *host, pcv_sbdf sbdf, uint32_t index,
                         struct pcv_requester *out_requester)
{
    struct pcv__requester r;
    struct sharing sharing;
    struct pcv_device *device;
    struct pcv__segment *segment;
    int error = -PCV_ENODEV;

    if (!host || !out_requester) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    segment = device->segment;
    pcv__lock_take(&host->mem, &segment->lock);
    if (pcv__segment_peek(segment, sbdf) == device) {
        error = -PCV_ENOENT;
        if (pcv__requester_at(segment, device, sbdf, index, &r)) {
            const struct pcv_domain *domain =
                pcv__requester_belongs(segment, r.id, NULL, NULL, r.kind);

            sharing = (struct sharing){device, false};
            (void)pcv__requester_users(segment, r.id, see_others, &sharing);
            *out_requester = (struct pcv_requester){
                .id = r.id,
                .kind = r.kind,
                .by = r.by,
                .domain_id = domain ? domain->id : host->quarantine.id,
                .shared = sharing.others,
            };
            error = 0;
        }
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    pcv_device_put(device);
    return error;
}

struct looking {
    pcv_sbdf from, best;
    bool found;
};

static void see_first(void *ctx, struct pcv_device *user,
                      enum pcv_requester_kind kind)
{
    struct looking *looking = ctx;
    pcv_sbdf sbdf = pcv__device_sbdf(user);

    (void)kind;
    if (sbdf.v >= looking->from.v &&
        (!looking->found || sbdf.v < looking->best.v)) {
        looking->best = sbdf;
        looking->found = true;
    }
}

bool pcv_requester_next_user(struct pcv_host *host, pcv_sbdf requester,
                             pcv_sbdf from, pcv_sbdf *out_sbdf)
{
    struct looking looking = {.from = from};
    struct pcv__segment *segment;

    if (!host || !out_sbdf) {
        return false;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(requester));
    if (segment) {
        pcv__lock_take(&host->mem, &segment->lock);
        (void)pcv__requester_users(segment, requester, see_first, &looking);
        pcv__lock_drop(&host->mem, &segment->lock);
    }
    if (looking.found) {
        *out_sbdf = looking.best;
    }
    return looking.found;
}
