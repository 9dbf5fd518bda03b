/* SPDX-License-Identifier: MIT */
/*
 * A machine whose bus numbers change: the hardware domain does it as Linux
 * does, and what the registry says afterwards is held against what stands in
 * the modelled bridges.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_RENUMBER_FIXTURE_H
#define PCV_TESTS_UNIT_RENUMBER_FIXTURE_H

#include <stdlib.h>

#include "hosted.h"
#include "registry/barred.h"

#define NOBODY_ABOVE SIZE_MAX

/* A function as it was found first, and where it is soldered. */
struct soldered {
    struct pcv_device *device; /* without a reference: it must stay */
    pcv_sbdf first;            /* the model's name for it, for life */
    size_t above;              /* of the list; NOBODY_ABOVE: on a root bus */
    uint8_t delta;
};

struct renumber {
    struct hosted h;
    struct soldered *all;
    size_t count;
    uint32_t events[64];
    uint8_t next;  /* the next bus number to be given */
    uint8_t step;  /* between two of them */
    bool no_reset; /* zeros are not written first */
};

static inline void renumber_told(void *arg, const struct pcv_event *event)
{
    struct renumber *r = arg;

    r->events[event->kind]++;
}

static inline size_t renumber_index(const struct renumber *r, pcv_sbdf first)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->all[i].first.v == first.v) {
            return i;
        }
    }
    return NOBODY_ABOVE;
}

/* Note where everything is. Bridges have lower bus numbers than what is behind
 * them, so they are in the list before. */
static inline void renumber_record(struct renumber *r)
{
    struct pcv_device *device;
    pcv_sbdf from = {0};

    r->all = calloc(hosted_stats(&r->h).devices, sizeof(*r->all));
    assert_non_null(r->all);
    while ((device = pcv_device_next(r->h.host, from)) != NULL) {
        struct soldered *s = &r->all[r->count];
        pcv_sbdf up;

        s->device = device;
        s->first = pcv_device_sbdf(device);
        s->above = NOBODY_ABOVE;
        if (pcv_topology_upstream(r->h.host, pcv_sbdf_segment(s->first),
                                  pcv_sbdf_bus(s->first), &up) == 0) {
            s->above = renumber_index(r, up);
            assert_true(s->above < r->count);
            s->delta =
                (uint8_t)(pcv_sbdf_bus(s->first) -
                          pcv_model_peek(r->h.model, up, PCV_REG_SECONDARY, 1));
        }
        r->count++;
        pcv_device_put(device);
        from.v = s->first.v + 1u;
        if (from.v == 0) {
            break;
        }
    }
}

/* The tree of hosted.h. */
static inline void renumber_tree(struct renumber *r)
{
    memset(r, 0, sizeof(*r));
    tree_build(&r->h);
    pcv_model_on_event(r->h.model, renumber_told, r);
    hosted_start(&r->h);
    assert_int_equal(hosted_scan(&r->h), TREE_FUNCTIONS);
    renumber_record(r);
}

/* A machine from a file, or one that is made up. */
static inline void renumber_machine(struct renumber *r, const char *file,
                                    const char *spec)
{
    struct pcv_model_error error;
    struct pcv_scan scan;
    uint32_t reported;

    memset(r, 0, sizeof(*r));
    r->h.model = pcv_model_create(1);
    assert_non_null(r->h.model);
    assert_int_equal(file ? pcv_model_load_file(r->h.model, file, &error)
                          : pcv_model_generate(r->h.model, spec, &error),
                     0);
    pcv_test_ready(r->h.model);
    pcv_model_on_event(r->h.model, renumber_told, r);
    assert_int_equal(pcv_model_boot(r->h.model, &r->h.host, &scan, &reported),
                     0);
    renumber_record(r);
}

static inline void renumber_end(struct renumber *r)
{
    assert_int_equal(pcv_model_bind_errors(r->h.model), 0);
    hosted_end(&r->h);
    free(r->all);
}

/* ---- the hardware domain --------------------------------------------------
 */

static inline void renumber_write(struct renumber *r, pcv_sbdf at, uint16_t reg,
                                  uint8_t size, uint32_t value)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(r->h.host);
    struct pcv_access access = PCV_WRITE(at, reg, size, value);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; i < 1000 && verdict != PCV_DONE; i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(hardware, &access)
                                         : pcv_access(hardware, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

static inline uint32_t renumber_read(struct renumber *r, pcv_sbdf at,
                                     uint16_t reg, uint8_t size)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(r->h.host);
    struct pcv_access access = PCV_READ(at, reg, size);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; i < 1000 && verdict != PCV_DONE && verdict != PCV_ABSENT;
         i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(hardware, &access)
                                         : pcv_access(hardware, &access);
    }
    return (uint32_t)access.data;
}

static inline bool renumber_is_bridge(struct renumber *r, pcv_sbdf at)
{
    return renumber_read(r, at, PCV_REG_VENDOR, 4) != 0xffffffffu &&
           (renumber_read(r, at, PCV_REG_HEADER_TYPE, 1) &
            PCV_HEADER_TYPE_MASK) == 1;
}

/* Buses after a bridge's first that VFs need. */
static inline uint8_t renumber_vf_buses(const struct renumber *r,
                                        pcv_sbdf bridge)
{
    uint8_t most = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct soldered *s = &r->all[i];

        if (s->above != NOBODY_ABOVE && s->delta > most &&
            pcv__device_sbdf(r->all[s->above].device).v == bridge.v) {
            most = s->delta;
        }
    }
    return most;
}

