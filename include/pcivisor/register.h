/* SPDX-License-Identifier: MIT */
/*
 * Registers: what each bit of the 4 KiB that a domain sees is (CFG-3), and
 * what happens when it is written.
 */
#ifndef PCIVISOR_REGISTER_H
#define PCIVISOR_REGISTER_H

#include "pcivisor/access.h"
#include "pcivisor/device.h"
#include "pcivisor/types.h"

/*
 * The policy of each bit of a register, as masks that must not overlap. A bit
 * in no mask is reserved-zero: it reads zero, writes are ignored, and where
 * its byte goes to hardware a zero goes with it.
 */
struct pcv_policy {
    uint32_t hardware;  /* reads and writes go to hardware */
    uint32_t constant;  /* reads the initial value, writes are ignored */
    uint32_t virt;      /* virtual: reads back what was written */
    uint32_t w1c;       /* hardware's; writing one clears, zero does nothing */
    uint32_t virt_w1c;  /* virtual; writing one clears, zero does nothing */
    uint32_t preserve;  /* reads zero; hardware keeps its value */
    uint32_t read_only; /* reads hardware, which keeps its value */
};

/* A write as its register's handler sees it. */
struct pcv_register_write {
    struct pcv_device *device;
    const struct pcv_register *reg;
    uint16_t offset; /* of the register in configuration space */
    void *data;      /* as given to pcv_register_add() */
    uint32_t value;  /* the whole register, merged with its current value; a
                        write-1-to-clear bit is one only if it was written so */
    uint32_t old;    /* what it read before */
    uint8_t bytes;   /* which bytes the domain wrote: bit 0 the lowest */
};

struct pcv_register_ops {
    /*
     * What the register reads. Optional: the policy answers without it.
     * Locked by the device's lock.
     */
    uint32_t (*read)(struct pcv_device *device, const struct pcv_register *reg,
                     void *data);
    /*
     * The register was written. Optional: the policy answers without it.
     * Virtual bits are stored already; the handler writes hardware itself, the
     * whole register at once, through pcv_register_hw_write(). Returns
     * PCV_DONE or PCV_PENDING. Locked by the device's lock.
     */
    enum pcv_verdict (*write)(const struct pcv_register_write *write);
};

/* Flags of pcv_register. */
#define PCV_REGISTER_MAPS                                                      \
    1u /* its write may start a mapping: it waits for one                      \
          that is under way */
#define PCV_REGISTER_PASSED 2u /* an exception of the assignment (CAP-6) */

/* One register: a row of a constant table, in offset order. */
struct pcv_register {
    const char *name; /* as the specification calls it */
    uint16_t offset;  /* bytes */
    uint8_t size;     /* 1, 2 or 4 bytes; the offset is aligned to it */
    uint8_t flags;    /* PCV_REGISTER_* */
    struct pcv_policy policy;
    uint32_t initial;                   /* of constant and virtual bits */
    const struct pcv_register_ops *ops; /* side effects, or NULL */
};

/**
 * Give a register of a device's view its policy (CFG-6).
 *
 * @device  a reference is held
 * @reg     borrowed until it is removed or the device is gone
 * @data    handed to the handlers
 *
 * Returns 0; -PCV_EINVAL (size, alignment, range, masks that overlap or are
 * wider than the register); -PCV_EEXIST if it overlaps another; -PCV_ENOMEM;
 * -PCV_ENODEV if the device is leaving; -PCV_ERESTART while accesses are inside
 * the gate: it is closed to new ones, which answer retry, until the call was
 * made again and gave another answer. A failed call changes no register.
 * Context: control. Locking: the device's lock; its gate is paused meanwhile.
 */
int PCV_MUST_CHECK pcv_register_add(struct pcv_device *device,
                                    const struct pcv_register *reg, void *data);

/**
 * Remove every register in [offset, offset + size).
 *
 * Returns 0; -PCV_ENOENT if there is none; -PCV_ERANGE if one would be cut in
 * two: then none is removed; -PCV_EINVAL; -PCV_ENODEV; -PCV_ERESTART.
 * Context and locking: as pcv_register_add().
 */
int PCV_MUST_CHECK pcv_register_remove(struct pcv_device *device,
                                       uint16_t offset, uint16_t size);

/* What stands at a place of what a device's owner sees. */
struct pcv_register_info {
    const char *name;       /* NULL: the owner's default */
    const char *capability; /* that it belongs to, or NULL */
    uint16_t offset;
    uint8_t size;             /* 1, 2 or 4 */
    bool reads, writes;       /* it has a handler for them */
    bool passed;              /* an exception of the assignment (CAP-6) */
    struct pcv_policy policy; /* in the register's own bits */
    uint32_t initial; /* of constant and virtual bits: their value now */
};

/**
 * The first register at or after an offset; where a byte belongs to none, what
 * the owner's default makes of it, in one piece up to the end of its dword.
 *
 * Returns true and *out_info, or false past the end of what the owner has (256
 * or 4096 bytes). A reference is held by the caller.
 * Context: control. Locking: the device's lock.
 */
bool pcv_register_next(struct pcv_device *device, uint16_t offset,
                       struct pcv_register_info *out_info);

/**
 * Hardware's side of a register, for handlers: nothing reaches a device that
 * has vanished, or a register above 0xff of one without extended space.
 *
 * Returns the value, all ones where there is nothing to read.
 * Context: inside a handler. Locking: the device's lock is held.
 */
uint32_t pcv_register_hw_read(struct pcv_device *device,
                              const struct pcv_register *reg);
void pcv_register_hw_write(struct pcv_device *device,
                           const struct pcv_register *reg, uint32_t value);

#endif
