/* SPDX-License-Identifier: MIT */
/*
 * What another CPU does in the middle of a change of owner, or of a removal: at
 * each point at which an operation holds no lock, one after the other, the host
 * lets a second thread do something, and waits for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "registry/internal.h"
#include "vfs_fixture.h"

#define GUEST 7u
#define OTHER 8u
#define WINDOW 0x80000000u
#define CARD pcv_test_at(0, 0, 3, 0)
#define CARD_2 pcv_test_at(0, 0, 4, 0)
#define CARD_BAR 0xfe000000u
#define SLOT 5u

static struct vfs world;
static struct pcv_host *host;
static struct pcv_domain *guest, *other;
static struct pcv_vector vector;
static int answer; /* what the other thread was answered */

/* ---- points ----------------------------------------------------------------
 */

static struct {
    void (*act)(void);
    unsigned at, count; /* the point at which it acts; how many there were */
} meddler;

static _Thread_local bool watched;
static _Thread_local unsigned locks;

static void *meddle(void *arg)
{
    (void)arg;
    meddler.act();
    return NULL;
}

static void point(void)
{
    pthread_t thread;

    if (!watched || locks != 0 || ++meddler.count != meddler.at) {
        return;
    }
    watched = false;
    assert_int_equal(pthread_create(&thread, NULL, meddle, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    watched = true;
}

static void *point_alloc(void *ctx, size_t size)
{
    point();
    return pcv_model_ops()->alloc(ctx, size);
}

static void point_free(void *ctx, void *ptr, size_t size)
{
    pcv_model_ops()->free(ctx, ptr, size);
    point();
}

static int point_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                      uint32_t *out_value)
{
    point();
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

static int point_attach(void *ctx, pcv_sbdf sbdf, uint32_t domain_id)
{
    point();
    return pcv_model_ops()->dma_attach(ctx, sbdf, domain_id);
}

static uintptr_t point_save(void *ctx)
{
    (void)ctx;
    point();
    locks++;
    return 0;
}

static void point_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    (void)flags;
    locks--;
    point();
}

/* ---- a machine -------------------------------------------------------------
 */

static void make_card(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    pcv_test_bar32(f, 0, CARD_BAR, 0x4000);
    pcv_test_set(f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    (void)pcv_test_msi(f, 0x80);
}

/* What vfs_fixture.h has, and two cards whose BARs are at one address. */
static void build(void)
{
    struct pcv_test_function f;
    struct pcv_scan scan = {0};

    memset(&world, 0, sizeof(world));
    rig_open(&world.rig);
    world.rig.ops.alloc = point_alloc;
    world.rig.ops.free = point_free;
    world.rig.ops.cfg_read = point_read;
    world.rig.ops.dma_attach = point_attach;
    world.rig.ops.irq_save = point_save;
    world.rig.ops.irq_restore = point_restore;
    make_card(&f);
    pcv_test_add(world.rig.model, &f, CARD);
    pcv_test_add(world.rig.model, &f, CARD_2);
    vfs_make_pf(&world, &f);
    vfs_build(&world, &f);
    rig_create(&world.rig);
    host = world.rig.host;
    pcv_test_write(world.rig.model, VFS_PF,
                   (uint16_t)(world.cap + PCV_SRIOV_NUM_VFS), 2, 2);
    assert_int_equal(pcv_host_scan(host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(pcv_domain_create(host, GUEST, &guest), 0);
    assert_int_equal(pcv_domain_create(host, OTHER, &other), 0);
    assert_int_equal(pcv_domain_add_window(guest, (pcv_gpa){WINDOW}, 0x1000000),
                     0);
    assert_int_equal(pcv_domain_add_window(other, (pcv_gpa){WINDOW}, 0x1000000),
                     0);
}

static int give(pcv_sbdf sbdf, struct pcv_domain *domain, uint8_t fn)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_SLOT,
                                             .slot = pcv_devfn(SLOT, fn)};
    int error = -PCV_ERESTART;

    for (int i = 0; i < 20 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(host, sbdf, domain, &policy, NULL);
    }
    return error;
}

static int take(pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 20 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(host, sbdf);
    }
    return error;
}

/*
 * Do `act` with `meddling` at each of its points; `before` makes the machine
 * ready, and `after` looks at what became of it.
 */
static void at_each_point(void (*before)(void), void (*act)(void),
                          void (*meddling)(void), void (*after)(void))
{
    meddler.act = meddling;
    meddler.at = 0;
    do {
        meddler.at++;
        meddler.count = 0;
        build();
        before();
        watched = true;
        act();
        watched = false;
        after();
        rig_close(&world.rig);
    } while (meddler.count >= meddler.at);
    assert_true(meddler.at > 3);
}

/* ---- what is done ----------------------------------------------------------
 */

static void nothing(void)
{
}

static void give_card(void)
{
    (void)give(CARD, guest, 0);
}

static void give_card_2_beside(void)
{
    assert_int_equal(give(CARD_2, guest, 1), 0);
}

static void give_both(void)
{
    give_card();
    give_card_2_beside();
}

static void take_card(void)
{
    (void)take(CARD);
}

static void look(void)
{
    struct pcv_device *device = pcv_device_find(host, CARD);
    struct pcv_bar_view bars[PCV_BARS];
    struct pcv_register_info reg;
    struct pcv_bound_vector bound;

    if (device) {
        pcv_device_bars(device, bars);
        (void)pcv_device_next_vector(device, false, 0, &bound);
        for (uint16_t at = 0;
             at < PCV_CFG_SIZE && pcv_register_next(device, at, &reg);) {
            at = (uint16_t)(reg.offset + reg.size);
        }
    }
    pcv_device_put(device);
}

static void add_again(void)
{
    answer = pcv_device_add(host, CARD, NULL);
}

/* OWN-5, LIFE-3: what its owner sees may be looked at with a reference while it
 * is torn down and built. */
static void a_view_can_be_looked_at_while_it_changes(void **state)
{
    (void)state;
    at_each_point(nothing, give_card, look, nothing);
    at_each_point(give_card, take_card, look, nothing);
}

/* LIFE-7, OWN-5 */
static void a_device_can_be_added_again_while_its_owner_changes(void **state)
{
    (void)state;
    at_each_point(nothing, give_card, add_again, nothing);
    at_each_point(give_card, take_card, add_again, nothing);
}

/* A change that fails leaves no view. */
static void lose_card_2(void)
{
    pcv_model_fail(world.rig.model, PCV_MODEL_OP_alloc, 1);
    answer = pcv_device_deassign(host, CARD_2);
    pcv_model_fail(world.rig.model, PCV_MODEL_OP_alloc, 0);
}

/* HDR-15, OWN-5 */
static void functions_of_a_slot_can_go_while_they_are_told(void **state)
{
    (void)state;
    at_each_point(give_card_2_beside, give_card, lose_card_2, nothing);
    at_each_point(give_both, take_card, lose_card_2, nothing);
}

static void end_guest(void)
{
    if (guest && pcv_domain_destroy(guest) == 0) {
        guest = NULL;
    }
}

static void guest_ended(void)
{
    assert_int_equal(rig_status(&world.rig, CARD).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
}

/* OWN-6: a guest may end as soon as it owns nothing. */
static void a_guest_can_end_while_its_last_device_leaves(void **state)
{
    (void)state;
    at_each_point(give_card, take_card, end_guest, guest_ended);
}

/* What the hardware domain's driver does. */
static void attach(void)
{
    struct pcv_device *device =
        pcv_device_find_owned(pcv_host_hardware_domain(host), CARD);

    answer =
        device ? pcv_vector_attach(device, &vector, false, 0) : -PCV_ENODEV;
    pcv_device_put(device);
}

static void not_both(void)
{
    struct pcv_device_status status = rig_status(&world.rig, CARD);

    if (answer == 0) {
        assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
        if (vector.device) {
            pcv_vector_detach(&vector);
        }
    }
    answer = -PCV_ENODEV;
}

/* OWN-4, LIFE-8 */
static void a_vector_is_held_or_the_device_is_given(void **state)
{
    (void)state;
    answer = -PCV_ENODEV;
    at_each_point(nothing, give_card, attach, not_both);
}

static void give_vf(void)
{
    (void)give(vfs_at(0), guest, 0);
}

static bool went; /* the VF, from under somebody who changed its owner */

static void pull_pf(void)
{
    struct pcv_device *vf = pcv_device_find(host, vfs_at(0));
    struct pcv_device_status status = {0};
    bool changing = vf && vf->changing;

    answer = pcv_device_vanished(host, VFS_PF);
    answer = pcv_device_remove(host, VFS_PF, NULL, NULL);
    (void)pcv_device_status(host, vfs_at(0), &status);
    went = went || (changing && status.state != PCV_STATE_PRESENT);
    pcv_device_put(vf);
}

static void pf_goes(void)
{
    int error = pcv_device_remove(host, VFS_PF, NULL, NULL);

    assert_true(error == 0 || error == -PCV_ENODEV || answer == -PCV_ENODEV);
    assert_false(went);
    if (answer != -PCV_ENODEV) {
        assert_int_equal(rig_status(&world.rig, vfs_at(0)).state,
                         PCV_STATE_ABSENT);
        assert_int_equal(pcv_domain_destroy(guest), 0);
    }
    answer = -PCV_ENODEV;
}

/* LIFE-9, OWN-5: a vanished PF takes its VFs along, but for the moment in which
 * somebody changes their owner. */
static void a_pf_that_vanishes_waits_for_a_change_of_its_vf(void **state)
{
    (void)state;
    answer = -PCV_ENODEV;
    at_each_point(nothing, give_vf, pull_pf, pf_goes);
}

static void renumber(void)
{
    struct pcv_access access = PCV_WRITE(VFS_PORT, PCV_REG_PRIMARY, 4, 0x30100);

    while (pcv_access(world.rig.dom0, &access) == PCV_PENDING &&
           pcv_access_resume(world.rig.dom0, &access) == PCV_PENDING) {
    }
}

static void remove_port(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        answer = pcv_device_remove(host, vfs_at(i), NULL, NULL);
    }
    answer = pcv_device_remove(host, VFS_PORT, NULL, NULL);
}

static void no_work(void)
{
    assert_int_equal(atomic_load(&host->renumber_count), 0);
}

/* LIFE-6, HDR-13: a removal leaves nothing to be done behind. */
static void a_bridge_that_is_written_while_it_goes_asks_for_nothing(
    void **state)
{
    (void)state;
    at_each_point(nothing, renumber, remove_port, no_work);
}

static void give_card_2_to_other(void)
{
    (void)give(CARD_2, other, 0);
}

static void map_for(struct pcv_domain *domain)
{
    const pcv_sbdf at = {pcv_devfn(SLOT, 0)};
    struct pcv_access bar = PCV_WRITE(at, PCV_REG_BAR0, 4, WINDOW);
    struct pcv_access command =
        PCV_WRITE(at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);

    (void)vfs_access(domain, &bar);
    (void)vfs_access(domain, &command);
}

static void not_shared(void)
{
    map_for(guest);
    map_for(other);
    assert_false(pcv_model_is_mapped(world.rig.model, GUEST, WINDOW >> 12) &&
                 pcv_model_is_mapped(world.rig.model, OTHER, WINDOW >> 12));
}

/* HDR-8: two cards at one address that go to two guests at a time. */
static void two_guests_never_share_a_page(void **state)
{
    (void)state;
    at_each_point(nothing, give_card, give_card_2_to_other, not_shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_can_be_looked_at_while_it_changes),
        cmocka_unit_test(a_device_can_be_added_again_while_its_owner_changes),
        cmocka_unit_test(functions_of_a_slot_can_go_while_they_are_told),
        cmocka_unit_test(a_guest_can_end_while_its_last_device_leaves),
        cmocka_unit_test(a_vector_is_held_or_the_device_is_given),
        cmocka_unit_test(a_pf_that_vanishes_waits_for_a_change_of_its_vf),
        cmocka_unit_test(
            a_bridge_that_is_written_while_it_goes_asks_for_nothing),
        cmocka_unit_test(two_guests_never_share_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
