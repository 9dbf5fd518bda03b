/* SPDX-License-Identifier: MIT */
/*
 * What a host's contract leaves open: operations that are missing or only half
 * there, what people read, domains that are asked for, and questions that do
 * not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "removals.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GUEST 7u
#define CARD PCV_TEST_ALONE
#define WINDOW 0x80000000u

/* ---- names ----------------------------------------------------------------
 */

/* Each name is one of its own, and what is no such thing has one too. */
static void check_names(const char *(*name)(int value), int count)
{
    for (int i = 0; i < count; i++) {
        assert_true(strlen(name(i)) > 0);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name(i), name(j));
        }
    }
    assert_non_null(strstr(name(count), "unknown"));
    assert_string_equal(name(count), name(count + 100));
}

static const char *event_name(int value)
{
    return pcv_event_name((enum pcv_event_kind)value);
}

static const char *holder_name(int value)
{
    return pcv_holder_name((enum pcv_holder)value);
}

static const char *type_name(int value)
{
    return pcv_device_type_name((enum pcv_device_type)value);
}

/* LIFE-4, TOPO-1, PORT-2 */
static void every_name_is_one_of_its_own(void **state)
{
    int events = 0;

    (void)state;
    while (!strstr(event_name(events), "unknown")) {
        events++;
    }
    assert_in_range(events, PCV_EVENT_EXTENDED_BUSY + 1, 100);
    check_names(event_name, events);
    check_names(holder_name, PCV_HOLDERS);
    for (int i = 1; i < PCV_TYPES; i++) { /* the first is "unknown" itself */
        assert_string_not_equal(type_name(i), type_name(0));
    }
    assert_string_equal(type_name(PCV_TYPES), type_name(PCV_TYPE_UNKNOWN));
    assert_string_equal(type_name(PCV_TYPES + 9), type_name(PCV_TYPE_UNKNOWN));
}

/* ---- operations -----------------------------------------------------------
 */

static uintptr_t irq_save(void *ctx)
{
    (void)ctx;
    return 0;
}

/* PORT-1 */
static void a_port_with_half_a_pair_is_refused(void **state)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 1};
    struct pcv_host_ops ops[6];
    struct pcv_host *host = NULL;
    struct pcv_model *model;

    (void)state;
    model = pcv_test_model();
    pcv_test_ready(model);
    for (size_t i = 0; i < COUNT(ops); i++) {
        ops[i] = *pcv_model_ops();
    }
    ops[0].unmap = NULL;
    ops[1].irq_save = irq_save;
    ops[2].mmio_write = NULL;
    ops[3].mmio_read = NULL;
    ops[4].msi_bind = NULL;
    ops[5].msi_unbind = NULL;
    for (size_t i = 0; i < COUNT(ops); i++) {
        assert_int_equal(pcv_host_create(&ops[i], model, &config, &host),
                         -PCV_EINVAL);
    }
    assert_int_equal(pcv_host_create(pcv_model_ops(), model, &config, NULL),
                     -PCV_EINVAL);
    assert_null(host);
    assert_int_equal(pcv_model_bytes(model), 0);
    pcv_model_destroy(model);
}

/* PORT-1: one CPU is what every machine has. */
static void a_host_that_names_no_cpus_has_one(void **state)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 0};
    struct pcv_host *host;
    struct pcv_model *model;

    (void)state;
    model = pcv_test_model();
    pcv_test_ready(model);
    assert_int_equal(pcv_host_create(pcv_model_ops(), model, &config, &host),
                     0);
    assert_int_equal(host->mem.cpus, 1);
    assert_int_equal(pcv_host_destroy(host), 0);
    pcv_model_destroy(model);
}

/* PORT-1, TOPO-9: neither log, nor nodes, nor anybody to tell of bugs. */
static void a_host_may_lack_what_is_optional(void **state)
{
    struct hosted h;

    (void)state;
    tree_build(&h);
    h.ops.event = NULL;
    h.ops.node = NULL;
    h.ops.bug = NULL;
    h.ops.ecam_usable = NULL;
    hosted_start(&h);
    assert_true(hosted_scan(&h) > 4);
    assert_int_equal(hosted_info(&h, TREE_LEAF).node, PCV_NODE_NONE);
    assert_false(hosted_info(&h, TREE_LEAF).extended);
    pcv__bug(&h.host->mem, __FILE__, __LINE__, "nobody hears of it");
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    hosted_end(&h);
}

