/* SPDX-License-Identifier: MIT */
/*
 * Entries of MSI-X's table: what becomes of what the owner wrote (PCI Local Bus
 * 3.0, 6.8.2; MSIX-2, MSI-3).
 *
 * An entry is bound when it is unmasked, with MSI-X enabled and the function
 * mask off, for the first time. Masking masks hardware's entry and keeps the
 * binding; unmasking binds anew only if the entry says something else by then.
 * One that could not be bound stays masked in hardware, whatever its owner
 * reads.
 *
 * Hardware's table is written only while something is bound: that holds memory
 * decoding on. It is not trusted before: the first time, every entry is masked.
 */
#include "vpci/cap/msix.h"
#include "vpci/hidden.h"
#include "vpci/reserved.h"

static struct pcv__msix_entry *entry_of(const struct pcv__cap *cap,
                                        uint16_t index)
{
    struct pcv__msix *msix = cap->state;

    return &msix->entry[index];
}

static bool is_bound(const struct pcv__msix_entry *entry)
{
    return (entry->bound_lower & MSIX_IS_BOUND) != 0;
}

static bool is_open(const struct pcv__msix_entry *entry)
{
    return (entry->bound_lower & MSIX_IS_OPEN) != 0;
}

static bool is_masked(const struct pcv__msix_entry *entry)
{
    return (entry->lower & MSIX_IS_MASKED) != 0;
}

/* Whether the owner changed it since it was bound. */
static bool is_stale(const struct pcv__msix_entry *entry)
{
    return ((entry->lower ^ entry->bound_lower) & ~MSIX_FLAGS) != 0 ||
           entry->upper != entry->bound_upper ||
           entry->data != entry->bound_data;
}

/* Whether what is unmasked may send. */
static bool is_live(const struct pcv__msix *msix)
{
    return (msix->control & (MSIX_ENABLE | MSIX_MASK_ALL)) == MSIX_ENABLE;
}

/* ---- requests --------------------------------------------------------------
 */

static void make_request(const struct pcv__cap *cap, uint16_t index,
                         uint32_t lower, uint32_t upper, uint32_t data,
                         struct pcv_msi_request *out_request)
{
    pcv__vector_request(cap->device, out_request);
    out_request->msix = true;
    out_request->index = index;
    out_request->address = (uint64_t)upper << 32 | (lower & ~MSIX_FLAGS);
    out_request->data = data;
}

static void wanted_request(const struct pcv__cap *cap, uint16_t index,
                           struct pcv_msi_request *out_request)
{
    const struct pcv__msix_entry *entry = entry_of(cap, index);

    make_request(cap, index, entry->lower, entry->upper, entry->data,
                 out_request);
}

static void bound_request(const struct pcv__cap *cap, uint16_t index,
                          struct pcv_msi_request *out_request)
{
    const struct pcv__msix_entry *entry = entry_of(cap, index);

    make_request(cap, index, entry->bound_lower, entry->bound_upper,
                 entry->bound_data, out_request);
}

/* ---- hardware's table ------------------------------------------------------
 */

/* Whether the hypervisor uses what stands there, of another function: of its
 * own, one that is hidden or just revealed may have it in its table's BAR. */
static bool is_hypervisors(const struct pcv_device *device, uint64_t address,
                           uint32_t size)
{
    struct pcv_host *host = device->host;

    return (!atomic_load_explicit(&device->read_only, memory_order_relaxed) &&
            pcv__reserved_memory(host, address, size)) ||
           (!pcv__hidden(device) && pcv__used_memory(host, address, size));
}

/* A BAR's address may be any that the hardware domain wrote: it must lead to
 * the device, not to the host's memory, nor to what the hypervisor drives. */
bool pcv__msix_reach(const struct pcv__cap *cap, uint8_t bar, uint32_t offset,
                     uint32_t size, uint64_t *out_address)
{
    const struct pcv_device *device = cap->device;
    const struct pcv__mem *mem = &device->host->mem;
    uint64_t address = device->bar[bar].address;

    if (pcv__has_vanished(device) ||
        address > UINT64_MAX - ((uint64_t)offset + size)) {
        return false;
    }
    address += offset;
    if (is_hypervisors(device, address, size) ||
        mem->ops.mmio_permitted(mem->ctx, device->host->hardware.id,
                                (pcv_hpa){address}, size) != 1) {
        return false;
    }
    *out_address = address;
    return true;
}

static bool table_at(const struct pcv__cap *cap, uint64_t *out_address)
{
    const struct pcv__msix *msix = cap->state;

    return pcv__msix_reach(cap, msix->table_bar, msix->table,
                           pcv__msix_table_size(msix), out_address);
}

/* One dword of an entry. */
static pcv_hpa dword_at(uint64_t table, uint16_t index, uint32_t dword)
{
    return (pcv_hpa){table + (uint64_t)index * MSIX_ENTRY_SIZE +
                     dword * UINT64_C(4)};
}

