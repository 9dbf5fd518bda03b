/* SPDX-License-Identifier: MIT */
/*
 * From what was asked for to how many of what. Where several machines are
 * possible it prefers bridges, then few root buses, then small devices.
 */
#include <stdio.h>

#include "generate.h"
#include "source.h"

#define ENDPOINTS_ON_PCI 32u /* devices */
#define BRIDGES_DEFAULT 8u
#define MULTI_DEFAULT 4u

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/*
 * Of so many bridges, how many of each sort. A switch takes a root port, its
 * upstream port and at least one downstream port; a PCI bridge a root port
 * and itself. What is left is shared by downstream and plain root ports.
 */
static bool divide(const struct pcv__gen_spec *spec, uint32_t bridges,
                   struct pcv__gen_shape *out)
{
    uint32_t switches = spec->switches;
    uint32_t pci = spec->pci;
    uint32_t left;

    if (switches == PCV__GEN_AUTO) {
        left = pci == PCV__GEN_AUTO ? 0 : least(bridges, 2 * pci);
        switches = least(bridges / 6, (bridges - left) / 3);
    }
    if (pci == PCV__GEN_AUTO) {
        left = bridges - least(bridges, 3 * switches);
        pci = least(bridges / 8, left / 2);
    }
    if (3 * switches + 2 * pci > bridges) {
        return false;
    }
    left = bridges - 3 * switches - 2 * pci;
    out->bridges = bridges;
    out->switches = switches;
    out->pci = pci;
    out->downstream = switches + least(left / 2, 31 * switches);
    out->root_ports = bridges - switches - out->downstream - pci;
    return true;
}

/* How many endpoints have a place, with the PFs' VFs beside them. */
static uint64_t endpoint_room(const struct pcv__gen_shape *shape)
{
    uint64_t root_places = (uint64_t)shape->roots * PCV_SLOTS * shape->multi;

    if (root_places < (uint64_t)shape->roots + shape->root_ports) {
        return 0;
    }
    return root_places - shape->roots - shape->root_ports +
           (uint64_t)pcv__gen_leaves(shape) * shape->multi +
           (uint64_t)shape->pci * ENDPOINTS_ON_PCI * shape->multi;
}

/* Whether a shape whose bridges, roots and multi are set holds everything. */
static bool fits(const struct pcv__gen_spec *spec, struct pcv__gen_shape *shape)
{
    uint32_t fixed = shape->roots + shape->bridges;
    uint32_t rest;

    if (spec->functions < fixed ||
        (uint64_t)shape->roots * PCV_SLOTS * shape->multi <
            (uint64_t)shape->roots + shape->root_ports) {
        return false;
    }
    rest = spec->functions - fixed;
    shape->vfs = spec->vfs;
    shape->pfs = 0;
    if (spec->vfs > 0) {
        shape->pfs =
            least((pcv__gen_leaves(shape) + 1) / 2, rest / (1 + spec->vfs));
        if (shape->pfs == 0) {
            return false;
        }
    }
    shape->endpoints = rest - shape->pfs * spec->vfs;
    return shape->endpoints <= endpoint_room(shape);
}

/* The fewest root buses, then the smallest devices, for these bridges. */
static bool search_roots(const struct pcv__gen_spec *spec,
                         struct pcv__gen_shape *shape)
{
    uint32_t first = 1;
    uint32_t last = PCV_BUSES - shape->bridges;

    if (spec->buses != PCV__GEN_AUTO) {
        if (spec->buses <= shape->bridges) {
            return false;
        }
        first = last = spec->buses - shape->bridges;
    }
    for (shape->roots = first; shape->roots <= last; shape->roots++) {
        bool given = spec->multi != PCV__GEN_AUTO;

        shape->multi = given ? spec->multi : MULTI_DEFAULT;
        for (; shape->multi <= PCV_FUNCTIONS; shape->multi++) {
            if (fits(spec, shape)) {
                return true;
            }
            if (given) {
                break;
            }
        }
    }
    return false;
}

/* The fewest bridges that the wanted switches and PCI bridges make. */
static uint32_t least_bridges(const struct pcv__gen_spec *spec)
{
    uint32_t switches = spec->switches == PCV__GEN_AUTO ? 0 : spec->switches;
    uint32_t pci = spec->pci == PCV__GEN_AUTO ? 0 : spec->pci;

    return 3 * switches + 2 * pci;
}

