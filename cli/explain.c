/* SPDX-License-Identifier: MIT */
/* Why a guest reads something else than hardware holds. */
#include "explain.h"

#include <string.h>

#include "pcivisor/regs.h"

/* ---- taking -------------------------------------------------------------- */

static uint32_t source_read(void *ctx, uint16_t reg, uint8_t size)
{
    return space_read(ctx, reg, size);
}

static void caps_take(struct space *space, struct view_caps *out_caps)
{
    struct pcv_cap_source source = {source_read, space};

    memset(out_caps, 0, sizeof(*out_caps));
    out_caps->count = pcv_caps_walk(&source, out_caps->cap, PCV_CAPS_MAX,
                                    &out_caps->problems);
    if (space->size == PCV_CFG_EXT_SIZE) {
        out_caps->count +=
            pcv_ext_caps_walk(&source, out_caps->cap + out_caps->count,
                              PCV_EXT_CAPS_MAX, &out_caps->ext_problems);
    }
}

bool explain_take(struct explain *explain, struct machine *machine,
                  pcv_sbdf sbdf, struct pcv_domain *guest)
{
    struct pcv_device_info info;
    struct pcv_device *device = pcv_device_find(machine->host, sbdf);

    if (device == NULL) {
        return false;
    }
    pcv_device_get_info(device, &info);
    pcv_device_bars(device, explain->seen);
    explain->own = pcv_device_guest_sbdf(device);
    pcv_device_put(device);
    memcpy(explain->bar, info.bar, sizeof(explain->bar));
    explain->is_vf = info.is_vf;
    explain->guest = (struct view){machine, guest, VIEW_ADDRESS, 0};
    space_take(&explain->after, machine, sbdf);
    caps_take(&explain->before, &explain->has);
    view_caps_read(&explain->guest, explain->own, info.extended,
                   &explain->shown);
    return true;
}

/* ---- capabilities -------------------------------------------------------- */

/* Bytes of capabilities that have a length of their own (PCI Local Bus 3.0,
 * chapter 6; PCI Express Base 6.0, chapter 7). */
static const struct {
    uint16_t id;
    bool extended;
    uint16_t bytes;
} cap_length[] = {
    {PCV_CAP_ID_PM, false, 0x08},       {PCV_CAP_ID_VPD, false, 0x08},
    {PCV_CAP_ID_SLOT, false, 0x04},     {PCV_CAP_ID_HOTSWAP, false, 0x04},
    {PCV_CAP_ID_PCIX, false, 0x18},     {PCV_CAP_ID_SHPC, false, 0x08},
    {PCV_CAP_ID_SSVID, false, 0x08},    {PCV_CAP_ID_PCIE, false, 0x3c},
    {PCV_CAP_ID_MSI, false, 0x18},      {PCV_CAP_ID_MSIX, false, 0x0c},
    {PCV_CAP_ID_SATA, false, 0x08},     {PCV_CAP_ID_AF, false, 0x06},
    {PCV_EXT_CAP_ID_AER, true, 0x48},   {PCV_EXT_CAP_ID_DSN, true, 0x0c},
    {PCV_EXT_CAP_ID_ACS, true, 0x08},   {PCV_EXT_CAP_ID_ARI, true, 0x08},
    {PCV_EXT_CAP_ID_ATS, true, 0x08},   {PCV_EXT_CAP_ID_SRIOV, true, 0x40},
    {PCV_EXT_CAP_ID_PRI, true, 0x10},   {PCV_EXT_CAP_ID_LTR, true, 0x08},
    {PCV_EXT_CAP_ID_PASID, true, 0x08}, {PCV_EXT_CAP_ID_L1SS, true, 0x14},
    {PCV_EXT_CAP_ID_REBAR, true, 0x34}, {PCV_EXT_CAP_ID_VF_REBAR, true, 0x34},
};

/* How far a capability reaches at most: others may follow earlier. */
static uint32_t cap_bytes(const struct space *space, const struct pcv_cap *cap)
{
    if (!cap->extended && cap->id == PCV_CAP_ID_VENDOR) {
        return space_read(space, (uint16_t)(cap->offset + 2u), 1);
    }
    for (size_t i = 0; i < sizeof(cap_length) / sizeof(cap_length[0]); i++) {
        if (cap_length[i].id == cap->id &&
            cap_length[i].extended == cap->extended) {
            return cap_length[i].bytes;
        }
    }
    return PCV_CFG_EXT_SIZE;
}

/* The capability of hardware that a byte belongs to: the nearest one in front
 * of it, as far as it reaches; NULL. */
