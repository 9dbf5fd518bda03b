/* SPDX-License-Identifier: MIT */
/* The machine of fuzz_access.c and its books (access_machine.h). */
#include "access_machine.h"

#include <string.h>

const pcv_sbdf where[DEVICES] = {
    {0x0000}, {0x0008}, {0x0100}, {0x0010},
    {0x0018}, {0x0019}, {0x0020}, {0x0028},
};

/* ---- the machine --------------------------------------------------------- */

static void make_endpoints(struct pcv_model *model)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x4000);
    pcv_test_bar_io(&f, 1, 0x6000, 0x20);
    pcv_test_bar64(&f, 2, 0x4000000000u, 0x8000);
    pcv_test_rom(&f, 0xe0040000u, 0x1000);
    (void)pcv_test_pm(&f, false);
    (void)pcv_test_aer(&f);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(model, &f, where[BEHIND]);

    pcv_test_pcie_endpoint(&f, 0x1af4, 0x1041);
    pcv_test_bar32(&f, 0, 0xe0010000u, 0x100);
    pcv_test_bar32(&f, 1, 0xe0010100u, 0x80);
    pcv_test_bar32(&f, 2, 0xe0011000u, 0x1000);
    pcv_test_rom(&f, 0xe0012001u, 0x800);
    pcv_test_add(model, &f, where[SMALL]);

    pcv_test_endpoint(&f, 0x10ec, 0x8139);
    pcv_test_bar_io(&f, 0, 0x7000, 0x100);
    pcv_test_bar32(&f, 1, 0xe0010200u, 0x100); /* in a page of SMALL's */
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(model, &f, where[OLD]);

    pcv_test_endpoint(&f, 0x104c, 0xac56);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x7f);
    pcv_test_add(model, &f, where[GARBAGE]);
}

static struct pcv_model *make_model(void)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint16_t cap;

    pcv_test_host_bridge(&f);
    pcv_test_add(model, &f, where[HOST_BRIDGE]);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_bar32(&f, 0, 0xe0060000u, 0x1000);
    pcv_test_add(model, &f, where[PORT]);
    make_endpoints(model);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x1521);
    pcv_test_bar64(&f, 0, 0x4000100000u, 0x4000);
    cap = pcv_test_sriov(&f, 1, 1, 1, 1);
    pcv_test_set(&f, cap + PCV_SRIOV_BAR, 4, 0xe0020000u);
    pcv_test_add(model, &f, where[PF]);
    pcv_test_vf(&f, where[PF]);
    f.fn.bar_size[0] = 0x1000;
    pcv_test_add(model, &f, where[VF]);
    pcv_test_ready(model);
    return model;
}

/* Only one device is behind a bridge. */
static unsigned index_of(pcv_sbdf sbdf)
{
    if (pcv_sbdf_bus(sbdf) != 0) {
        return BEHIND;
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        if (where[i].v == sbdf.v) {
            return i;
        }
    }
    return DEVICES;
}

pcv_sbdf machine_place(const struct machine *m, unsigned i)
{
    return i == BEHIND ? m->behind : where[i];
}

struct pcv_device_status machine_status(const struct machine *m, unsigned i)
{
    struct pcv_device_status status;

    CHECK(pcv_device_status(m->host, machine_place(m, i), &status) == 0);
    return status;
}

void machine_track(struct machine *m)
{
    struct pcv_device *device = pcv_device_next(m->host, where[BEHIND]);

    if (!device) {
        device = pcv_device_next_unreachable(m->host, (pcv_sbdf){0});
    }
    if (device) {
        m->behind = pcv_device_sbdf(device);
    }
    pcv_device_put(device);
    if (machine_status(m, BEHIND).state != PCV_STATE_UNREACHABLE) {
        m->halfway = false;
        return;
    }
    for (unsigned i = 0; i < VCPUS; i++) {
        m->halfway = m->halfway || m->vcpu[i].verdict == PCV_PENDING;
    }
}

/* Whether a vCPU asks who is at an address where nobody is (LIFE-12). */
static bool asks_who(const struct machine *m, unsigned i)
{
    const struct vcpu *v = m->asking;

    if (!v || i >= DEVICES) {
        return false;
    }
    /* VFs that were enabled appear with whatever access comes next (SRIOV-1).
     */
    return i == VF || (index_of(v->access.sbdf) == i && !v->access.write &&
                       v->access.reg < PCV_REG_DEVICE);
}

/* Hardware is asked only for what is registered, and not for what is gone
 * (LIFE-11); an add looks at its own address. */
