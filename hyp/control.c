/* SPDX-License-Identifier: MIT */
/*
 * The control device: a function that no hardware answers for, on the hardware
 * domain's root bus, whose BAR is pcivisor's mailbox (docs/control.md). A
 * program there maps it and speaks to the library; no driver is needed.
 */
#include "control.h"

#include "lib.h"
#include "modelled.h"
#include "pcivisor/emulated.h"
#include "pcivisor/mailbox.h"
#include "pcivisor/regs.h"

/* Numbers that no registered vendor has; the device is told by its class and
 * its subsystem. */
#define VENDOR 0x5043u
#define DEVICE 0x0001u
#define EVENTS_KEPT 256u

static struct pcv_mailbox *mailbox;

static int control_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                        uint64_t *out_value)
{
    (void)ctx;
    (void)bar;
    pcv_mailbox_read(mailbox, offset, size, out_value);
    return 0;
}

static int control_write(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                         uint64_t value)
{
    (void)ctx;
    (void)bar;
    pcv_mailbox_write(mailbox, offset, size, value);
    return 0;
}

static const struct pcv_emulated_ops control_ops = {
    .read = control_read,
    .write = control_write,
};

/* Who does not place BARs finds this one placed, as by firmware. */
static void place_bar(struct pcv_domain *domain,
                      const struct pcv_emulated_info *info)
{
    struct pcv_access access =
        PCV_WRITE(info->sbdf, PCV_REG_BAR0, 4, (uint32_t)info->window.v);

    if (pcv_access(domain, &access) != PCV_DONE) {
        print("the control device's BAR could not be placed\n");
    }
}

/* The highest device number of the root bus where nothing answers: an
 * operating system counts from below. */
static int place(const struct machine *machine, struct pcv_host *host)
{
    const struct pci_windows *pci = &machine->pci;
    struct pcv_emulated_info info = {
        .vendor = VENDOR,
        .device = DEVICE,
        .subsystem_vendor = PCV_MAILBOX_SUBSYSTEM_VENDOR,
        .subsystem = PCV_MAILBOX_SUBSYSTEM,
        .class_code = PCV_MAILBOX_CLASS,
        .bar_size = PCV_MAILBOX_BAR_SIZE,
        .window = {pci->memory32.base},
        .window_size = pci->memory32.size,
    };
    struct pcv_emulated *emulated;
    int error = -PCV_ENOSPC;

    for (uint8_t device = PCV_SLOTS; error != 0 && device-- > 0;) {
        info.sbdf =
            pcv_sbdf_make(pci->segment, pci->bus_first, pcv_devfn(device, 0));
        error = pcv_emulated_create(pcv_host_hardware_domain(host), &info,
                                    &control_ops, NULL, &emulated);
    }
    if (error == 0 && modelled()) {
        place_bar(pcv_host_hardware_domain(host), &info);
    }
    if (error == 0) {
        print("control device at %02x:%02x.0\n", pci->bus_first,
              pcv_sbdf_device(info.sbdf));
    }
    return error;
}

void control_init(const struct machine *machine, struct pcv_host *host)
{
    int error = pcv_mailbox_create(host, EVENTS_KEPT, &mailbox);

    if (error == 0) {
        error = place(machine, host);
    }
    if (error != 0) {
        print("no control device: error %d\n", error);
    }
}

void control_event(const struct pcv_event *event)
{
    if (mailbox) {
        pcv_mailbox_event(mailbox, event);
    }
}