static const struct pcv_cap *cap_around(const struct explain *explain,
                                        uint16_t reg)
{
    const struct pcv_cap *nearest = NULL;
    bool extended = reg >= PCV_EXT_CAP_START;

    for (size_t i = 0; i < explain->has.count; i++) {
        const struct pcv_cap *cap = &explain->has.cap[i];
        if (cap->extended == extended && cap->offset <= reg &&
            (nearest == NULL || cap->offset > nearest->offset)) {
            nearest = cap;
        }
    }
    if (nearest == NULL || (uint32_t)(reg - nearest->offset) >=
                               cap_bytes(&explain->before, nearest)) {
        return NULL;
    }
    return nearest;
}

static bool is_shown(const struct explain *explain, const struct pcv_cap *cap)
{
    for (size_t i = 0; i < explain->shown.count; i++) {
        if (explain->shown.cap[i].offset == cap->offset &&
            explain->shown.cap[i].id == cap->id) {
            return true;
        }
    }
    return false;
}

static void add_cap(struct text *text, const struct pcv_cap *cap)
{
    const char *name = pcv_cap_name(cap->id, cap->extended);

    if (name != NULL) {
        text_add(text, "%s", name);
    } else {
        text_add(text, "capability %0*x", cap->extended ? 4 : 2, cap->id);
    }
}

bool explain_place(const struct explain *explain, uint16_t reg,
                   struct text *text)
{
    const struct pcv_cap *cap = cap_around(explain, reg);

    if (reg == PCV_REG_ROM0) {
        text_add(text, "Expansion ROM");
        return true;
    }
    if (cap == NULL) {
        return false;
    }
    add_cap(text, cap);
    if (reg != cap->offset) {
        text_add(text, "+%x", (unsigned)(reg - cap->offset));
    }
    return true;
}

/* ---- reasons ------------------------------------------------------------- */

/* Where the reasons go, and which bits have none yet. */
struct reasons {
    void (*fn)(void *arg, uint32_t mask, const char *words);
    void *arg;
    uint32_t left;
};

static void reason_add(struct reasons *reasons, uint32_t mask,
                       const char *words)
{
    mask &= reasons->left;
    if (mask != 0) {
        reasons->fn(reasons->arg, mask, words);
        reasons->left &= ~mask;
    }
}

/* Whose bits a guest's header has in a way of its own. */
static const struct {
    uint16_t offset;
    uint32_t mask;
    const char *words;
} header_reason[] = {
    {PCV_REG_STATUS, PCV_STATUS_CAPS, "whether the guest has a list"},
    {PCV_REG_HEADER_TYPE, PCV_HEADER_MULTI,
     "whether its slot on the guest's bus has more functions"},
    {PCV_REG_INT_PIN, 0xff, "the host routes no pin to the guest"},
};

static void header_reasons(const struct explain *explain,
                           const struct cell *cell, struct reasons *reasons)
{
    uint16_t offset = cell->info.offset;

    for (size_t i = 0; i < sizeof(header_reason) / sizeof(header_reason[0]);
         i++) {
        if (header_reason[i].offset == offset) {
            reason_add(reasons, header_reason[i].mask, header_reason[i].words);
        }
    }
    if (explain->is_vf && offset < PCV_REG_COMMAND) {
        reason_add(reasons, UINT32_MAX,
                   "constant: a VF's own registers do not say it");
    }
}

/* Which BAR a register belongs to: the lower one of two halves. */
static bool bar_of(const struct explain *explain, uint16_t offset,
                   unsigned *out_bar)
{
    if (offset == PCV_REG_ROM0) {
        *out_bar = PCV_BAR_IS_ROM;
        return true;
    }
    if (offset < PCV_REG_BAR0 || offset >= PCV_REG_BAR0 + 24u) {
        return false;
    }
    *out_bar = (offset - PCV_REG_BAR0) / 4u;
    if (*out_bar > 0 && explain->bar[*out_bar - 1].kind == PCV_BAR_MEM64) {
        (*out_bar)--;
    }
    return true;
}

static void bar_reasons(const struct explain *explain, const struct cell *cell,
                        struct reasons *reasons)
{
    unsigned bar;

    if (!bar_of(explain, cell->info.offset, &bar)) {
        return;
    }
    if (explain->seen[bar].size != 0) {
        reason_add(reasons, UINT32_MAX,
                   "virtual: the host's address is not shown");
    } else if (explain->bar[bar].kind == PCV_BAR_IO) {
        reason_add(reasons, UINT32_MAX, "guests have no I/O BARs");
    } else {
        reason_add(reasons, UINT32_MAX, "the guest has no such BAR");
    }
}

/* The capabilities that a link of the guest's list leads past: those in the
 * machine's list from the index-th on, up to one that the guest finds. */
static void add_hidden(const struct explain *explain, size_t index,
                       bool extended, struct text *text)
{
    const char *between = ", past ";

    for (; index < explain->has.count; index++) {
        const struct pcv_cap *cap = &explain->has.cap[index];
        if (cap->extended != extended || is_shown(explain, cap)) {
            return;
        }
        text_add(text, "%s", between);
        add_cap(text, cap);
        between = ", ";
    }
}

