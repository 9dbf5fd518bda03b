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
    static const char *const names[] = {
        [PCV_EVENT_ADDED] = "added",
        [PCV_EVENT_LEAVING] = "leaving",
        [PCV_EVENT_GONE] = "gone",
        [PCV_EVENT_VANISHED] = "vanished",
        [PCV_EVENT_CAP_LIST] = "capability list damaged",
        [PCV_EVENT_BAR_SIZE] = "BAR cannot be sized",
        [PCV_EVENT_BUS_NUMBERS] = "bus numbers unusable",
        [PCV_EVENT_MAP_FAILED] = "map failed",
        [PCV_EVENT_UNMAP_FAILED] = "unmap failed",
        [PCV_EVENT_NOT_MAPPED] = "BAR not mapped",
        [PCV_EVENT_ASSIGNED] = "assigned",
        [PCV_EVENT_QUARANTINED] = "quarantined",
        [PCV_EVENT_READ_ONLY] = "read-only",
        [PCV_EVENT_CHANGE_FAILED] = "change of owner failed",
        [PCV_EVENT_HOST_FAILED] = "host failed",
        [PCV_EVENT_NO_RESET] = "not reset",
        [PCV_EVENT_CAP_HIDDEN] = "capability hidden",
        [PCV_EVENT_BIND_FAILED] = "bind failed",
        [PCV_EVENT_RESET] = "reset",
        [PCV_EVENT_PENDING] = "transactions pending",
        [PCV_EVENT_BUS_RESET] = "bus reset",
        [PCV_EVENT_VFS_BUSY] = "VFs busy",
        [PCV_EVENT_VF_FAILED] = "VF failed",
        [PCV_EVENT_EXTENDED] = "extended space",
        [PCV_EVENT_EXTENDED_BUSY] = "extended space busy",
        [PCV_EVENT_UNREACHABLE] = "unreachable",
        [PCV_EVENT_MOVED] = "moved",
        [PCV_EVENT_MOVE_FAILED] = "move failed",
        [PCV_EVENT_RESET_SEEN] = "reset seen",
        [PCV_EVENT_CONCEALED] = "concealed",
        [PCV_EVENT_ADD_FAILED] = "not added",
        [PCV_EVENT_FAULTS] = "too many faults",
        [PCV_EVENT_PROTECTED] = "write dropped",
        [PCV_EVENT_OVERRIDDEN] = "taken from its guest",
        [PCV_EVENT_CHANGE_RESET] = "reset between owners",
        [PCV_EVENT_BROKEN] = "does not come back after its reset",
    };
    const char *name = NULL;

    if ((uint32_t)kind < sizeof(names) / sizeof(names[0])) {
        name = names[kind];
    }
    return name ? name : "unknown event";
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
