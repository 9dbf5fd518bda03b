/* SPDX-License-Identifier: MIT */
/* Events for the host's log, and names for what people read. */
#include "registry/internal.h"

static void tell(struct pcv_host *host, const struct pcv_event *event)
{
    if (host->mem.ops.event) {
        host->mem.ops.event(host->mem.ctx, event);
    }
}

/* What a guest can cause as often as it likes. */
static bool guest_can_repeat(enum pcv_event_kind kind)
{
    switch (kind) {
    case PCV_EVENT_NOT_MAPPED:
    case PCV_EVENT_MAP_FAILED:
    case PCV_EVENT_UNMAP_FAILED:
    case PCV_EVENT_BIND_FAILED:
    case PCV_EVENT_RESET:
        return true;
    default:
        return false;
    }
}

/* A host that fails may fail at every access of anybody. */
static bool is_limited(const struct pcv_domain *owner, enum pcv_event_kind kind)
{
    return kind == PCV_EVENT_HOST_FAILED || kind == PCV_EVENT_ADD_FAILED ||
           kind == PCV_EVENT_PROTECTED ||
           (owner->kind == PCV_DOMAIN_GUEST && guest_can_repeat(kind));
}

/*
 * Whether a domain has filled its share of the log: so many events in a second,
 * by the host's clock. Races between its devices let some more through.
 */
static bool too_many(struct pcv_domain *domain)
{
    const struct pcv__mem *mem = &domain->host->mem;
    uint64_t now = mem->ops.now_us(mem->ctx);
    uint64_t since =
        atomic_load_explicit(&domain->events_us, memory_order_relaxed);

    if (now - since >= PCV__EVENTS_US) {
        atomic_store_explicit(&domain->events_us, now, memory_order_relaxed);
        atomic_store_explicit(&domain->events, 0, memory_order_relaxed);
    }
    return atomic_fetch_add_explicit(&domain->events, 1,
                                     memory_order_relaxed) >= PCV__EVENTS_MAX;
}

/* Tell of it on behalf of a domain, unless that has told too much already. */
static void tell_for(struct pcv_domain *domain, const struct pcv_event *event)
{
    struct pcv_host *host = domain->host;

    if (is_limited(domain, event->kind) && host->mem.ops.now_us &&
        too_many(domain)) {
        atomic_fetch_add_explicit(&host->events_dropped, 1,
                                  memory_order_relaxed);
        return;
    }
    tell(host, event);
}

void pcv__event(struct pcv_device *device, enum pcv_event_kind kind,
                enum pcv_event_class of, uint64_t arg0, uint64_t arg1)
{
    struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    const struct pcv_event event = {
        .kind = kind,
        .of = of,
        .sbdf = pcv__device_sbdf(device),
        .domain_id = owner->id,
        .arg = {arg0, arg1},
    };

    tell_for(owner, &event);
}

void pcv__event_at(struct pcv_host *host, pcv_sbdf sbdf,
                   enum pcv_event_kind kind, uint64_t arg0, uint64_t arg1)
{
    const struct pcv_event event = {
        .kind = kind,
        .of = PCV_EVENT_DEVICE,
        .sbdf = sbdf,
        .domain_id = host->hardware.id,
        .arg = {arg0, arg1},
    };

    tell_for(&host->hardware, &event);
}

const char *pcv_event_name(enum pcv_event_kind kind)
{
    switch (kind) {
    case PCV_EVENT_ADDED:
        return "added";
    case PCV_EVENT_LEAVING:
        return "leaving";
    case PCV_EVENT_GONE:
        return "gone";
    case PCV_EVENT_VANISHED:
        return "vanished";
    case PCV_EVENT_CAP_LIST:
        return "capability list damaged";
    case PCV_EVENT_BAR_SIZE:
        return "BAR cannot be sized";
    case PCV_EVENT_BUS_NUMBERS:
        return "bus numbers unusable";
    case PCV_EVENT_MAP_FAILED:
        return "map failed";
    case PCV_EVENT_UNMAP_FAILED:
        return "unmap failed";
    case PCV_EVENT_NOT_MAPPED:
        return "BAR not mapped";
    case PCV_EVENT_ASSIGNED:
        return "assigned";
    case PCV_EVENT_QUARANTINED:
        return "quarantined";
    case PCV_EVENT_READ_ONLY:
        return "read-only";
    case PCV_EVENT_CHANGE_FAILED:
        return "change of owner failed";
    case PCV_EVENT_HOST_FAILED:
        return "host failed";
    case PCV_EVENT_NO_RESET:
        return "not reset";
    case PCV_EVENT_CAP_HIDDEN:
        return "capability hidden";
    case PCV_EVENT_BIND_FAILED:
        return "bind failed";
    case PCV_EVENT_RESET:
        return "reset";
    case PCV_EVENT_PENDING:
        return "transactions pending";
    case PCV_EVENT_BUS_RESET:
        return "bus reset";
    case PCV_EVENT_VFS_BUSY:
        return "VFs busy";
    case PCV_EVENT_VF_FAILED:
        return "VF failed";
    case PCV_EVENT_EXTENDED:
        return "extended space";
    case PCV_EVENT_EXTENDED_BUSY:
        return "extended space busy";
    case PCV_EVENT_UNREACHABLE:
        return "unreachable";
    case PCV_EVENT_MOVED:
        return "moved";
    case PCV_EVENT_MOVE_FAILED:
        return "move failed";
    case PCV_EVENT_RESET_SEEN:
        return "reset seen";
    case PCV_EVENT_CONCEALED:
        return "concealed";
    case PCV_EVENT_ADD_FAILED:
        return "not added";
    case PCV_EVENT_FAULTS:
        return "too many faults";
    case PCV_EVENT_PROTECTED:
        return "write dropped";
    case PCV_EVENT_OVERRIDDEN:
        return "taken from its guest";
    }
    return "unknown event";
}

const char *pcv_holder_name(enum pcv_holder holder)
{
    switch (holder) {
    case PCV_HOLDER_REGISTRY:
        return "registry";
    case PCV_HOLDER_OWNER:
        return "owner";
    case PCV_HOLDER_VECTOR:
        return "vector";
    case PCV_HOLDER_ACCESS:
        return "access";
    case PCV_HOLDER_CALLER:
        return "caller";
    case PCV_HOLDERS:
        break;
    }
    return "unknown holder";
}

const char *pcv_device_type_name(enum pcv_device_type type)
{
    switch (type) {
    case PCV_TYPE_UNKNOWN:
        return "unknown";
    case PCV_TYPE_LEGACY_ENDPOINT:
        return "legacy endpoint";
    case PCV_TYPE_ENDPOINT:
        return "endpoint";
    case PCV_TYPE_RC_ENDPOINT:
        return "root-complex integrated endpoint";
    case PCV_TYPE_RC_EVENT_COLLECTOR:
        return "root-complex event collector";
    case PCV_TYPE_ROOT_PORT:
        return "root port";
    case PCV_TYPE_UPSTREAM_PORT:
        return "switch upstream port";
    case PCV_TYPE_DOWNSTREAM_PORT:
        return "switch downstream port";
    case PCV_TYPE_PCIE_TO_PCI_BRIDGE:
        return "PCIe-to-PCI bridge";
    case PCV_TYPE_PCI_TO_PCIE_BRIDGE:
        return "PCI-to-PCIe bridge";
    case PCV_TYPE_PCI_BRIDGE:
        return "PCI bridge";
    case PCV_TYPE_HOST_BRIDGE:
        return "host bridge";
    case PCV_TYPES:
        break;
    }
    return "unknown";
}