static int explain_vfs(const struct pcv__gen_spec *spec,
                       const struct pcv__gen_shape *shape,
                       struct pcv_model_error *error)
{
    uint32_t ports = pcv__gen_leaves(shape) > 0 ? 0 : 1;
    uint32_t need = shape->roots + shape->bridges + ports + 1 + spec->vfs;

    if (spec->bridges != PCV__GEN_AUTO && ports > 0) {
        return pcv__source_fail(error, -PCV_EINVAL, 0,
                                "vfs=%u needs a port with a PF behind it: "
                                "more than bridges=%u",
                                (unsigned)spec->vfs, (unsigned)spec->bridges);
    }
    if (spec->functions < need) {
        return pcv__source_fail(error, -PCV_EINVAL, 0,
                                "vfs=%u needs at least functions=%u: bridges, "
                                "a PF and its VFs",
                                (unsigned)spec->vfs, (unsigned)need);
    }
    return 0;
}

static int explain_room(const struct pcv__gen_spec *spec,
                        struct pcv__gen_shape *shape,
                        struct pcv_model_error *error)
{
    unsigned long long room;

    shape->multi = spec->multi == PCV__GEN_AUTO ? PCV_FUNCTIONS : spec->multi;
    shape->roots = spec->buses == PCV__GEN_AUTO ? PCV_BUSES - shape->bridges
                                                : spec->buses - shape->bridges;
    room = endpoint_room(shape) + shape->roots + shape->bridges;
    return pcv__source_fail(
        error, -PCV_EINVAL, 0,
        "functions=%u does not fit: at most %llu with multi=%u and no VFs "
        "(root buses: %u, ports: %u, PCI buses: %u); fewer bridges or more "
        "buses hold more",
        (unsigned)spec->functions, room, (unsigned)shape->multi,
        (unsigned)shape->roots, (unsigned)pcv__gen_leaves(shape),
        (unsigned)shape->pci);
}

/* Why the search found nothing, and what would have been possible. */
static int explain(const struct pcv__gen_spec *spec,
                   struct pcv_model_error *error)
{
    struct pcv__gen_shape shape = {0};
    uint32_t need = least_bridges(spec);
    uint32_t bridges = spec->bridges == PCV__GEN_AUTO ? need : spec->bridges;
    int rc;

    if (bridges > PCV_BUSES - 1 || !divide(spec, bridges, &shape)) {
        return pcv__source_fail(
            error, -PCV_EINVAL, 0,
            "the switches and PCI bridges need at least bridges=%u: three for "
            "a switch, two for a PCI bridge; at most 255 are possible",
            (unsigned)need);
    }
    if (spec->buses != PCV__GEN_AUTO && spec->buses <= bridges) {
        return pcv__source_fail(
            error, -PCV_EINVAL, 0,
            "buses=%u is too few for %u bridges: each has a bus behind it, "
            "and there is a root bus; at least %u",
            (unsigned)spec->buses, (unsigned)bridges, (unsigned)(bridges + 1));
    }
    shape.roots = spec->buses == PCV__GEN_AUTO ? 1 : spec->buses - bridges;
    if (spec->functions < shape.roots + bridges) {
        return pcv__source_fail(
            error, -PCV_EINVAL, 0,
            "functions=%u is too few: at least %u, for the host bridge of each "
            "root bus and bridges=%u",
            (unsigned)spec->functions, (unsigned)(shape.roots + bridges),
            (unsigned)bridges);
    }
    rc = spec->vfs > 0 ? explain_vfs(spec, &shape, error) : 0;
    return rc != 0 ? rc : explain_room(spec, &shape, error);
}

int pcv__gen_shape(const struct pcv__gen_spec *spec, struct pcv__gen_shape *out,
                   struct pcv_model_error *error)
{
    struct pcv__gen_shape shape = {0};
    uint32_t last = least_bridges(spec);
    uint32_t bridges = last > BRIDGES_DEFAULT ? last : BRIDGES_DEFAULT;

    if (spec->bridges != PCV__GEN_AUTO) {
        bridges = last = spec->bridges;
    }
    for (; bridges < PCV_BUSES; bridges--) {
        if (divide(spec, bridges, &shape) && search_roots(spec, &shape)) {
            *out = shape;
            return 0;
        }
        if (bridges <= last) {
            break;
        }
    }
    return explain(spec, error);
}
