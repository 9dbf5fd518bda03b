/* SPDX-License-Identifier: MIT */
/*
 * A 16550 on a PCI card (class 07 00 02). No firmware ran, so its I/O BAR is
 * given an address here: the last of the window, far from where an operating
 * system starts to place its own.
 */
#include "console.h"

#include "lib.h"
#include "pcivisor/regs.h"

#define CLASS_SERIAL_16550 0x070002u
#define UART_REGISTERS 8u
#define UART_DATA 0u
#define UART_FIFO 2u
#define UART_LINE 3u
#define UART_STATUS 5u
#define UART_STATUS_EMPTY 0x20u
#define KEPT 8192u
/* A card that is busy for so long loses text, but does not stop us; and after
 * that it is not waited for until it is free again. */
#define PATIENCE 100000u

static struct {
    struct spinlock lock;
    uint64_t uart; /* CPU address; 0: not yet */
    uint32_t function;
    bool stuck;
    _Atomic bool taken_over;
    size_t used;
    char kept[KEPT];
} console;

static volatile uint8_t *uart_register(unsigned index)
{
    return (volatile uint8_t *)(console.uart + index);
}

static bool is_ready(void)
{
    return (*uart_register(UART_STATUS) & UART_STATUS_EMPTY) != 0;
}

/* Under the lock. */
static void send(char c)
{
    unsigned left = console.stuck ? 0 : PATIENCE;
    bool ready = is_ready();

    for (; !ready && left > 0; left--) {
        relax();
        ready = is_ready();
    }
    console.stuck = !ready;
    if (ready) {
        *uart_register(UART_DATA) = (uint8_t)c;
    }
}

static void put_locked(char c)
{
    if (console.uart == 0) {
        if (console.used < KEPT) {
            console.kept[console.used++] = c;
        }
        return;
    }
    if (c == '\n') {
        send('\r');
    }
    send(c);
}

void console_write(const char *text, size_t size)
{
    bool locked = !atomic_load(&console.taken_over);

    if (locked) {
        spin_lock(&console.lock);
    }
    for (size_t i = 0; i < size; i++) {
        put_locked(text[i]);
    }
    if (locked) {
        spin_unlock(&console.lock);
    }
}

void console_take_over(void)
{
    atomic_store(&console.taken_over, true);
}

static uint64_t ecam_of(const struct machine *machine, uint32_t devfn)
{
    return machine->pci.ecam.base + ((uint64_t)devfn << 12);
}

/* The card on the root bus, device and function; or -1. */
static int find_card(const struct machine *machine)
{
    for (uint32_t devfn = 0; devfn < 256; devfn++) {
        uint64_t ecam = ecam_of(machine, devfn);
        uint32_t id = mmio_read32(ecam + PCV_REG_VENDOR);

        if (id != 0xffffffffu &&
            mmio_read32(ecam + PCV_REG_REVISION) >> 8 == CLASS_SERIAL_16550) {
            return (int)devfn;
        }
    }
    return -1;
}

bool console_init(const struct machine *machine)
{
    const struct region *io = &machine->pci.io;
    int devfn = find_card(machine);
    uint64_t ecam;
    uint32_t port = (uint32_t)(io->size - UART_REGISTERS);

    if (devfn < 0 || io->size < UART_REGISTERS) {
        return false;
    }
    ecam = ecam_of(machine, (uint32_t)devfn);
    mmio_write32(ecam + PCV_REG_BAR0, port);
    mmio_write32(ecam + PCV_REG_COMMAND, PCV_CMD_IO);
    console.function =
        ((uint32_t)machine->pci.bus_first << 8) | (uint32_t)devfn;
    console.uart = io->base + port;
    *uart_register(UART_LINE) = 3; /* 8 bits, no parity, 1 stop bit */
    *uart_register(UART_FIFO) = 1;
    spin_lock(&console.lock);
    for (size_t i = 0; i < console.used; i++) {
        put_locked(console.kept[i]);
    }
    spin_unlock(&console.lock);
    return true;
}

bool console_is_card(void)
{
    return console.uart != 0;
}

uint32_t console_function(void)
{
    return console.function;
}