/* Which capability a register's link leads to in the machine's list: the one
 * behind its own; the first one for the pointer in the header. False if it is
 * no link. */
static bool link_target(const struct explain *explain, uint16_t offset,
                        size_t *out_index)
{
    const struct view_caps *has = &explain->has;

    *out_index = 0;
    if (offset == PCV_REG_CAPS) {
        return true;
    }
    for (size_t i = 0; i < has->count; i++) {
        uint16_t link = has->cap[i].extended
                            ? has->cap[i].offset
                            : (uint16_t)(has->cap[i].offset + 1u);
        if (link == offset) {
            /* A first one that is hidden is led past, too. */
            *out_index = is_shown(explain, &has->cap[i]) ? i + 1 : i;
            return true;
        }
    }
    return false;
}

/* Pointers of the lists: in the header, and in each capability. */
static void link_reasons(const struct explain *explain, const struct cell *cell,
                         struct reasons *reasons)
{
    uint16_t offset = cell->info.offset;
    bool extended = offset >= PCV_EXT_CAP_START;
    uint32_t mask = 0xffu;
    struct text words = {0};
    size_t index;

    if (!link_target(explain, offset, &index)) {
        return;
    }
    if (extended) {
        /* The first one stays as an empty one where it is hidden. */
        mask = offset == PCV_EXT_CAP_START ? UINT32_MAX : 0xfff00000u;
    }
    text_add(&words, "constant: the list is linked anew");
    add_hidden(explain, index, extended, &words);
    reason_add(reasons, mask, text_str(&words));
    text_fini(&words);
}

/* Address and data of MSI (PCI Local Bus 3.0, 6.8.1). */
static void message_reasons(const struct explain *explain,
                            const struct cell *cell, struct reasons *reasons)
{
    const struct pcv_cap *cap = cap_around(explain, cell->info.offset);

    if (cap != NULL && !cap->extended && cap->id == PCV_CAP_ID_MSI &&
        cell->info.offset >= cap->offset + 4u) {
        reason_add(reasons, UINT32_MAX,
                   "virtual: the host's message is not shown");
    }
}

/* What the policy of each bit says by itself. */
static void policy_reasons(const struct explain *explain,
                           const struct cell *cell, struct reasons *reasons)
{
    const struct pcv_policy *policy = &cell->info.policy;
    uint32_t same_after =
        ~(space_read(&explain->after, cell->info.offset, cell->info.size) ^
          cell->value);

    reason_add(reasons, policy->constant, "constant");
    reason_add(reasons, policy->virt | policy->virt_w1c,
               "virtual: the guest's own");
    reason_add(reasons, policy->preserve, "reads zero, hardware keeps it");
    uint32_t through = policy->hardware | policy->read_only | policy->w1c;
    reason_add(reasons, through & same_after, "changed by the reset");
    reason_add(reasons, through, "answered by pcivisor");
    reason_add(reasons, ~through, "reserved for the guest: reads zero");
}

/* Bytes that are no register of the guest's. */
static void gap_reasons(const struct explain *explain, const struct cell *cell,
                        struct reasons *reasons)
{
    const struct pcv_cap *cap = cap_around(explain, cell->info.offset);
    struct text words = {0};

    if (cap != NULL && !is_shown(explain, cap)) {
        text_add(&words, "hidden capability: ");
        add_cap(&words, cap);
        reason_add(reasons, UINT32_MAX, text_str(&words));
        text_fini(&words);
    } else if (cell->info.offset == PCV_REG_ROM0) {
        reason_add(reasons, UINT32_MAX, "no ROM image was given");
    } else if (cap != NULL || cell->info.offset < 0x40u) {
        reason_add(reasons, UINT32_MAX, "reserved for the guest: reads zero");
    } else {
        reason_add(reasons, UINT32_MAX,
                   "the device's own, of no capability: not shown");
    }
}

void explain_cell(const struct explain *explain, const struct cell *cell,
                  void (*fn)(void *arg, uint32_t mask, const char *words),
                  void *arg)
{
    uint32_t held =
        space_read(&explain->before, cell->info.offset, cell->info.size);
    struct reasons reasons = {fn, arg, held ^ cell->value};

    if (reasons.left == 0) {
        return;
    }
    if (cell->info.name == NULL) {
        gap_reasons(explain, cell, &reasons);
    } else if (cell->info.offset < 0x40u) {
        header_reasons(explain, cell, &reasons);
        bar_reasons(explain, cell, &reasons);
        link_reasons(explain, cell, &reasons);
    } else {
        link_reasons(explain, cell, &reasons);
        message_reasons(explain, cell, &reasons);
    }
    policy_reasons(explain, cell, &reasons);
}