/*
 * Everything behind the bridges of a bus, as Linux does it with
 * pci=assign-busses: first all of them are zeroed, then one after the other
 * leads to all buses that are left, what is behind it is numbered, and it gets
 * the last that was needed. Bounded: 256 buses.
 */
static inline void renumber_bus(struct renumber *r, uint16_t segment,
                                uint8_t bus, uint8_t last)
{
    for (uint32_t devfn = 0; devfn < PCV_DEVFNS && !r->no_reset; devfn++) {
        pcv_sbdf at = pcv_sbdf_make(segment, bus, (uint8_t)devfn);

        if (renumber_is_bridge(r, at)) {
            renumber_write(r, at, PCV_REG_PRIMARY, 4,
                           renumber_read(r, at, PCV_REG_PRIMARY, 4) &
                               ~0xffffffu);
        }
    }
    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        pcv_sbdf at = pcv_sbdf_make(segment, bus, (uint8_t)devfn);
        uint8_t first, vfs;

        if (!renumber_is_bridge(r, at)) {
            continue;
        }
        first = r->next;
        r->next = (uint8_t)(first + r->step);
        renumber_write(r, at, PCV_REG_STATUS, 2, 0xffff);
        renumber_write(r, at, PCV_REG_PRIMARY, 4,
                       (uint32_t)bus | (uint32_t)first << 8 |
                           (uint32_t)last << 16);
        vfs = renumber_vf_buses(r, at);
        if (r->next < first + vfs + r->step) {
            r->next = (uint8_t)(first + vfs + r->step);
        }
        renumber_bus(r, segment, first, last);
        renumber_write(r, at, PCV_REG_SUBORDINATE, 1, r->next - 1u);
    }
}

/* All of segment 0, beginning with a number, leaving out some between. */
static inline void renumber_all(struct renumber *r, uint8_t first, uint8_t step)
{
    r->next = first;
    r->step = step;
    renumber_bus(r, 0, 0, 0xff);
}

/* ---- what must be true -----------------------------------------------------
 */

/* Where the numbers that stand in the bridges put a function; false: nowhere.
 * Bounded by the depth of the tree. */
static inline bool renumber_place(const struct renumber *r,
                                  const struct soldered *s, pcv_sbdf *out)
{
    const struct soldered *above;
    pcv_sbdf up;
    uint32_t first, last;

    *out = s->first;
    if (s->above == NOBODY_ABOVE) {
        return true;
    }
    above = &r->all[s->above];
    if (!renumber_place(r, above, &up)) {
        return false;
    }
    first = pcv_model_peek(r->h.model, above->first, PCV_REG_SECONDARY, 1);
    last = pcv_model_peek(r->h.model, above->first, PCV_REG_SUBORDINATE, 1);
    *out = pcv_sbdf_make(pcv_sbdf_segment(s->first),
                         (uint8_t)(first + s->delta), pcv_sbdf_devfn(s->first));
    return first > pcv_sbdf_bus(up) && first + s->delta <= last;
}

/* Everything is found where bus numbers lead to it, as the object that it was,
 * and its DMA is its owner's there. */
static inline void renumber_holds(struct renumber *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct soldered *s = &r->all[i];
        struct pcv_device *found;
        struct pcv_device_info info;
        pcv_sbdf at, up;

        assert_true(renumber_place(r, s, &at));
        found = pcv_device_find(r->h.host, at);
        assert_ptr_equal(found, s->device);
        pcv_device_get_info(found, &info);
        assert_int_equal(info.sbdf.v, at.v);
        assert_false(info.unreachable);
        assert_int_equal(pcv_model_dma_domain(r->h.model, at), info.owner_id);
        if (s->above != NOBODY_ABOVE) {
            assert_int_equal(pcv_topology_upstream(r->h.host,
                                                   pcv_sbdf_segment(at),
                                                   pcv_sbdf_bus(at), &up),
                             0);
            assert_int_equal(up.v, pcv__device_sbdf(r->all[s->above].device).v);
        }
        if (info.is_vf) {
            assert_int_equal(info.physfn.v, pcv__device_sbdf(found->pf).v);
        }
        pcv_device_put(found);
    }
    assert_null(pcv_device_next_unreachable(r->h.host, (pcv_sbdf){0}));
    assert_int_equal(hosted_stats(&r->h).devices, r->count);
}

/* What the registry finds is what the numbers lead to, and nothing else; what
 * they do not lead to is kept, and its DMA blocked. */
static inline void renumber_is_sound(struct renumber *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct soldered *s = &r->all[i];
        pcv_sbdf at = pcv__device_sbdf(s->device);
        struct pcv_device *found = pcv_device_find(r->h.host, at);

        if (pcv__is_unreachable(s->device)) {
            assert_true(found != s->device);
            if (!found) {
                assert_int_equal(pcv_model_dma_domain(r->h.model, at),
                                 PCV_DOMAIN_ID_QUARANTINE);
                assert_int_equal(hosted_state(&r->h, at),
                                 PCV_STATE_UNREACHABLE);
            }
        } else {
            pcv_sbdf place;

            assert_ptr_equal(found, s->device);
            assert_true(renumber_place(r, s, &place));
            assert_int_equal(place.v, at.v);
        }
        pcv_device_put(found);
    }
    assert_int_equal(hosted_stats(&r->h).devices, r->count);
}

#endif
