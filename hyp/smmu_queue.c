/* SPDX-License-Identifier: MIT */
/*
 * The SMMU's queues: commands to it, events from it (Arm IHI 0070, 3.5).
 *
 * Both are rings with an index for who writes and one for who reads, each with
 * a bit above it that flips at every turn, so that full and empty differ. We
 * wait for every batch of commands, so that the command queue is empty whenever
 * its lock is free, and a batch always fits.
 */
#include "smmu_impl.h"

#include "driver.h"
#include "lib.h"
#include "pcivisor/errno.h"
#include "smmu_regs.h"

#define COMMANDS_LOG2 8u
#define COMMANDS_MIN_LOG2 5u /* PAGES_BY_ADDRESS and a SYNC must fit */
#define EVENTS_LOG2 10u
/* Beyond so many pages, forgetting all of a context is cheaper. */
#define PAGES_BY_ADDRESS 16u

struct command {
    uint64_t word[2];
};

struct event {
    uint64_t word[EVENT_WORDS];
};

static struct {
    struct spinlock lock;
    uint64_t base;
    struct command *ring;
    unsigned log2;
    uint32_t producer;
    bool broken; /* it failed once; what the SMMU knows is uncertain */
} commands;

static struct {
    struct spinlock lock;
    uint64_t base;
    const volatile struct event *ring;
    unsigned log2;
    uint32_t consumer;       /* with the echo of the overflow flag */
    uint64_t losses;         /* times that the SMMU had no room */
    _Atomic bool unfinished; /* a poll ended before the queue was empty */
} events;

static uint32_t index_mask(unsigned log2)
{
    return ((uint32_t)2 << log2) - 1;
}

static uint32_t slot_of(uint32_t index, unsigned log2)
{
    return index & (((uint32_t)1 << log2) - 1);
}

static unsigned smaller(uint64_t a, unsigned b)
{
    return a < b ? (unsigned)a : b;
}

int smmu_queues_init(uint64_t base, uint32_t idr1)
{
    commands.base = base;
    events.base = base;
    commands.log2 = smaller(IDR1_CMDQS(idr1), COMMANDS_LOG2);
    events.log2 = smaller(IDR1_EVENTQS(idr1), EVENTS_LOG2);
    if (commands.log2 < COMMANDS_MIN_LOG2) {
        print("smmu: its command queue is too short\n");
        return -PCV_EOPNOTSUPP;
    }
    commands.ring = pages_alloc(
        pages_order((uint64_t)sizeof(struct command) << commands.log2));
    events.ring =
        pages_alloc(pages_order((uint64_t)sizeof(struct event) << events.log2));
    if (commands.ring == NULL || events.ring == NULL) {
        return -PCV_ENOMEM;
    }
    mmio_write64(base + SMMU_CMDQ_BASE,
                 BASE_ALLOCATE | (uint64_t)commands.ring | commands.log2);
    mmio_write32(base + SMMU_CMDQ_PROD, 0);
    mmio_write32(base + SMMU_CMDQ_CONS, 0);
    mmio_write64(base + SMMU_EVENTQ_BASE,
                 BASE_ALLOCATE | (uint64_t)events.ring | events.log2);
    mmio_write32(base + SMMU_EVENTQ_PROD, 0);
    mmio_write32(base + SMMU_EVENTQ_CONS, 0);
    return 0;
}

static void command_put_locked(uint64_t word0, uint64_t word1)
{
    struct command *command =
        &commands.ring[slot_of(commands.producer, commands.log2)];

    command->word[0] = word0;
    command->word[1] = word1;
    commands.producer = (commands.producer + 1) & index_mask(commands.log2);
}

/* Errors of the whole unit that it reports and we have not acknowledged. */
static uint32_t errors_active(uint64_t base)
{
    return mmio_read32(base + SMMU_GERROR) ^ mmio_read32(base + SMMU_GERRORN);
}

/*
 * Until the SMMU has taken the last command. When it takes a SYNC, everything
 * before that is complete. Our commands are right, so that an error means that
 * SMMU or memory are not what they were: from then on every change fails.
 */
static int commands_wait_locked(void)
{
    uint32_t mask = index_mask(commands.log2);
    uint64_t end = deadline();

    for (;;) {
        bool late = deadline_passed(end);
        uint32_t consumer = mmio_read32(commands.base + SMMU_CMDQ_CONS);

        if ((errors_active(commands.base) & GERROR_CMDQ) != 0) {
            consumer = mmio_read32(commands.base + SMMU_CMDQ_CONS);
            print("smmu: command %u failed, error %u\n",
                  slot_of(consumer, commands.log2),
                  (unsigned)CMDQ_CONS_ERROR(consumer));
            break;
        }
        if ((consumer & mask) == commands.producer) {
            return 0;
        }
        if (late) {
            print("smmu: it takes no commands\n");
            break;
        }
        relax();
    }
    commands.broken = true;
    return -PCV_EIO;
}

/* Take the lock to put a batch; false, and not taken: that is over. */
static bool commands_begin(void)
{
    spin_lock(&commands.lock);
    if (commands.broken) {
        spin_unlock(&commands.lock);
        return false;
    }
    return true;
}

/* End the batch, and wait for it. */
static int commands_end(void)
{
    int error;

    command_put_locked(CMD_SYNC, 0);
    dsb(); /* tables and commands, before the SMMU hears of them */
    mmio_write32(commands.base + SMMU_CMDQ_PROD, commands.producer);
    error = commands_wait_locked();
    spin_unlock(&commands.lock);
    return error;
}

