/* SPDX-License-Identifier: MIT */
/* VFs that come and go on one CPU while others look at them. */
#include "vfs_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ROUNDS 60u
#define LOOKERS 2u

struct shared {
    struct vfs v;
    _Atomic bool stop;
};

/* There may be fewer CPUs than threads, and locks are taken in order. */
static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

/* A driver on another CPU: whatever it meets, its accesses end. */
static void *look(void *arg)
{
    struct shared *shared = arg;
    struct vfs *v = &shared->v;
    uint32_t n = 0;

    while (!atomic_load(&shared->stop)) {
        pcv_sbdf at = vfs_at(n++ % 4);

        (void)vfs_read_as(v->rig.dom0, at, PCV_REG_REVISION, 4);
        vfs_write_as_is(v->rig.dom0, at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        (void)vfs_get(v, PCV_SRIOV_CTRL, 2);
        if (n % 8 == 0) {
            vfs_write_as_is(v->rig.dom0, VFS_PF,
                            (uint16_t)(v->cap + PCV_SRIOV_BAR), 4,
                            n % 16 == 0 ? 0xe8000000u : (uint32_t)VFS_BAR0);
        }
    }
    return NULL;
}

/* A host with a timer, and an administrator who reports VFs as well. */
static void *work(void *arg)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = VFS_PF};
    struct shared *shared = arg;
    struct pcv_host *host = shared->v.rig.host;
    uint32_t n = 0;

    while (!atomic_load(&shared->stop)) {
        uint64_t wait;

        /* Whatever they answer: the VF may come or go at this moment. */
        int errors[] = {
            pcv_host_work(host, &wait),
            pcv_device_add(host, vfs_at(n % 4), &info),
            pcv_device_remove(host, vfs_at(n % 4), NULL, NULL),
        };

        (void)errors;
        n++;
    }
    return NULL;
}

/* SRIOV-1, LIFE-11 */
static void vfs_come_and_go_beside_everything_else(void **state)
{
    static struct shared shared;
    pthread_t thread[LOOKERS + 1];
    struct pcv_test_function pf;
    struct vfs *v = &shared.v;

    (void)state;
    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    v->rig.ops.relax = relax;
    vfs_make_pf(v, &pf);
    vfs_build(v, &pf);
    vfs_boot(v);
    pcv_model_watch(v->rig.model, NULL, NULL);
    pcv_model_on_event(v->rig.model, NULL, NULL);
    pcv_model_set_clock(v->rig.model, false);
    for (uint32_t i = 0; i < LOOKERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, look, &shared), 0);
    }
    assert_int_equal(pthread_create(&thread[LOOKERS], NULL, work, &shared), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        vfs_set(v, PCV_SRIOV_NUM_VFS, 2, 1 + i % 4);
        vfs_set(v, PCV_SRIOV_CTRL, 2, VFS_ON);
        vfs_set(v, PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_VFE);
        vfs_set(v, PCV_SRIOV_CTRL, 2, VFS_ON);
        vfs_set(v, PCV_SRIOV_CTRL, 2, 0);
    }
    atomic_store(&shared.stop, true);
    for (uint32_t i = 0; i <= LOOKERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    vfs_set(v, PCV_SRIOV_CTRL, 2, 0);
    vfs_work(v);
    assert_int_equal(vfs_peek(v, PCV_SRIOV_CTRL, 2), 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(vfs_there(v, i));
    }
    assert_int_equal(pcv_model_mapped_pages(v->rig.model), 4);
    vfs_close(v);
}

/* ---- beside bus numbers
 * ------------------------------------------------------
 */

static bool met;
static int worked;

static void *have_vfs_appear(void *arg)
{
    struct vfs *v = arg;
    uint64_t wait;

    pcv_model_advance_us(v->rig.model, VFS_READY_US);
    worked = pcv_host_work(v->rig.host, &wait);
    return NULL;
}

static void before_the_write(void *arg, const struct pcv_model_cfg *access)
{
    pthread_t thread;

    if (access->write && access->sbdf.v == VFS_PORT.v && !met) {
        met = true;
        assert_int_equal(pthread_create(&thread, NULL, have_vfs_appear, arg),
                         0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

/* SRIOV-1, TOPO-4, LIFE-11: nothing is added in that moment, but they come. */
static void vfs_whose_time_comes_while_bus_numbers_move_come_later(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 4);
    vfs_set(&v, PCV_SRIOV_CTRL, 2, VFS_ON);
    pcv_model_watch(v.rig.model, before_the_write, &v);
    vfs_write_as(v.rig.dom0, VFS_PORT, PCV_REG_SUBORDINATE, 1, 3);
    pcv_model_watch(v.rig.model, NULL, NULL);
    assert_true(met);
    assert_int_equal(worked, -PCV_ERESTART);
    vfs_work(&v);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(vfs_there(&v, i));
    }
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_VF_FAILED), 0);
    vfs_set(&v, PCV_SRIOV_CTRL, 2, 0);
    vfs_work(&v);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            vfs_whose_time_comes_while_bus_numbers_move_come_later),
        cmocka_unit_test(vfs_come_and_go_beside_everything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
