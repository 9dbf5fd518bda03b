/* SPDX-License-Identifier: MIT */
/*
 * The extended capabilities of a made-up function (PCI Express Base 6.0,
 * 7.7.8, 7.8.3, 7.8.4, 9.3.3).
 */
#include "generate_bytes.h"

#include "pcivisor/regs.h"

/* Append an extended capability; returns its offset. */
static unsigned add(struct pcv__gen_bytes *b, uint16_t id, unsigned version,
                    unsigned size)
{
    unsigned at = b->ext_next;

    if (b->ext != 0) {
        pcv__gen_put16(b, b->ext + 2, (b->config[b->ext + 2] & 0xfu) | at << 4);
    }
    pcv__gen_put16(b, at, id);
    pcv__gen_put16(b, at + 2, version);
    b->ext = at;
    b->ext_next = at + ((size + 3) & ~3u);
    return at;
}

static void add_aer(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_EXT_CAP_ID_AER, 2, 0x48);

    pcv__gen_put32(b, at + 0x0c, 0x00062030); /* severities */
    pcv__gen_put32(b, at + 0x14, 0x00002000); /* advisory errors are masked */
    pcv__gen_put32(b, at + 0x18, 0x000000a0); /* ECRC can be had */
    if (b->fn->vf) {
        pcv__gen_put32(b, at + 0x0c, 0); /* the PF's count */
        pcv__gen_put32(b, at + 0x14, 0);
    }
}

/* The functions of a device share their serial number. */
static void add_serial(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_EXT_CAP_ID_DSN, 1, 12);
    uint64_t state = b->plan->spec->seed ^
                     ((uint64_t)b->plan->segment << 16 | (b->rid & ~7u)) << 8;
    uint64_t serial = pcv__gen_random(&state);

    pcv__gen_put32(b, at + 4, (uint32_t)serial);
    pcv__gen_put32(b, at + 8, (uint32_t)(serial >> 32));
}

/* A PF's device lists its own functions; VFs are in no list. */
static void add_ari(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_EXT_CAP_ID_ARI, 1, 8);
    uint32_t next = (b->rid & 0xffu) + 1;
    bool follows =
        next < PCV_FUNCTIONS && b->plan->fn[b->rid + 1u].role != PCV__GEN_NONE;

    pcv__gen_put16(b, at + PCV_ARI_CAP, !b->fn->vf && follows ? next << 8 : 0);
}

static void add_sriov(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_EXT_CAP_ID_SRIOV, 1, 0x40);
    uint32_t vfs = b->plan->shape->vfs;
    uint64_t address = b->fn->at[PCV__GEN_VF_BAR];
    uint32_t low = PCV_BAR_TYPE_64 | PCV_BAR_PREFETCH;

    pcv__gen_put32(b, at + 4, 0x2); /* the ARI hierarchy bit survives */
    pcv__gen_put16(b, at + PCV_SRIOV_CTRL,
                   PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_ARI |
                       (address != 0 ? PCV_SRIOV_CTRL_MSE : 0));
    pcv__gen_put16(b, at + PCV_SRIOV_INITIAL_VFS, vfs);
    pcv__gen_put16(b, at + PCV_SRIOV_TOTAL_VFS, vfs);
    pcv__gen_put16(b, at + PCV_SRIOV_NUM_VFS, vfs);
    pcv__gen_put16(b, at + PCV_SRIOV_OFFSET, PCV__GEN_FIRST_VF);
    pcv__gen_put16(b, at + PCV_SRIOV_STRIDE, 1);
    pcv__gen_put16(b, at + PCV_SRIOV_VF_DEVICE, b->kind->vf_device);
    pcv__gen_put32(b, at + 0x1c, 0x553); /* pages of 4K to 4M */
    pcv__gen_put32(b, at + PCV_SRIOV_PAGE_SIZE, 1);
    pcv__gen_put32(b, at + PCV_SRIOV_BAR, (uint32_t)address | low);
    pcv__gen_put32(b, at + PCV_SRIOV_BAR + 4, (uint32_t)(address >> 32));
}

/* All that isolates, and on: what is behind the port is a group of its own. */
static void add_acs(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_EXT_CAP_ID_ACS, 1, 8);

    pcv__gen_put16(b, at + 4, 0x005f);
    pcv__gen_put16(b, at + 6, 0x001d);
}

void pcv__gen_ext_capabilities(struct pcv__gen_bytes *b)
{
    enum pcv__gen_role role = (enum pcv__gen_role)b->fn->role;

    add_aer(b);
    if (role == PCV__GEN_ENDPOINT && !b->fn->vf) {
        add_serial(b);
    }
    if (b->plan->bus[b->rid >> 8].sriov) {
        add_ari(b);
    }
    if (b->fn->pf) {
        add_sriov(b);
    }
    if (role == PCV__GEN_ROOT_PORT || role == PCV__GEN_DOWNSTREAM) {
        add_acs(b);
    }
}
