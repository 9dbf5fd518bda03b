/* SPDX-License-Identifier: MIT */
/*
 * A modelled host from the running machine (SIM-1), through libpci.
 *
 * Only Linux's sysfs is used, and its files are opened for reading: libpci's
 * other methods reach registers through ports or memory that must be written
 * to be read. Nothing is ever written to real hardware.
 */
#include "live.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/source.h"

#define ROM_SHADOW 0xc0000u

struct live {
    jmp_buf stop; /* where libpci's error callback goes */
    struct pci_access *pci;
    struct pci_dev **devs; /* ascending, like the source */
    size_t count;
    uint8_t *config; /* the one that is being read */
    struct pcv__source source;
    char said[128]; /* libpci's last complaint */
};

/* libpci's callbacks have no argument of ours. */
static _Thread_local struct live *current;

/* ---- libpci's callbacks -------------------------------------------------- */

static void PCV__PRINTF(1, 0) remember(const char *format, va_list args)
{
    (void)vsnprintf(current->said, sizeof(current->said), format, args);
}

static void PCV__PRINTF(1, 2) on_warning(char *format, ...)
{
    va_list args;

    va_start(args, format);
    remember(format, args);
    va_end(args);
}

static void PCV__PRINTF(1, 2) on_debug(char *format, ...)
{
    (void)format;
}

/* It must not return. What libpci had begun (an open directory, a function
 * that is not in its list yet) is lost; nothing of ours is. */
static void PCI_NONRET PCV__PRINTF(1, 2) on_error(char *format, ...)
{
    va_list args;

    va_start(args, format);
    remember(format, args);
    va_end(args);
    longjmp(current->stop, 1);
}

/* ---- one function -------------------------------------------------------- */

static uint32_t domain_of(const struct pci_dev *dev)
{
    return (uint32_t)dev->domain;
}

static uint16_t rid_of(const struct pci_dev *dev)
{
    return (uint16_t)((unsigned)dev->bus << 8 | pcv_devfn(dev->dev, dev->func));
}

static void read_sizes(struct pci_dev *dev, struct pcv_model_function *out)
{
    int known =
        pci_fill_info(dev, PCI_FILL_BASES | PCI_FILL_SIZES | PCI_FILL_ROM_BASE |
                               PCI_FILL_IO_FLAGS | PCI_FILL_NUMA_NODE);

    if ((known & PCI_FILL_NUMA_NODE) != 0 && dev->numa_node >= 0) {
        out->has_node = true;
        out->node = (uint32_t)dev->numa_node;
    }
    if ((known & PCI_FILL_SIZES) == 0) {
        return;
    }
    out->bars_stated = true;
    for (unsigned i = 0; i < 6; i++) {
        bool io = (dev->base_addr[i] & PCV_BAR_SPACE_IO) != 0;

        if ((dev->flags[i] & PCI_IORESOURCE_PCI_EA_BEI) == 0) {
            out->bar_size[i] = pcv__source_bar_size(i, io, dev->size[i]);
        }
    }
    if ((dev->rom_base_addr & ~(pciaddr_t)0x7ff) != ROM_SHADOW) {
        out->bar_size[6] = pcv__source_bar_size(6, false, dev->rom_size);
    }
}

/* The kernel lets only root read more than the first 64 bytes. */
static int unreadable(struct live *live, struct pci_dev *dev,
                      struct pcv_model_error *error)
{
    char label[PCV__SOURCE_LABEL];

    pcv__source_label(label, domain_of(dev), rid_of(dev));
    if (pci_read_block(dev, 0, live->config, 64) != 0) {
        return pcv__source_fail(error, -PCV_EPERM, 0,
                                "only the first 64 bytes of %s can be read: "
                                "run as root",
                                label);
    }
    return pcv__source_fail(error, -PCV_EIO, 0, "%s cannot be read: %s", label,
                            live->said[0] != '\0' ? live->said : "no data");
}

static int collect(struct live *live, struct pci_dev *dev,
                   struct pcv_model_error *error)
{
    struct pcv__source_fn fn;