/* The host could not reach the table. */
static void failed(const struct pcv__cap *cap, bool write)
{
    const struct pcv__msix *msix = cap->state;

    pcv__hw_failed(cap->device, PCV__IN_BAR | msix->table_bar, write);
}

static bool put(const struct pcv__cap *cap, uint64_t table, uint16_t index,
                uint32_t dword, uint32_t value)
{
    const struct pcv__mem *mem = &cap->device->host->mem;
    bool done = mem->ops.mmio_write(mem->ctx, dword_at(table, index, dword), 4,
                                    value) == 0;

    if (!done) {
        failed(cap, true);
    }
    return done;
}

/* Reserved bits are read as zero: what the host cannot read is, too. */
static uint32_t get(const struct pcv__cap *cap, uint64_t table, uint16_t index,
                    uint32_t dword, uint32_t otherwise)
{
    const struct pcv__mem *mem = &cap->device->host->mem;
    uint64_t value = 0;

    if (mem->ops.mmio_read(mem->ctx, dword_at(table, index, dword), 4,
                           &value) != 0) {
        failed(cap, false);
        return otherwise;
    }
    return (uint32_t)value;
}

/* Once masked, nothing of it is under way: reading it back pushes what the
 * device had sent before (PCI Express Base 6.0, 2.4.1). */
static void mask(const struct pcv__cap *cap, uint16_t index)
{
    struct pcv__msix_entry *entry = entry_of(cap, index);
    uint64_t table;

    if (is_open(entry) && table_at(cap, &table)) {
        (void)put(cap, table, index, MSIX_VECTOR, MSIX_MASKED);
        (void)get(cap, table, index, MSIX_VECTOR, 0);
    }
    entry->bound_lower &= ~MSIX_IS_OPEN;
}

static bool open(const struct pcv__cap *cap, uint16_t index)
{
    uint64_t table;

    if (!table_at(cap, &table) || !put(cap, table, index, MSIX_VECTOR, 0)) {
        return false;
    }
    entry_of(cap, index)->bound_lower |= MSIX_IS_OPEN;
    return true;
}

/* The entry is masked. */
static bool write_message(const struct pcv__cap *cap, uint16_t index,
                          const struct pcv_msi_message *message)
{
    uint64_t table;

    return table_at(cap, &table) &&
           put(cap, table, index, MSIX_ADDRESS, (uint32_t)message->address) &&
           put(cap, table, index, MSIX_UPPER,
               (uint32_t)(message->address >> 32)) &&
           put(cap, table, index, MSIX_DATA, message->data);
}

/* Mask everything, whatever stands there. Bounded: 2048 entries. */
static bool scrub(const struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;
    uint64_t table;

    if (!msix->scrubbed && table_at(cap, &table)) {
        msix->scrubbed = true;
        for (uint16_t i = 0; i < msix->count; i++) {
            msix->scrubbed &= put(cap, table, i, MSIX_VECTOR, MSIX_MASKED);
        }
    }
    return msix->scrubbed;
}

/* ---- binding ---------------------------------------------------------------
 */

/* What the owner wrote is what is bound now. */
static void note_bound(struct pcv__msix_entry *entry)
{
    entry->bound_lower = (entry->lower & ~MSIX_FLAGS) | MSIX_IS_BOUND;
    entry->bound_upper = entry->upper;
    entry->bound_data = entry->data;
}

/* The first one of a device needs memory decoding. */
static void count_in(struct pcv__cap *cap) PCV__NO_ANALYSIS
{
    if (pcv__vpci(cap->device)->bound++ == 0) {
        pcv__command_update(cap->device);
    }
}

/* With the last one it goes, the function mask first. */
static void count_out(struct pcv__cap *cap,
                      struct pcv__msix_entry *entry) PCV__NO_ANALYSIS
{
    entry->bound_lower &= ~MSIX_FLAGS;
    if (--pcv__vpci(cap->device)->bound == 0) {
        pcv__msix_control_write(cap);
        pcv__command_update(cap->device);
    }
}

static void unbind(struct pcv__cap *cap, uint16_t index)
{
    struct pcv_msi_request request;

    bound_request(cap, index, &request);
    pcv__vector_unbind(cap->device, &request);
    count_out(cap, entry_of(cap, index));
}

/* Nothing of the entry is bound, and its owner is told. */
static void give_up(struct pcv__cap *cap, uint16_t index, int error)
{
    struct pcv_msi_request request;

    wanted_request(cap, index, &request);
    if (is_bound(entry_of(cap, index))) {
        mask(cap, index);
        unbind(cap, index);
    }
    pcv__vector_failed(cap->device, &request, error);
}

/* What the owner wrote is bound, or nothing is. Hardware's entry is masked. */
static bool bind(struct pcv__cap *cap, uint16_t index,
                 struct pcv_msi_message *out_message)
{
    struct pcv__msix_entry *entry = entry_of(cap, index);
    struct pcv_msi_request request;
    bool again = is_bound(entry);
    int error;

