/* SPDX-License-Identifier: MIT */
/*
 * Where every function of a made-up segment is. Buses are numbered as
 * firmware does it, depth first, so that what is behind a bridge is one run
 * of numbers; bridges come first, then endpoints share what is left evenly.
 */
#include "generate.h"

static uint16_t rid_of(uint32_t bus, uint32_t device, uint32_t function)
{
    return (uint16_t)(bus << 8 | device << 3 | function);
}

/*
 * Places of a root bus after its host bridge, which is 00.0: from device 1
 * upwards, and only then the other functions of device 0.
 */
static uint16_t root_place(const struct pcv__gen_plan *plan, uint32_t bus,
                           uint32_t index)
{
    uint32_t multi = plan->shape->multi;
    uint32_t behind = (PCV_SLOTS - 1) * multi;
    uint32_t place = index < behind ? index + multi : index - behind + 1;

    return rid_of(bus, place / multi, place % multi);
}

/* ---- buses and bridges --------------------------------------------------- */

static struct pcv__gen_fn *put(struct pcv__gen_plan *plan, uint16_t rid,
                               enum pcv__gen_role role, uint8_t kind)
{
    struct pcv__gen_fn *fn = &plan->fn[rid];

    fn->role = (uint8_t)role;
    fn->kind = kind;
    return fn;
}

static uint32_t new_bus(struct pcv__gen_plan *plan, uint32_t parent)
{
    uint32_t bus = plan->buses++;

    plan->bus[bus].parent = (uint8_t)parent;
    plan->bus[bus].subordinate = (uint8_t)bus;
    return bus;
}

static uint32_t put_bridge(struct pcv__gen_plan *plan, uint16_t rid,
                           enum pcv__gen_role role)
{
    uint32_t bus = new_bus(plan, rid >> 8);
    struct pcv__gen_fn *fn =
        put(plan, rid, role, pcv__gen_choose(role, false, 0));

    fn->secondary = (uint8_t)bus;
    fn->extended = true;
    return bus;
}

/* The buses made since `bus` are behind it. */
static void close_bus(struct pcv__gen_plan *plan, uint32_t bus)
{
    plan->bus[bus].subordinate = (uint8_t)(plan->buses - 1);
}

static void put_switch(struct pcv__gen_plan *plan, uint32_t bus, uint32_t ports)
{
    uint32_t inner = put_bridge(plan, rid_of(bus, 0, 0), PCV__GEN_UPSTREAM);

    for (uint32_t i = 0; i < ports; i++) {
        uint32_t leaf =
            put_bridge(plan, rid_of(inner, i, 0), PCV__GEN_DOWNSTREAM);

        plan->bus[leaf].leaf = true;
    }
    close_bus(plan, inner);
}

/* What a root port has behind it. */
enum below { BELOW_DEVICE, BELOW_SWITCH, BELOW_PCI };

/*
 * The index-th root port's fate. Switches and PCI bridges are spread over the
 * ports, beginning at one that the seed chooses.
 */
static enum below below(const struct pcv__gen_shape *shape, uint32_t start,
                        uint32_t index)
{
    uint32_t special = shape->switches + shape->pci;
    uint32_t turn = (index + start) % shape->root_ports;
    uint32_t before = turn * special / shape->root_ports;

    if (before == (turn + 1) * special / shape->root_ports) {
        return BELOW_DEVICE;
    }
    return before < shape->switches ? BELOW_SWITCH : BELOW_PCI;
}

static void put_root_port(struct pcv__gen_plan *plan, uint16_t rid,
                          enum below what, uint32_t *switches)
{
    const struct pcv__gen_shape *shape = plan->shape;
    uint32_t bus = put_bridge(plan, rid, PCV__GEN_ROOT_PORT);
    uint32_t inner;

    if (what == BELOW_SWITCH) {
        uint32_t ports = shape->downstream / shape->switches;

        ports += *switches < shape->downstream % shape->switches;
        (*switches)++;
        put_switch(plan, bus, ports);
    } else if (what == BELOW_PCI) {
        inner = put_bridge(plan, rid_of(bus, 0, 0), PCV__GEN_TO_PCI);
        plan->bus[inner].pci = true;
    } else {
        plan->bus[bus].leaf = true;
    }
    close_bus(plan, bus);
}