/* TOPO-9 */
static void a_list_of_nodes_needs_a_host_and_room(void **state)
{
    const pcv_sbdf leaf = TREE_LEAF;
    struct hosted h;
    uint32_t node = 0;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_device_nodes(NULL, &leaf, 1, &node), -PCV_EINVAL);
    assert_int_equal(pcv_device_nodes(h.host, NULL, 1, &node), -PCV_EINVAL);
    assert_int_equal(pcv_device_nodes(h.host, &leaf, 1, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_device_nodes(h.host, NULL, 0, NULL), 0);
    assert_int_equal(pcv_device_nodes(h.host, &leaf, 1, &node), 0);
    assert_int_not_equal(node, 0);
    hosted_end(&h);
}

/* ---- domains --------------------------------------------------------------
 */

/* OWN-1 */
static void every_domain_is_found_by_its_identifier(void **state)
{
    struct pcv_domain *guest, *other = NULL;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_domain_create(NULL, GUEST, &guest), -PCV_EINVAL);
    assert_int_equal(pcv_domain_create(h.host, GUEST, NULL), -PCV_EINVAL);
    assert_int_equal(
        pcv_domain_create(h.host, PCV_DOMAIN_ID_HYPERVISOR, &other),
        -PCV_EINVAL);
    assert_null(other);
    assert_int_equal(pcv_domain_destroy(NULL), -PCV_EINVAL);
    assert_int_equal(pcv_domain_create(h.host, GUEST, &guest), 0);
    assert_ptr_equal(pcv_domain_find(h.host, PCV_DOMAIN_ID_HARDWARE),
                     pcv_host_hardware_domain(h.host));
    assert_ptr_equal(pcv_domain_find(h.host, PCV_DOMAIN_ID_HYPERVISOR),
                     &h.host->hypervisor);
    assert_ptr_equal(pcv_domain_find(h.host, PCV_DOMAIN_ID_QUARANTINE),
                     &h.host->quarantine);
    assert_null(pcv_domain_find(h.host, GUEST - 1));
    assert_null(pcv_domain_find(h.host, GUEST + 1));
    assert_ptr_equal(pcv_domain_next(h.host, GUEST, true), guest);
    assert_ptr_equal(pcv_domain_next(h.host, GUEST - 1, false), guest);
    assert_null(pcv_domain_next(h.host, GUEST, false));
    hosted_end(&h);
}

/* A card with its MSI-X table in page 1 of 4, for a guest. */
static pcv_sbdf give_msix_card(struct hosted *h, struct pcv_domain **guest)
{
    struct pcv_test_function f;
    pcv_sbdf at;
    int error;

    hosted_build(h);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar32(&f, 0, 0xfe000000, 16384);
    (void)pcv_test_msix(&f, 4, 0, 0x1000, 0x1800);
    pcv_test_add(h->model, &f, CARD);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 1);
    assert_int_equal(pcv_domain_create(h->host, GUEST, guest), 0);
    assert_int_equal(pcv_domain_add_window(*guest, (pcv_gpa){WINDOW}, 0x100000),
                     0);
    do {
        error = pcv_device_assign(h->host, CARD, *guest, NULL, &at);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    return at;
}

