/* SPDX-License-Identifier: MIT */
/*
 * The ITS's command queue (Arm IHI 0069, 5.3): a ring of commands of 32 bytes,
 * which we fill up to CWRITER and the ITS empties up to CREADR. Equal means
 * empty, so that one place always stays free.
 */
#include "its_impl.h"

#include "driver.h"
#include "its_regs.h"
#include "lib.h"
#include "pcivisor/errno.h"

#define RING_ORDER 4u /* 64 KiB */
#define RING_SIZE (PAGE_SIZE << RING_ORDER)
#define COMMAND_SIZE 32u
#define RING_COMMANDS ((unsigned)(RING_SIZE / COMMAND_SIZE))

struct command {
    uint64_t word[ITS_COMMAND_WORDS];
};

_Static_assert(sizeof(struct command) == COMMAND_SIZE, "the ITS's format");

struct spinlock its_lock;

static struct {
    uint64_t base;
    struct command *ring;
    uint64_t writer;  /* offset in the ring, as CWRITER has it */
    unsigned waiting; /* commands that the ITS has not done yet */
    uint64_t target;  /* some redistributor that a SYNC can name */
    bool failed;      /* a command since the last its_finish() was not done */
    bool dead;        /* it stopped taking commands: nothing will be done */
} queue;

int its_commands_init(uint64_t base)
{
    uint64_t cbaser;

    queue.base = base;
    queue.ring = pages_alloc(RING_ORDER);
    if (queue.ring == NULL) {
        return -PCV_ENOMEM;
    }
    mmio_write64(base + GITS_CBASER, BASER_VALID | BASER_INNER_WB |
                                         BASER_SHARED | (uint64_t)queue.ring |
                                         (RING_SIZE / PAGE_SIZE - 1));
    cbaser = mmio_read64(base + GITS_CBASER);
    if ((cbaser & BASER_SHARED_MASK) == 0) {
        print("its: it does not see the CPUs' caches\n");
        return -PCV_EOPNOTSUPP;
    }
    queue.writer = 0;
    mmio_write64(base + GITS_CWRITER, queue.writer);
    return 0;
}

static struct command sync_command(void)
{
    return (struct command){.word = {ITS_SYNC, 0, queue.target, 0}};
}

/*
 * The ITS refuses a command and waits for us: put a SYNC, which does no harm,
 * in its place and let it go on with the others.
 */
static void stall_end(uint64_t reader)
{
    struct command *command = &queue.ring[reader % RING_SIZE / COMMAND_SIZE];

    print("its: command %x for device %x was refused\n",
          (unsigned)COMMAND0_OPCODE(command->word[0]),
          (unsigned)COMMAND0_DEVICE_OF(command->word[0]));
    queue.failed = true;
    *command = sync_command();
    dsb();
    mmio_write64(queue.base + GITS_CWRITER, queue.writer | GITS_CWRITER_RETRY);
}

/* Have the ITS do what is in the ring, and wait until it has. */
static void drain(void)
{
    uint64_t end = deadline();
    uint64_t retried = 0; /* as CREADR read then */

    dsb(); /* the commands, before the ITS hears of them */
    mmio_write64(queue.base + GITS_CWRITER, queue.writer);
    for (;;) {
        bool late = deadline_passed(end);
        uint64_t reader = mmio_read64(queue.base + GITS_CREADR);

        if (reader == queue.writer) {
            queue.waiting = 0;
            return;
        }
        if (late) {
            print("its: it takes no commands\n");
            queue.dead = true;
            return;
        }
        /* It may take a while to see that we retried. */
        if ((reader & GITS_CREADR_STALLED) != 0 && reader != retried) {
            stall_end(reader & ~GITS_CREADR_STALLED);
            retried = reader;
        }
        relax();
    }
}

static void put(struct command command)
{
    if (queue.waiting == RING_COMMANDS - 1) {
        drain();
    }
    if (queue.dead) {
        return; /* its_finish() tells */
    }
    queue.ring[queue.writer / COMMAND_SIZE] = command;
    queue.writer = (queue.writer + COMMAND_SIZE) % RING_SIZE;
    queue.waiting++;
}

void its_put_mapd(uint32_t requester, const void *itt)
{
    put((struct command){.word = {ITS_MAPD | COMMAND0_DEVICE(requester),
                                  COMMAND1_EVENT_BITS(ITS_EVENT_BITS),
                                  COMMAND2_VALID | (uint64_t)itt, 0}});
}

void its_put_mapc(unsigned collection, uint64_t target)
{
    queue.target = target;
    put((struct command){
        .word = {ITS_MAPC, 0, COMMAND2_VALID | target | collection, 0}});
}

void its_put_mapti(uint32_t requester, uint32_t event, uint32_t lpi,
                   unsigned collection)
{
    put((struct command){.word = {ITS_MAPTI | COMMAND0_DEVICE(requester),
                                  COMMAND1_LPI(lpi) | event, collection, 0}});
}

void its_put_discard(uint32_t requester, uint32_t event)
{
    put((struct command){
        .word = {ITS_DISCARD | COMMAND0_DEVICE(requester), event, 0, 0}});
}

void its_put_invall(unsigned collection)
{
    put((struct command){.word = {ITS_INVALL, 0, collection, 0}});
}

int its_finish(uint64_t target)
{
    bool failed;

    queue.target = target;
    put(sync_command());
    if (!queue.dead) {
        drain();
    }
    failed = queue.failed || queue.dead;
    queue.failed = false;
    return failed ? -PCV_EIO : 0;
}