static void put_bridges(struct pcv__gen_plan *plan)
{
    const struct pcv__gen_shape *shape = plan->shape;
    uint32_t start = (uint32_t)(pcv__gen_random(&plan->random) % PCV_BUSES);
    uint32_t switches = 0;

    for (uint32_t root = 0; root < shape->roots; root++) {
        uint32_t bus = new_bus(plan, plan->buses);
        uint32_t count = 0;

        plan->bus[bus].root = true;
        (void)put(plan, rid_of(bus, 0, 0), PCV__GEN_HOST,
                  pcv__gen_choose(PCV__GEN_HOST, false, 0));
        for (uint32_t i = root; i < shape->root_ports; i += shape->roots) {
            put_root_port(plan, root_place(plan, bus, count),
                          below(shape, start, i), &switches);
            count++;
        }
        plan->bus[bus].ports = count;
        close_bus(plan, bus);
    }
}

/* ---- endpoints ----------------------------------------------------------- */

static uint32_t endpoint_room(const struct pcv__gen_plan *plan, uint32_t bus)
{
    const struct pcv__gen_bus *b = &plan->bus[bus];
    uint32_t multi = plan->shape->multi;

    return b->leaf   ? multi
           : b->pci  ? PCV_SLOTS * multi
           : b->root ? PCV_SLOTS * multi - 1 - b->ports
                     : 0;
}

/* Most ports have a device of one function behind them, as long as there is
 * room for the others elsewhere. */
static void wish(struct pcv__gen_plan *plan)
{
    for (uint32_t i = 0; i < plan->buses; i++) {
        uint64_t chance = pcv__gen_random(&plan->random);

        plan->bus[i].wish = endpoint_room(plan, i);
        if (plan->bus[i].leaf) {
            plan->bus[i].wish = chance % 4 != 0 ? 1
                                                : 1 + (uint32_t)(chance >> 8) %
                                                          plan->shape->multi;
        }
    }
}

/* In rounds, one endpoint for each bus that wishes another, until none is left
 * or no bus wishes one: at most 256 rounds, as many as a bus can have. */
static void deal_all(struct pcv__gen_plan *plan, uint32_t *left)
{
    bool dealt = true;

    while (dealt) {
        dealt = false;
        for (uint32_t i = 0; i<plan->buses && * left> 0; i++) {
            if (plan->bus[i].endpoints < plan->bus[i].wish) {
                plan->bus[i].endpoints++;
                (*left)--;
                dealt = true;
            }
        }
    }
}

/* Every second port gets a PF, then all buses share what is left evenly. */
static void share_endpoints(struct pcv__gen_plan *plan)
{
    uint32_t left = plan->shape->endpoints;
    uint32_t pfs = plan->shape->pfs;
    bool turn = true;

    for (uint32_t i = 0; i < plan->buses && pfs > 0; i++) {
        if (plan->bus[i].leaf) {
            plan->bus[i].sriov = turn;
            plan->bus[i].endpoints = turn;
            pfs -= turn;
            left -= turn;
            turn = !turn;
        }
    }
    wish(plan);
    deal_all(plan, &left);
    for (uint32_t i = 0; i < plan->buses; i++) {
        plan->bus[i].wish = endpoint_room(plan, i);
    }
    deal_all(plan, &left); /* the shape has room for all of them */
}

/* Functions of one device are of one kind. */
static void choose_kind(struct pcv__gen_plan *plan, uint16_t rid)
{
    const struct pcv__gen_bus *bus = &plan->bus[rid >> 8];
    const struct pcv__gen_fn *first = &plan->fn[rid & ~7u];
    enum pcv__gen_role role = PCV__GEN_ENDPOINT;
    uint64_t chance = pcv__gen_random(&plan->random);
    struct pcv__gen_fn *fn;

    if (bus->pci || (bus->root && chance >> 63 == 0)) {
        role = PCV__GEN_CONVENTIONAL;
    } else if (bus->root) {
        role = PCV__GEN_INTEGRATED;
    }
    if ((rid & 7u) != 0 && first->role >= PCV__GEN_INTEGRATED) {
        fn = put(plan, rid, first->role, first->kind);
    } else {
        fn = put(plan, rid, role,
                 pcv__gen_choose(role, bus->sriov, chance >> 8));
    }
    fn->extended = bus->sriov || (fn->role != PCV__GEN_CONVENTIONAL &&
                                  pcv__gen_random(&plan->random) % 100 <
                                      plan->spec->extended);
}

static void choose_sizes(struct pcv__gen_plan *plan, struct pcv__gen_fn *fn)
{
    const struct pcv__gen_kind *kind = &pcv__gen_kinds[fn->kind];

    for (unsigned i = 0; i < PCV__GEN_BARS && kind->bars[i].log2 != 0; i++) {
        uint64_t more =
            pcv__gen_random(&plan->random) % (kind->bars[i].spread + 1u);

        fn->log2[i] = (uint8_t)(kind->bars[i].log2 + more);
    }
    fn->log2[PCV__GEN_ROM] = kind->rom_log2;
}