static void put(struct pcv_domain *domain, pcv_sbdf at, uint16_t reg,
                uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    while (verdict == PCV_PENDING) {
        verdict = pcv_access_resume(domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* HDR-7: the page of the table is a hole in what is mapped. */
static void runs_of_mapped_pages_leave_out_what_is_trapped(void **state)
{
    const uint64_t page = WINDOW >> 12;
    struct pcv_mapping run = {0};
    struct pcv_domain *guest;
    struct hosted h;
    pcv_sbdf at;

    (void)state;
    at = give_msix_card(&h, &guest);
    assert_false(pcv_domain_next_mapping(guest, 0, &run));
    put(guest, at, PCV_REG_BAR0, 4, WINDOW);
    put(guest, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(pcv_domain_next_mapping(guest, 0, &run));
    assert_int_equal(run.first_page, page);
    assert_int_equal(run.pages, 1);
    assert_int_equal(run.users, 1);
    for (uint64_t from = page + 1; from <= page + 3; from++) {
        assert_true(pcv_domain_next_mapping(guest, from, &run));
        assert_int_equal(run.first_page + run.pages, page + 4);
        assert_in_range(run.first_page, page + 2, page + 3);
    }
    assert_false(pcv_domain_next_mapping(guest, page + 4, &run));
    hosted_end(&h);
}

/* HDR-7: nor is it mapped where another BAR wants the same page. */
static void a_page_that_one_bar_traps_is_mapped_for_no_other(void **state)
{
    const uint64_t page = 0xfe000000u >> 12;
    struct pcv_mapping run = {0};
    struct pcv_test_function f;
    struct pcv_domain *hardware;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    for (uint8_t i = 0; i < 2; i++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        pcv_test_bar32(&f, 0, 0xfe000000, 16384);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        if (i == 0) {
            (void)pcv_test_msix(&f, 4, 0, 0x1000, 0x1800);
        }
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1u + i, 0));
    }
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 2);
    hardware = pcv_host_hardware_domain(h.host);
    assert_true(pcv_domain_next_mapping(hardware, 0, &run));
    assert_int_equal(run.first_page, page);
    assert_int_equal(run.pages, 1);
    assert_true(pcv_domain_next_mapping(hardware, page + 1, &run));
    assert_int_equal(run.first_page, page + 2);
    assert_int_equal(run.pages, 2);
    assert_int_equal(run.users, 2);
    assert_false(pcv_domain_next_mapping(hardware, page + 4, &run));
    hosted_end(&h);
}

/* ---- devices that are not there any more ----------------------------------
 */

/* LIFE-5, LIFE-3 */
static void a_leaving_device_is_its_owners_no_more(void **state)
    PCV__NO_ANALYSIS
{
    struct pcv_domain *hardware;
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    tree_start(&h);
    hardware = pcv_host_hardware_domain(h.host);
    leaf = pcv_domain_device(hardware, TREE_LEAF);
    assert_non_null(leaf);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_null(pcv_domain_device(hardware, TREE_LEAF));
    assert_int_equal(pcv__gate_pause(leaf), -PCV_ENODEV);
    assert_int_equal(pcv__gate_close(leaf), -PCV_ENODEV);
    pcv_device_put(leaf);
    hosted_end(&h);
}

/* LIFE-3: a place that shows another device is nobody's. */
static void a_stale_place_lets_nobody_in(void **state)
{
    struct pcv_access access = PCV_READ(TREE_LEAF, PCV_REG_VENDOR, 4);
    _Atomic(struct pcv_device *) *place;
    struct pcv_domain *hardware;
    struct pcv_device *inside;
    struct hosted h;

    (void)state;
    tree_start(&h);
    hardware = pcv_host_hardware_domain(h.host);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    place = pcv__table_find_place(pcv__segment_find(h.host, 0), TREE_LEAF);
    atomic_store(place, pcv__table_peek(h.host, TREE_ENDPOINT));
    assert_int_equal(pcv_access(hardware, &access), PCV_ABSENT);
    assert_int_equal(access.data, 0xffffffff);
    assert_null(pcv_domain_device(hardware, TREE_LEAF));
    assert_int_equal(pcv__gate_enter(hardware, TREE_LEAF, &inside), PCV_ABSENT);
    assert_int_equal(hosted_status(&h, TREE_ENDPOINT).held[PCV_HOLDER_ACCESS],
                     0);
    assert_int_equal(hosted_status(&h, TREE_ENDPOINT).counters.reads, 0);
    atomic_store(place, NULL);
    hosted_end(&h);
}

/* CFG-8: nothing reaches a register that a device does not have. */
static void hardware_is_not_asked_for_extended_registers_in_vain(void **state)
{
    struct pcv_device *device;
    struct hosted h;
    uint64_t reads;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_ENDPOINT);
    reads = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read);
    assert_int_equal(pcv__hw_read(device, PCV_CFG_SIZE, 4), 0xffffffff);
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read), reads);
    pcv_device_put(device);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_one_of_its_own),
        cmocka_unit_test(a_port_with_half_a_pair_is_refused),
        cmocka_unit_test(a_host_that_names_no_cpus_has_one),
        cmocka_unit_test(a_host_may_lack_what_is_optional),
        cmocka_unit_test(a_list_of_nodes_needs_a_host_and_room),
        cmocka_unit_test(every_domain_is_found_by_its_identifier),
        cmocka_unit_test(runs_of_mapped_pages_leave_out_what_is_trapped),
        cmocka_unit_test(a_page_that_one_bar_traps_is_mapped_for_no_other),
        cmocka_unit_test(a_leaving_device_is_its_owners_no_more),
        cmocka_unit_test(a_stale_place_lets_nobody_in),
        cmocka_unit_test(hardware_is_not_asked_for_extended_registers_in_vain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