static void on_cfg(void *arg, const struct pcv_model_cfg *access)
{
    struct machine *m = arg;
    unsigned i = index_of(access->sbdf);
    bool asked = asks_who(m, i);
    struct pcv_device_status now;

    if (i == m->adding) {
        return;
    }
    CHECK(i < DEVICES);
    now = machine_status(m, i);
    if (asked && now.state != PCV_STATE_PRESENT) {
        return;
    }
    /* Who asked found another one there, which is being set up. */
    m->vanished[i] = m->vanished[i] && !(asked && !now.vanished);
    /* What moves with bus numbers is asked before it is there. */
    CHECK(i == BEHIND || now.state == PCV_STATE_PRESENT);
    CHECK(!m->vanished[i]);
    if (access->write && access->reg >= 0x40) {
        m->dirty[i] = true; /* it may have reset itself */
    }
    if (access->write && i == PORT) {
        m->dirty[BEHIND] = true;
    }
}

/* ---- the books ----------------------------------------------------------- */

static void check_references(const struct machine *m)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        struct pcv_device_status status = machine_status(m, i);
        pcv_sbdf at = machine_place(m, i);
        bool away = status.state == PCV_STATE_UNREACHABLE;
        bool present = away || status.state == PCV_STATE_PRESENT;
        uint32_t held = 0;

        for (unsigned h = 0; h < HOLDS; h++) {
            held += m->hold[h] && pcv_device_sbdf(m->hold[h]).v == at.v;
        }
        CHECK(status.held[PCV_HOLDER_CALLER] == held);
        CHECK(status.held[PCV_HOLDER_ACCESS] == 0);
        CHECK(away ||
              status.held[PCV_HOLDER_VECTOR] == pcv_model_bound(m->model, &at));
        CHECK(status.held[PCV_HOLDER_REGISTRY] == (present ? 1 : 0));
        CHECK(status.held[PCV_HOLDER_OWNER] == (present ? 1 : 0));
        CHECK(present || held != 0 || status.state == PCV_STATE_ABSENT);
    }
}

/* What the host has mapped is what the library believes to be mapped. */
static void check_map(const struct machine *m)
{
    struct pcv_mapping run = {0, 0, 0};
    uint64_t from = 0;
    uint64_t pages = 0;

    CHECK(pcv_model_map_errors(m->model) == 0);
    while (pcv_domain_next_mapping(m->dom0, from, &run)) {
        for (uint64_t i = 0; i < run.pages; i++) {
            CHECK(pcv_model_is_mapped(m->model, PCV_DOMAIN_ID_HARDWARE,
                                      run.first_page + i));
        }
        pages += run.pages;
        from = run.first_page + run.pages;
    }
    CHECK(pages == pcv_model_mapped_pages(m->model));
}

/* Whether a function is in a lower power state than D0: nothing of it is mapped
 * (PM-1). */
static bool asleep(const struct machine *m, unsigned i)
{
    uint32_t cap = pcv_model_peek(m->model, where[i], PCV_REG_CAPS, 1) & 0xfcu;

    for (unsigned n = 0; cap >= 0x40 && n < 48; n++) {
        uint16_t at = (uint16_t)cap;

        if (pcv_model_peek(m->model, where[i], at, 1) == PCV_CAP_ID_PM) {
            return (pcv_model_peek(m->model, where[i], at + PCV_PM_CONTROL, 2) &
                    PCV_PM_STATE) != 0;
        }
        cap = pcv_model_peek(m->model, where[i], at + 1u, 1) & 0xfcu;
    }
    return false;
}

/* Whether a BAR that its device decodes is to be mapped (HDR-6, HDR-11). */
static bool wanted(const struct machine *m, unsigned i, unsigned n,
                   const struct pcv_bar *bar)
{
    uint16_t rom = i == PORT ? PCV_REG_ROM1 : PCV_REG_ROM0;
    uint64_t last = bar->address + (bar->size - 1);

    if ((pcv_model_peek(m->model, where[i], PCV_REG_COMMAND, 2) &
         PCV_CMD_MEMORY) == 0 ||
        asleep(m, i) || bar->kind < PCV_BAR_MEM32 || i == VF ||
        (n == PCV_BAR_IS_ROM &&
         (pcv_model_peek(m->model, where[i], rom, 4) & PCV_ROM_ENABLE) == 0)) {
        return false;
    }
    return (bar->kind == PCV_BAR_MEM64 || last < 0xffffffffu) &&
           pcv_model_ops()->mmio_permitted(m->model, PCV_DOMAIN_ID_HARDWARE,
                                           (pcv_hpa){bar->address},
                                           bar->size) == 1;
}