    wanted_request(cap, index, &request);
    error = pcv__vector_bind(cap->device, &request, again, out_message);
    if (error == 0) {
        note_bound(entry);
    }
    if (error == 0 && !again) {
        count_in(cap);
    } else if (error != 0 && again) {
        count_out(cap, entry);
    }
    return error == 0;
}

/* An entry that may send, and is not bound as it stands. */
static void bind_and_open(struct pcv__cap *cap, uint16_t index)
{
    bool first = pcv__vpci(cap->device)->bound == 0;
    struct pcv_msi_message message;
    uint64_t table;

    if (!table_at(cap, &table)) {
        give_up(cap, index, -PCV_EIO);
        return;
    }
    mask(cap, index);
    if (!bind(cap, index, &message)) {
        return;
    }
    if (!scrub(cap) || !write_message(cap, index, &message) ||
        !open(cap, index)) {
        give_up(cap, index, -PCV_EIO);
    } else if (first) {
        pcv__msix_control_write(cap);
    }
}

void pcv__msix_follow(struct pcv__cap *cap, uint16_t index)
{
    const struct pcv__msix *msix = cap->state;
    const struct pcv__msix_entry *entry = entry_of(cap, index);

    if (!is_live(msix) || is_masked(entry)) {
        mask(cap, index);
    } else if (!is_bound(entry) || is_stale(entry)) {
        bind_and_open(cap, index);
    } else if (!is_open(entry) && !open(cap, index)) {
        give_up(cap, index, -PCV_EIO);
    }
}

void pcv__msix_follow_all(struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;

    for (uint16_t i = 0; i < msix->count; i++) {
        pcv__msix_follow(cap, i);
    }
}

void pcv__msix_unbind_all(struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;

    for (uint16_t i = 0; i < msix->count; i++) {
        if (is_bound(&msix->entry[i])) {
            unbind(cap, i);
        }
    }
    msix->scrubbed = false;
}

void pcv__msix_park(struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;
    struct pcv_msi_request request;

    for (uint16_t i = 0; i < msix->count; i++) {
        if (is_bound(&msix->entry[i])) {
            bound_request(cap, i, &request);
            pcv__vector_park(cap->device, &request);
        }
    }
}

/* ---- when hardware and record differ ---------------------------------------
 */

/* Bind once more what is bound, though its owner may have written something
 * else since: the host's answer is what hardware lost. */
static void resend(struct pcv__cap *cap, uint16_t index)
{
    struct pcv__msix_entry *entry = entry_of(cap, index);
    struct pcv_msi_request request;
    struct pcv_msi_message message;

    entry->bound_lower &= ~MSIX_IS_OPEN;
    bound_request(cap, index, &request);
    if (pcv__vector_bind(cap->device, &request, true, &message) != 0) {
        count_out(cap, entry);
    } else if (!scrub(cap) || !write_message(cap, index, &message)) {
        give_up(cap, index, -PCV_EIO);
    }
}

void pcv__msix_resend(struct pcv__cap *cap) PCV__NO_ANALYSIS
{
    struct pcv__msix *msix = cap->state;

    msix->scrubbed = false;
    pcv__command_update(cap->device);
    for (uint16_t i = 0; i < msix->count; i++) {
        if (is_bound(&msix->entry[i])) {
            resend(cap, i);
        }
    }
}

void pcv__msix_adopt(struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;
    uint64_t table;

    if (!table_at(cap, &table)) {
        return; /* all of it stays masked */
    }
    for (uint16_t i = 0; i < msix->count; i++) {
        struct pcv__msix_entry *entry = &msix->entry[i];
        uint32_t vector = get(cap, table, i, MSIX_VECTOR, MSIX_MASKED);

        entry->lower = get(cap, table, i, MSIX_ADDRESS, 0) & ~MSIX_FLAGS;
        entry->upper = get(cap, table, i, MSIX_UPPER, 0);
        entry->data = get(cap, table, i, MSIX_DATA, 0);
        entry->lower |= (vector & MSIX_MASKED) != 0 ? MSIX_IS_MASKED : 0u;
    }
}

/* ---- looking ---------------------------------------------------------------
 */

bool pcv__msix_next(const struct pcv__cap *cap, uint16_t index,
                    struct pcv_bound_vector *out)
{
    const struct pcv__msix *msix = cap->state;
    struct pcv_msi_request request;
    uint64_t table;

    if (!msix) {
        return false;
    }
    while (index < msix->count && !is_bound(&msix->entry[index])) {
        index++;
    }
    if (index >= msix->count) {
        return false;
    }
    bound_request(cap, index, &request);
    *out = (struct pcv_bound_vector){
        .msix = true,
        .index = index,
        .address = request.address,
        .data = request.data,
        .masked = !is_live(msix) || is_masked(&msix->entry[index]),
    };
    if (table_at(cap, &table)) {
        out->message.address = (uint64_t)get(cap, table, index, MSIX_UPPER, 0)
                                   << 32 |
                               get(cap, table, index, MSIX_ADDRESS, 0);
        out->message.data = get(cap, table, index, MSIX_DATA, 0);
    }
    return true;
}
