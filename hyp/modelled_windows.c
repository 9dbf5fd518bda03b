/* SPDX-License-Identifier: MIT */
/*
 * Root buses and windows of the modelled machine. A capture does not say what
 * its host bridges forwarded, so the windows are made from what was placed: for
 * each root bus runs of addresses from one BAR or bridge window to the next,
 * for as long as nothing of another root bus, or of the real machine, stands in
 * between.
 */
#include <stdlib.h>

#include "domain_fdt.h"
#include "lib.h"
#include "mmu.h"
#include "modelled_impl.h"

#define NOBODYS UINT32_MAX /* the root of what the real machine has */
#define IO_UNIT 0x1000u    /* the CPU maps ports in pages, too */
#define SPARE_SIZE MIB
#define SPARE_FIRST ((uint64_t)0xe0000000) /* of a machine without BARs */
#define END_32 ((uint64_t)1 << 32)
#define END_40 ((uint64_t)1 << 40) /* of what stage 2 translates */

static struct {
    struct modelled_window *run;
    size_t count, room;
} runs;

static void add(enum modelled_space space, unsigned root, uint64_t start,
                uint64_t end)
{
    if (runs.count == runs.room) {
        size_t room = runs.room == 0 ? 64 : runs.room * 2;
        struct modelled_window *more = realloc(runs.run, room * sizeof(*more));

        if (!more) {
            panic("no memory for the windows of a modelled machine");
        }
        runs.run = more;
        runs.room = room;
    }
    runs.run[runs.count++] = (struct modelled_window){space, root, start, end};
}

/* ---- root buses ---------------------------------------------------------- */

static bool is_shown(pcv_sbdf sbdf)
{
    return pcv_sbdf_segment(sbdf) == modelled_machine.segment;
}

static void add_root(uint8_t bus)
{
    struct modelled_machine *machine = &modelled_machine;
    unsigned at = 0;

    while (at < machine->roots && machine->root[at].bus_first < bus) {
        at++;
    }
    if (at < machine->roots && machine->root[at].bus_first == bus) {
        return;
    }
    if (machine->roots == MODELLED_ROOTS) {
        panic("the modelled machine has more than %u root buses",
              MODELLED_ROOTS);
    }
    for (unsigned i = machine->roots++; i > at; i--) {
        machine->root[i] = machine->root[i - 1];
    }
    machine->root[at].bus_first = bus;
}

/* One segment is shown: the real machine has one ECAM window. */
static void find_roots(uint8_t bus_last)
{
    struct modelled_machine *machine = &modelled_machine;
    struct pcv_model_facts facts;
    unsigned others = 0;
    uint8_t bus;

    for (size_t i = 0; pcv_model_facts_at(machine->model, i, &facts); i++) {
        if (i == 0) {
            machine->segment = pcv_sbdf_segment(facts.sbdf);
        }
        if (is_shown(facts.sbdf) &&
            pcv_model_root_of(machine->model, facts.sbdf, &bus)) {
            add_root(bus);
        } else {
            others++;
        }
    }
    for (unsigned i = 0; i < machine->roots; i++) {
        machine->root[i].bus_last =
            i + 1 < machine->roots
                ? (uint8_t)(machine->root[i + 1].bus_first - 1)
                : bus_last;
    }
    if (others != 0) {
        print("%u functions of other segments than %04x are not shown\n",
              others, machine->segment);
    }
}

static unsigned root_of(pcv_sbdf sbdf)
{
    uint8_t bus = 0;
    unsigned root = 0;

    (void)pcv_model_root_of(modelled_machine.model, sbdf, &bus);
    while (root + 1 < modelled_machine.roots &&
           modelled_machine.root[root].bus_first != bus) {
        root++;
    }
    return root;
}

/* ---- what is taken ------------------------------------------------------- */