    memset(&fn, 0, sizeof(fn));
    live->config = calloc(1, PCV_CFG_EXT_SIZE);
    if (live->config == NULL) {
        return pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
    }
    if (pci_read_block(dev, 0, live->config, PCV_CFG_SIZE) == 0) {
        int rc = unreadable(live, dev, error);

        free(live->config);
        live->config = NULL;
        return rc;
    }
    fn.fn.config_size = PCV_CFG_SIZE;
    if (pci_read_block(dev, PCV_CFG_SIZE, live->config + PCV_CFG_SIZE,
                       PCV_CFG_EXT_SIZE - PCV_CFG_SIZE) != 0) {
        fn.fn.config_size = PCV_CFG_EXT_SIZE;
    }
    read_sizes(dev, &fn.fn);
    fn.domain = domain_of(dev);
    fn.rid = rid_of(dev);
    fn.config = live->config;
    live->config = NULL; /* append takes it */
    if (pcv__source_append(&live->source, &fn) != 0) {
        return pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
    }
    return 0;
}

/* ---- all functions ------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct pci_dev *left = *(struct pci_dev *const *)a;
    const struct pci_dev *right = *(struct pci_dev *const *)b;

    if (domain_of(left) != domain_of(right)) {
        return domain_of(left) < domain_of(right) ? -1 : 1;
    }
    return (int)rid_of(left) - (int)rid_of(right);
}

/* libpci lists functions in the order of a directory. */
static int sort(struct live *live, struct pcv_model_error *error)
{
    size_t count = 0;

    for (struct pci_dev *dev = live->pci->devices; dev; dev = dev->next) {
        count++;
    }
    if (count == 0) {
        return pcv__source_fail(error, -PCV_ENODEV, 0,
                                "this machine shows no PCI functions");
    }
    live->devs = calloc(count, sizeof(struct pci_dev *));
    if (live->devs == NULL) {
        return pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
    }
    for (struct pci_dev *dev = live->pci->devices; dev; dev = dev->next) {
        live->devs[live->count++] = dev;
    }
    qsort(live->devs, live->count, sizeof(struct pci_dev *), compare);
    return 0;
}

/*
 * Everything that may end in on_error(). What it allocates hangs on *live, and
 * after a jump no variable of this function is used: a jump loses nothing.
 */
static int read_all(struct live *live, struct pcv_model_error *error)
{
    int rc;

    if (setjmp(live->stop) != 0) {
        return pcv__source_fail(error, -PCV_EIO, 0, "libpci: %s", live->said);
    }
    pci_init(live->pci);
    pci_scan_bus(live->pci);
    rc = sort(live, error);
    for (size_t i = 0; i < live->count && rc == 0; i++) {
        rc = collect(live, live->devs[i], error);
    }
    return rc;
}

static void fini(struct live *live)
{
    free(live->config);
    free(live->devs);
    pcv__source_fini(&live->source);
    if (setjmp(live->stop) == 0) {
        pci_cleanup(live->pci);
    }
}

int pcv__live_load(struct pcv_model *model, const char *sysfs,
                   struct pcv_model_error *error)
{
    struct live live;
    int rc;

    memset(&live, 0, sizeof(live));
    live.pci = pci_alloc();
    if (live.pci == NULL) {
        return pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
    }
    live.pci->method = PCI_ACCESS_SYS_BUS_PCI;
    live.pci->writeable = 0;
    live.pci->error = on_error;
    live.pci->warning = on_warning;
    live.pci->debug = on_debug;
    current = &live;
    if (sysfs != NULL) {
        /* libpci copies the value; it is not const for historical reasons. */
        (void)pci_set_param(live.pci, (char *)(uintptr_t) "sysfs.path",
                            (char *)(uintptr_t)sysfs);
    }
    rc = read_all(&live, error);
    if (rc == 0) {
        rc = pcv__source_deliver(&live.source, model, error);
    }
    fini(&live);
    current = NULL;
    return rc;
}

int pcv_model_load_live(struct pcv_model *model, struct pcv_model_error *error)
{
    return pcv__live_load(model, NULL, error);
}
