/* SPDX-License-Identifier: MIT */
/*
 * What one CPU does while another is between two steps. A port is called all
 * the time: for a lock's interrupts, for a register, for memory. At each such
 * moment of one operation at which no lock is held, another operation is done
 * from beginning to end, as on another CPU; and whatever both answer, the end
 * is sound.
 */
#include "vfs_fixture.h"

#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CTRL PCV_SRIOV_CTRL

static struct {
    struct vfs *v;
    void (*act)(struct vfs *v);
    uint64_t at, met; /* the moment when; moments so far */
    unsigned depth;   /* locks that are held */
    bool on;
    unsigned bugs;
} beside;

static void moment(void)
{
    if (beside.on && beside.depth == 0 && ++beside.met == beside.at) {
        beside.on = false;
        beside.act(beside.v);
    }
}

static uintptr_t irq_save(void *ctx)
{
    (void)ctx;
    moment();
    return beside.depth++;
}

static void irq_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    beside.depth = (unsigned)flags;
    moment();
}

static int cfg_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                    uint32_t *out)
{
    moment();
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out);
}

static int cfg_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                     uint32_t value)
{
    moment();
    return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

static int dma_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    moment();
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

static void *alloc(void *ctx, size_t size)
{
    moment();
    return pcv_model_ops()->alloc(ctx, size);
}

static void bug(void *ctx, const char *file, int line, const char *what)
{
    (void)ctx;
    print_error("%s:%d: %s\n", file, line, what);
    beside.bugs++;
}

/* ---- operations -----------------------------------------------------------
 */

static int ignored; /* whatever is answered: the other one may have won */

static void scan(struct vfs *v)
{
    struct pcv_scan progress = {0};

    ignored = pcv_host_scan(v->rig.host, &progress, 0);
}

static void add_pf(struct vfs *v)
{
    ignored = pcv_device_add(v->rig.host, VFS_PF, NULL);
}

static void add_vf(struct vfs *v)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = VFS_PF};

    ignored = pcv_device_add(v->rig.host, vfs_at(0), &info);
}

static void remove_vf(struct vfs *v)
{
    ignored = pcv_device_remove(v->rig.host, vfs_at(0), NULL, NULL);
}

static void remove_port(struct vfs *v)
{
    ignored = pcv_device_remove(v->rig.host, VFS_PORT, NULL, NULL);
}

static void vanish_pf(struct vfs *v)
{
    ignored = pcv_device_vanished(v->rig.host, VFS_PF);
    ignored = pcv_device_remove(v->rig.host, VFS_PF, NULL, NULL);
}

static void vanish_port(struct vfs *v)
{
    ignored = pcv_device_vanished(v->rig.host, VFS_PORT);
    ignored = pcv_device_remove(v->rig.host, VFS_PORT, NULL, NULL);
}

static void give_vf(struct vfs *v)
{
    ignored = -PCV_ERESTART;
    for (unsigned i = 0; i < 10 && ignored == -PCV_ERESTART; i++) {
        ignored = pcv_device_assign(v->rig.host, vfs_at(0), v->guest, NULL,
                                    &v->given);
        pcv_model_advance_us(v->rig.model, VFS_READY_US);
    }
}

static void take_vf(struct vfs *v)
{
    ignored = -PCV_ERESTART;
    for (unsigned i = 0; i < 10 && ignored == -PCV_ERESTART; i++) {
        ignored = pcv_device_deassign(v->rig.host, vfs_at(0));
        pcv_model_advance_us(v->rig.model, VFS_READY_US);
    }
}

/* A guest has it, or is about to. */
static void give_and_take_vf(struct vfs *v)
{
    give_vf(v);
    take_vf(v);
}

static void restore_vf(struct vfs *v)
{
    ignored = pcv_device_restore(v->rig.host, vfs_at(0));
}

static void lose_extended(struct vfs *v)
{
    ignored = pcv_host_set_ecam(v->rig.host, 0, 1, 1, false, NULL);
}

static void get_extended(struct vfs *v)
{
    ignored = pcv_host_set_ecam(v->rig.host, 0, 1, 1, true, NULL);
}

static void work(struct vfs *v)
{
    uint64_t wait;

    ignored = pcv_host_work(v->rig.host, &wait);
}

/* A vCPU that is told to wait too long does so for ever. */
static void put(struct vfs *v, uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access =
        PCV_WRITE(VFS_PF, (uint16_t)(v->cap + reg), size, value);
    enum pcv_verdict verdict = pcv_access(v->rig.dom0, &access);

    for (unsigned i = 0; i < 50 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(v->rig.dom0, &access);
    }
}

static void enable(struct vfs *v)
{
    put(v, PCV_SRIOV_NUM_VFS, 2, 2);
    put(v, CTRL, 2, VFS_ON);
    pcv_model_advance_us(v->rig.model, VFS_READY_US);
    work(v);
}

static void disable(struct vfs *v)
{
    put(v, CTRL, 2, 0);
}

