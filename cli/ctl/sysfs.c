/* SPDX-License-Identifier: MIT */
/* The mailbox of a running Linux. */
#include "ctl/sysfs.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- files ----------------------------------------------------------------
 */

/* DEVICES/SBDF/NAME */
static void path_make(struct text *path, const char *devices, const char *sbdf,
                      const char *name)
{
    text_clear(path);
    text_add(path, "%s/%s/%s", devices, sbdf, name);
}

/* The number that stands in an attribute; false if there is none. */
static bool number_read(const char *path, unsigned long *out_value)
{
    char line[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *end;

    if (fd < 0) {
        return false;
    }
    ssize_t len = read(fd, line, sizeof(line) - 1);
    close(fd);
    if (len <= 0) {
        return false;
    }
    *out_value = strtoul(line, &end, 0);
    return end != line;
}

static bool is_number(const char *devices, const char *sbdf, const char *name,
                      unsigned long value)
{
    struct text path = {0};
    unsigned long has = 0;

    path_make(&path, devices, sbdf, name);
    bool is = number_read(text_str(&path), &has) && has == value;
    text_fini(&path);
    return is;
}

/* Whether a function says that it is a mailbox, in its configuration space:
 * registers of strangers are never touched. */
static bool is_candidate(const char *devices, const char *sbdf)
{
    return is_number(devices, sbdf, "class", PCV_MAILBOX_CLASS) &&
           is_number(devices, sbdf, "subsystem_vendor",
                     PCV_MAILBOX_SUBSYSTEM_VENDOR) &&
           is_number(devices, sbdf, "subsystem_device", PCV_MAILBOX_SUBSYSTEM);
}

static bool device_find(const char *devices, struct text *out_sbdf,
                        struct text *why)
{
    DIR *folder = opendir(devices);
    const struct dirent *entry;

    if (folder == NULL) {
        text_add(why, "%s: %s", devices, strerror(errno));
        return false;
    }
    while (out_sbdf->len == 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' && is_candidate(devices, entry->d_name)) {
            text_add(out_sbdf, "%s", entry->d_name);
        }
    }
    closedir(folder);
    if (out_sbdf->len == 0) {
        text_add(why, "no function in %s is a mailbox of pcivisor", devices);
        return false;
    }
    return true;
}

/* Let the function decode its BAR. No driver does it for us. */
static bool device_enable(const char *devices, const char *sbdf,
                          struct text *why)
{
    struct text path = {0};
    unsigned long enabled = 0;
    bool good = true;

    path_make(&path, devices, sbdf, "enable");
    if (!number_read(text_str(&path), &enabled) || enabled == 0) {
        int fd = open(text_str(&path), O_WRONLY | O_CLOEXEC);
        good = fd >= 0 && write(fd, "1", 1) == 1;
        if (!good) {
            text_add(why, "%s: %s", text_str(&path), strerror(errno));
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    text_fini(&path);
    return good;
}

/* ---- the BAR --------------------------------------------------------------
 */

/* Locks go with the process, however it ends. */
static bool bar_map(struct sysfs *sysfs, const char *path, struct text *why)
{
    struct stat info;

    sysfs->fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
    if (sysfs->fd < 0) {
        text_add(why, "%s: %s", path, strerror(errno));
        return false;
    }
    if (fstat(sysfs->fd, &info) == 0 && flock(sysfs->fd, LOCK_EX) == 0) {
        sysfs->size = info.st_size < (off_t)PCV_MAILBOX_BAR_SIZE
                          ? 0
                          : PCV_MAILBOX_BAR_SIZE;
        void *bar = sysfs->size != 0
                        ? mmap(NULL, sysfs->size, PROT_READ | PROT_WRITE,
                               MAP_SHARED, sysfs->fd, 0)
                        : MAP_FAILED;
        if (bar != MAP_FAILED) {
            sysfs->bar = bar;
            return true;
        }
        errno = sysfs->size == 0 ? EINVAL : errno;
    }
    text_add(why, "%s: %s", path, strerror(errno));
    close(sysfs->fd);
    return false;
}

bool sysfs_open(struct sysfs *sysfs, const char *devices, const char *sbdf,
                struct text *why)
{
    struct text found = {0};
    struct text path = {0};
    bool good = true;

    memset(sysfs, 0, sizeof(*sysfs));
    if (sbdf != NULL) {
        text_add(&found, "%s", sbdf);
    } else {
        good = device_find(devices, &found, why);
    }
    if (good && device_enable(devices, text_str(&found), why)) {
        path_make(&path, devices, text_str(&found), "resource0");
        good = bar_map(sysfs, text_str(&path), why);
    } else {
        good = false;
    }
    text_fini(&path);
    text_fini(&found);
    return good;
}

void sysfs_close(struct sysfs *sysfs)
{
    munmap((void *)(uintptr_t)sysfs->bar, sysfs->size);
    close(sysfs->fd);
}

/* ---- registers ------------------------------------------------------------
 */

/*
 * One load or store of 4 bytes each. An access that traps must be one that its
 * syndrome describes: on arm64 the compiler may choose an instruction that also
 * changes the address register, so there it has no choice.
 */
static uint32_t sysfs_read(void *ctx, uint32_t at)
{
    const struct sysfs *sysfs = ctx;
    const volatile uint32_t *from = sysfs->bar + at / 4;
    uint32_t value;

#if defined(__aarch64__)
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(from) : "memory");
#else
    value = *from;
#endif
    return le32toh(value);
}

static void sysfs_write(void *ctx, uint32_t at, uint32_t value)
{
    const struct sysfs *sysfs = ctx;
    volatile uint32_t *to = sysfs->bar + at / 4;

    value = htole32(value);
#if defined(__aarch64__)
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(to) : "memory");
#else
    *to = value;
#endif
}

static void sysfs_pause(void *ctx)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};

    (void)ctx;
    (void)nanosleep(&millisecond, NULL);
}

void sysfs_mailbox(struct sysfs *sysfs, struct mailbox *out_mailbox)
{
    memset(out_mailbox, 0, sizeof(*out_mailbox));
    out_mailbox->ctx = sysfs;
    out_mailbox->read = sysfs_read;
    out_mailbox->write = sysfs_write;
    out_mailbox->pause = sysfs_pause;
    out_mailbox->size = (uint32_t)sysfs->size;
}