static void put_vfs(struct pcv__gen_plan *plan, uint16_t pf)
{
    plan->fn[pf].pf = true;
    plan->fn[pf].log2[PCV__GEN_VF_BAR] = 14;
    for (uint32_t i = 0; i < plan->shape->vfs; i++) {
        struct pcv__gen_fn *vf =
            put(plan, (uint16_t)(pf + PCV__GEN_FIRST_VF + i), PCV__GEN_ENDPOINT,
                plan->fn[pf].kind);

        vf->vf = true;
        vf->extended = true;
        vf->pf_rid = pf;
    }
}

static void put_endpoint(struct pcv__gen_plan *plan, uint16_t rid)
{
    choose_kind(plan, rid);
    choose_sizes(plan, &plan->fn[rid]);
}

/*
 * Endpoints on the devices from `first` to the last of a bus, at most as many
 * as these hold. Devices get as few functions as chance and room allow.
 * Returns how many endpoints were placed.
 */
static uint32_t put_devices(struct pcv__gen_plan *plan, uint32_t bus,
                            uint32_t first, uint32_t count)
{
    uint32_t multi = plan->shape->multi;
    uint32_t devices = PCV_SLOTS - first;
    uint32_t left = count < devices * multi ? count : devices * multi;
    uint32_t all = left;

    for (; left > 0; first++, devices--) {
        uint32_t behind = (devices - 1) * multi;
        uint32_t least = left > behind ? left - behind : 1;
        uint32_t most = left < multi ? left : multi;
        uint64_t chance = pcv__gen_random(&plan->random);
        uint32_t size = least;

        if (chance % 4 == 0) {
            size += (uint32_t)(chance >> 8) % (most - least + 1);
        }
        for (uint32_t i = 0; i < size; i++) {
            put_endpoint(plan, rid_of(bus, first, i));
        }
        left -= size;
    }
    return all;
}

/*
 * Endpoints of a root bus have devices of their own. Only what then is left
 * shares one with a port or the host bridge.
 */
static void put_on_root(struct pcv__gen_plan *plan, uint32_t bus)
{
    uint32_t multi = plan->shape->multi;
    uint32_t ports = plan->bus[bus].ports;
    uint32_t count = plan->bus[bus].endpoints;
    uint32_t first = 1 + (ports + multi - 1) / multi;
    uint32_t placed =
        first < PCV_SLOTS ? put_devices(plan, bus, first, count) : 0;

    for (uint32_t i = ports; placed < count; i++) {
        uint16_t rid = root_place(plan, bus, i);

        if (plan->fn[rid].role == PCV__GEN_NONE) {
            put_endpoint(plan, rid);
            placed++;
        }
    }
}

static void put_endpoints(struct pcv__gen_plan *plan, uint32_t bus)
{
    const struct pcv__gen_bus *b = &plan->bus[bus];

    if (b->root) {
        put_on_root(plan, bus);
    } else if (b->pci) {
        (void)put_devices(plan, bus, 0, b->endpoints);
    }
    for (uint32_t i = 0; b->leaf && i < b->endpoints; i++) {
        put_endpoint(plan, rid_of(bus, 0, i));
    }
    if (b->sriov) {
        put_vfs(plan, rid_of(bus, 0, 0));
    }
}

/* VFs have no header of their own device: they do not make it a larger one. */
static void mark_multi(struct pcv__gen_plan *plan)
{
    for (uint32_t first = 0; first < PCV__GEN_RIDS; first += PCV_FUNCTIONS) {
        uint32_t count = 0;

        for (uint32_t i = 0; i < PCV_FUNCTIONS; i++) {
            const struct pcv__gen_fn *fn = &plan->fn[first + i];

            count += fn->role != PCV__GEN_NONE && !fn->vf;
        }
        for (uint32_t i = 0; i < PCV_FUNCTIONS && count > 1; i++) {
            plan->fn[first + i].multi = !plan->fn[first + i].vf;
        }
    }
}

void pcv__gen_plan(struct pcv__gen_plan *plan)
{
    put_bridges(plan);
    share_endpoints(plan);
    for (uint32_t bus = 0; bus < plan->buses; bus++) {
        put_endpoints(plan, bus);
    }
    mark_multi(plan);
}