static void add_span(void *arg, const struct pcv_model_span *span)
{
    uint64_t unit = span->io ? IO_UNIT : PAGE_SIZE;
    uint64_t start = span->start & ~(unit - 1);
    uint64_t end = (span->start + span->size + unit - 1) & ~(unit - 1);

    (void)arg;
    if (end > (span->io ? modelled_machine.io.size : END_40)) {
        print("%04x:%02x:%02x.%u: %s at %lx cannot be reached\n",
              pcv_sbdf_segment(span->sbdf), pcv_sbdf_bus(span->sbdf),
              pcv_sbdf_device(span->sbdf), pcv_sbdf_function(span->sbdf),
              span->io ? "ports" : "memory", span->start);
    } else if (is_shown(span->sbdf)) {
        add(span->io ? MODELLED_IO : MODELLED_MEMORY, root_of(span->sbdf),
            start, end);
    }
}

static void add_real(const struct region *region)
{
    if (region->size != 0) {
        add(MODELLED_MEMORY, NOBODYS, region->base,
            region->base + region->size);
    }
}

static void add_machine(const struct machine *real)
{
    struct region region = {real->gic.dist, 0x10000};
    uint32_t intid;
    int node = -1;

    add_real(&real->ram);
    add_real(&real->pci.ecam);
    add_real(&real->pci.io);
    add_real(&region);
    region = (struct region){real->gic.redist, real->gic.redist_size};
    add_real(&region);
    while (domain_fdt_device(real->fdt, &node, &region, &intid)) {
        add_real(&region);
    }
    /* A window is of addresses of 32 bits, or of others. */
    add(MODELLED_MEMORY, NOBODYS, END_32, END_32);
}

/* Behind all that was placed below 4 GiB. */
static void add_spare(void)
{
    uint64_t last = 0;

    for (size_t i = 0; i < runs.count; i++) {
        const struct modelled_window *run = &runs.run[i];

        if (run->space == MODELLED_MEMORY && run->root != NOBODYS &&
            run->end <= END_32 && run->end > last) {
            last = run->end;
        }
    }
    last = last == 0 ? SPARE_FIRST : last;
    modelled_machine.spare.base = (last + SPARE_SIZE - 1) & ~(SPARE_SIZE - 1);
    modelled_machine.spare.size = SPARE_SIZE;
    add(MODELLED_MEMORY, 0, modelled_machine.spare.base,
        modelled_machine.spare.base + SPARE_SIZE);
}

/* ---- windows ------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    const struct modelled_window *x = a;
    const struct modelled_window *y = b;

    if (x->space != y->space) {
        return x->space < y->space ? -1 : 1;
    }
    return (x->start > y->start) - (x->start < y->start);
}

static void add_window(const struct modelled_window *run)
{
    struct modelled_machine *machine = &modelled_machine;

    if (run->root == NOBODYS || run->start >= run->end) {
        return;
    }
    if (machine->windows == MODELLED_WINDOWS) {
        panic("the modelled machine needs more than %u windows",
              MODELLED_WINDOWS);
    }
    machine->window[machine->windows++] = *run;
}

/* What two roots have, the first keeps. */
static void cut(struct modelled_window *run, const struct modelled_window *last)
{
    if (run->start >= last->end) {
        return;
    }
    if (run->root == NOBODYS || last->root == NOBODYS) {
        panic("%lx to %lx of the modelled machine is taken by the real one: "
              "is there too much memory?",
              run->start > last->start ? run->start : last->start,
              run->end < last->end ? run->end : last->end);
    }
    run->start = last->end;
}

static void join_runs(void)
{
    /* Ports begin at 0, so that Linux' numbers of them are the bus's. */
    struct modelled_window last = {.end = 0};

    for (size_t i = 0; i < runs.count; i++) {
        struct modelled_window run = runs.run[i];

        if (run.space != last.space) {
            add_window(&last);
            last = run;
        } else if (i == 0 || run.root == last.root) {
            last.root = run.root;
            last.end = run.end > last.end ? run.end : last.end;
        } else {
            cut(&run, &last);
            if (run.start <= run.end) {
                add_window(&last);
                last = run;
            }
        }
    }
    add_window(&last);
}

void modelled_find_windows(const struct machine *real)
{
    find_roots(real->pci.bus_last);
    add_machine(real);
    pcv_model_spans(modelled_machine.model, add_span, NULL);
    add_spare();
    qsort(runs.run, runs.count, sizeof(*runs.run), by_start);
    join_runs();
    free(runs.run);
    runs.run = NULL;
}