int smmu_forget_stream(uint32_t requester, uint32_t old_asid)
{
    if (!commands_begin()) {
        return -PCV_EIO;
    }
    command_put_locked(CMD_CFGI_STE | CMD0_STREAM(requester), CMD1_CFGI_LEAF);
    command_put_locked(CMD_TLBI_NH_ASID | CMD0_ASID(old_asid), 0);
    return commands_end();
}

int smmu_forget_range(uint32_t asid, uint64_t address, uint64_t size)
{
    uint64_t pages = size >> PAGE_SHIFT;

    if (!commands_begin()) {
        return -PCV_EIO;
    }
    if (pages > PAGES_BY_ADDRESS) {
        command_put_locked(CMD_TLBI_NH_ASID | CMD0_ASID(asid), 0);
    } else {
        for (uint64_t i = 0; i < pages; i++) {
            command_put_locked(CMD_TLBI_NH_VA | CMD0_ASID(asid),
                               address + (i << PAGE_SHIFT));
        }
    }
    return commands_end();
}

int smmu_forget_all(void)
{
    if (!commands_begin()) {
        return -PCV_EIO;
    }
    command_put_locked(CMD_CFGI_ALL, CMD1_CFGI_RANGE_ALL);
    command_put_locked(CMD_TLBI_NSNH_ALL, 0);
    return commands_end();
}

/* Faults come at a device's pace, so that we say it ever more rarely. */
static void loss_report_locked(void)
{
    events.losses++;
    if ((events.losses & (events.losses - 1)) == 0) {
        print("smmu: faults were lost, %lu times so far\n",
              (unsigned long)events.losses);
    }
}

/* The errors that are not the command queue's: say and acknowledge them. */
static void errors_take_locked(void)
{
    uint32_t active = errors_active(events.base) & ~GERROR_CMDQ;

    if (active == 0) {
        return;
    }
    if ((active & GERROR_EVENTQ_ABORT) != 0) {
        loss_report_locked();
    }
    if ((active & GERROR_SERVICE_FAILURE) != 0) {
        print("smmu: it has stopped, and all DMA with it\n");
    }
    mmio_write32(events.base + SMMU_GERRORN,
                 mmio_read32(events.base + SMMU_GERRORN) ^ active);
}

/* The oldest event, taken out of the queue; false: there is none. */
static bool event_take_locked(struct event *out_event)
{
    uint32_t mask = index_mask(events.log2);
    uint32_t producer = mmio_read32(events.base + SMMU_EVENTQ_PROD);
    uint32_t overflow = (producer ^ events.consumer) & EVENTQ_OVERFLOW;
    bool there = ((producer ^ events.consumer) & mask) != 0;

    if (there) {
        const volatile struct event *event =
            &events.ring[slot_of(events.consumer, events.log2)];

        for (unsigned i = 0; i < EVENT_WORDS; i++) {
            out_event->word[i] = event->word[i];
        }
        events.consumer = (events.consumer & EVENTQ_OVERFLOW) |
                          ((events.consumer + 1) & mask);
    }
    if (overflow != 0) {
        events.consumer ^= EVENTQ_OVERFLOW;
        loss_report_locked();
    }
    if (there || overflow != 0) {
        mmio_write32(events.base + SMMU_EVENTQ_CONS, events.consumer);
    }
    return there;
}

static bool event_take(struct event *out_event)
{
    bool there;

    spin_lock(&events.lock);
    errors_take_locked();
    there = event_take_locked(out_event);
    spin_unlock(&events.lock);
    return there;
}

/* Not every record has an address; a stream table's error has none. */
static bool event_has_address(const struct event *event)
{
    switch (EVENT_TYPE(event->word[0])) {
    case EVENT_UNSUPPORTED_UPSTREAM:
    case EVENT_TRANSLATION_FORBIDDEN:
    case EVENT_WALK_ABORT:
    case EVENT_TRANSLATION:
    case EVENT_ADDRESS_SIZE:
    case EVENT_ACCESS:
    case EVENT_PERMISSION:
        return true;
    default:
        return false;
    }
}

static void event_report(const struct event *event)
{
    bool known = event_has_address(event);

    smmu_fault((uint32_t)EVENT_STREAM(event->word[0]),
               known ? event->word[EVENT_ADDRESS] : 0,
               known && (event->word[EVENT_FLAGS] & EVENT_READS) == 0,
               (unsigned)EVENT_TYPE(event->word[0]));
}

bool smmu_unfinished(void)
{
    return atomic_load_explicit(&events.unfinished, memory_order_relaxed);
}

/*
 * Bounded, so that a device that faults without end cannot hold us here.
 * smmu_fault() is called without a lock: what it does about a device may well
 * lead back to the SMMU.
 */
unsigned smmu_poll(void)
{
    struct event event;
    unsigned count = 0;

    if (events.ring == NULL) {
        return 0;
    }
    atomic_store_explicit(&events.unfinished, false, memory_order_relaxed);
    while (count < SMMU_POLL_MAX && event_take(&event)) {
        count++;
        event_report(&event);
    }
    if (count == SMMU_POLL_MAX) {
        atomic_store_explicit(&events.unfinished, true, memory_order_relaxed);
    }
    return count;
}