static void unmap_all(struct vfs *v)
{
    put(v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
}

static void move_all(struct vfs *v)
{
    put(v, PCV_SRIOV_BAR, 4, 0xe8000000u);
}

static void read_vf(struct vfs *v)
{
    struct pcv_access access = PCV_READ(vfs_at(1), PCV_REG_VENDOR, 4);

    if (pcv_access(v->rig.dom0, &access) == PCV_PENDING) {
        ignored = (int)pcv_access_resume(v->rig.dom0, &access);
    }
}

static void reset_pf(struct vfs *v)
{
    struct pcv_access access =
        PCV_WRITE(VFS_PF, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);

    ignored = (int)pcv_access(v->rig.dom0, &access);
}

typedef void operation(struct vfs *v);

/* ---- any two of them ------------------------------------------------------
 */

static void open(struct vfs *v, bool enabled)
{
    struct pcv_test_function pf;

    memset(v, 0, sizeof(*v));
    memset(&beside, 0, sizeof(beside));
    beside.v = v;
    rig_open(&v->rig);
    v->rig.ops.irq_save = irq_save;
    v->rig.ops.irq_restore = irq_restore;
    v->rig.ops.cfg_read = cfg_read;
    v->rig.ops.cfg_write = cfg_write;
    v->rig.ops.dma_attach = dma_attach;
    v->rig.ops.alloc = alloc;
    v->rig.ops.bug = bug;
    vfs_make_pf(v, &pf);
    vfs_build(v, &pf);
    vfs_boot(v);
    assert_int_equal(pcv_domain_create(v->rig.host, VFS_GUEST, &v->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(v->guest, (pcv_gpa){VFS_WINDOW}, 0x10000000u), 0);
    if (enabled) {
        vfs_enable(v, 2, VFS_ON);
        vfs_work(v);
    }
}

/* Nobody's DMA goes where it does not belong. */
static void dma_is_its_owners(struct vfs *v, pcv_sbdf sbdf)
{
    struct pcv_device_status status = rig_status(&v->rig, sbdf);

    if (status.state == PCV_STATE_PRESENT) {
        assert_int_equal(pcv_model_dma_domain(v->rig.model, sbdf),
                         status.owner_id);
    }
}

static void end(struct vfs *v)
{
    struct pcv_device_status pf;

    pcv_model_advance_us(v->rig.model, VFS_READY_US);
    vfs_work(v);
    pf = rig_status(&v->rig, VFS_PF);
    dma_is_its_owners(v, VFS_PF);
    for (uint32_t i = 0; i < 2; i++) {
        dma_is_its_owners(v, vfs_at(i));
        /* A VF is never there without its PF, but for one in use. */
        if (pf.state == PCV_STATE_ABSENT) {
            assert_false(vfs_there(v, i));
        }
    }
    assert_int_equal(beside.depth, 0);
    assert_int_equal(beside.bugs, 0);
    rig_close(&v->rig); /* and nothing is left */
}

/* All moments at first, then ever fewer of them: a scan has thousands. */
static uint64_t next_moment(uint64_t n)
{
    return n < 16 ? n + 1 : n + n / 6;
}

static uint64_t any_moment(operation *first, operation *second, bool enabled)
{
    uint64_t moments = 0;
    struct vfs v;

    for (uint64_t n = 1;; n = next_moment(n)) {
        open(&v, enabled);
        beside.act = second;
        beside.at = n;
        beside.on = true;
        first(&v);
        moments = beside.met;
        beside.on = false;
        end(&v);
        if (moments < n) {
            return moments;
        }
    }
}

static void all(operation *const *first, size_t firsts,
                operation *const *second, size_t seconds, bool enabled)
{
    for (size_t i = 0; i < firsts; i++) {
        for (size_t j = 0; j < seconds; j++) {
            assert_true(any_moment(first[i], second[j], enabled) > 0);
        }
    }
}

/* SRIOV-1, LIFE-5, LIFE-9 */
static void beside_vfs_that_come_anything_may_happen(void **state)
{
    static operation *const first[] = {enable, add_pf, scan};
    static operation *const second[] = {
        remove_port, vanish_pf, vanish_port, add_vf, disable, move_all,
        read_vf,     reset_pf,  scan,        work,   give_vf, lose_extended};

    (void)state;
    all(first, COUNT(first), second, COUNT(second), false);
}

/* SRIOV-1, LIFE-5, LIFE-9, OWN-15 */
static void beside_vfs_that_go_or_move_anything_may_happen(void **state)
{
    static operation *const first[] = {disable,  unmap_all, move_all,
                                       reset_pf, vanish_pf, remove_vf};
    static operation *const second[] = {remove_vf, vanish_pf, vanish_port,
                                        add_vf,    give_vf,   unmap_all,
                                        work,      scan,      lose_extended};

    (void)state;
    all(first, COUNT(first), second, COUNT(second), true);
}

/* OWN-5, LIFE-5, EXT-2 */
static void beside_a_change_of_owner_anything_may_happen(void **state)
{
    static operation *const first[] = {give_and_take_vf, restore_vf,
                                       lose_extended, get_extended};
    static operation *const second[] = {
        vanish_pf, vanish_port, remove_vf, remove_port, add_vf,      disable,
        reset_pf,  give_vf,     take_vf,   move_all,    get_extended};

    (void)state;
    all(first, COUNT(first), second, COUNT(second), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_vfs_that_come_anything_may_happen),
        cmocka_unit_test(beside_vfs_that_go_or_move_anything_may_happen),
        cmocka_unit_test(beside_a_change_of_owner_anything_may_happen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