/* Pages that a BAR wants: not those that a function has which is read-only
 * since it could not be set up (OWN-2, OWN-8). */
static uint64_t wanted_pages(const struct machine *m, const struct pcv_bar *bar)
{
    uint64_t last = (bar->address + (bar->size - 1)) >> 12;
    uint64_t wants = 0;

    for (uint64_t page = bar->address >> 12; page <= last; page++) {
        wants += !pcv_host_reserved(m->host, false, page << 12, 0x1000);
    }
    return wants;
}

/* One BAR with nothing under way; the pages that it has. */
static uint64_t check_bar(const struct machine *m, unsigned i, unsigned n,
                          const struct pcv_device_info *info)
{
    const struct pcv_bar *bar = &info->bar[n];
    bool mapped = (bar->flags & PCV_BAR_MAPPED) != 0;
    /* A VF's BARs follow its PF (SRIOV-1). */
    bool sure = !m->dirty[i] && i != VF;
    uint64_t first = bar->address & ~UINT64_C(0xfff);

    CHECK(!sure || mapped == (!info->read_only && wanted(m, i, n, bar)));
    if (!mapped) {
        return 0;
    }
    /* Its first page, unless that is a read-only function's. */
    CHECK(!sure || pcv_host_reserved(m->host, false, first, 0x1000) ||
          pcv_model_is_mapped(m->model, 0, first >> 12));
    return wanted_pages(m, bar);
}

/* With nothing under way, each mapped page is a mapped BAR's, each page of a
 * mapped BAR is mapped, and a BAR is mapped if and only if it is decoded. */
static void check_idle(const struct machine *m)
{
    struct pcv_mapping run;
    uint64_t users = 0, wants = 0, from = 0;

    for (unsigned i = 0; i < DEVICES; i++) {
        struct pcv_device *device =
            pcv_device_find(m->host, machine_place(m, i));
        struct pcv_device_info info;

        if (!device && i == BEHIND) {
            /* What is mapped of it stays. */
            device = pcv_device_next_unreachable(m->host, (pcv_sbdf){0});
        }
        if (!device) {
            continue;
        }
        pcv_device_get_info(device, &info);
        pcv_device_put(device);
        for (unsigned n = 0; n < PCV_BARS; n++) {
            wants += check_bar(m, i, n, &info);
        }
    }
    while (pcv_domain_next_mapping(m->dom0, from, &run)) {
        users += run.pages * run.users;
        from = run.first_page + run.pages;
    }
    CHECK(m->halfway || (m->patchy ? users <= wants : users == wants));
}

void machine_check(const struct machine *m)
{
    check_references(m);
    check_map(m);
    for (unsigned i = 0; i < VCPUS; i++) {
        if (m->vcpu[i].verdict == PCV_PENDING) {
            return;
        }
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        if (m->unfinished[i]) {
            return;
        }
    }
    check_idle(m);
}

/* ---- from birth to death ------------------------------------------------- */

void machine_begin(struct machine *m)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 64};

    m->model = make_model();
    pcv_model_watch(m->model, on_cfg, m);
    CHECK(pcv_host_create(pcv_model_ops(), m->model, &config, &m->host) == 0);
    m->dom0 = pcv_host_hardware_domain(m->host);
    m->behind = where[BEHIND];
    CHECK(pcv_domain_add_ecam(m->dom0, (pcv_gpa){WINDOW}, 0, 0, 3) == 0);
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct pcv_add_info info = {.flags = i == VF ? PCV_ADD_IS_VF : 0,
                                          .physfn = where[PF]};

        m->adding = i;
        CHECK(pcv_device_add(m->host, where[i], &info) == 0);
    }
    m->adding = DEVICES;
}

void machine_end(struct machine *m)
{
    pcv_model_watch(m->model, NULL, NULL);
    for (unsigned i = 0; i < PCV_MODEL_OP_COUNT; i++) {
        pcv_model_fail(m->model, (enum pcv_model_op)i, 0);
    }
    for (unsigned i = 0; i < HOLDS; i++) {
        pcv_device_put(m->hold[i]);
    }
    CHECK(pcv_host_destroy(m->host) == 0);
    CHECK(pcv_model_bytes(m->model) == 0);
    CHECK(pcv_model_mapped_pages(m->model) == 0);
    CHECK(pcv_model_map_errors(m->model) == 0);
    pcv_model_destroy(m->model);
}
