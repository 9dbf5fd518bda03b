/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping pages run by run, with use counts for the hardware
 * domain (HDR-7, HDR-9). A run lies in one piece of a BAR, and all its pages
 * are wanted and trapped equally often, so that the host is asked for all of
 * them or none.
 */
#include "vpci/map.h"

#define ERRNO_MAX 4095

/* The run that an operation works on. */
struct run {
    uint64_t page, pages;
    uint32_t wanted, holes; /* counts of each page */
    bool read_only;         /* somebody wants them so (OWN-7) */
};

static struct run look(const struct pcv_domain *domain, uint64_t page,
                       uint64_t pages) PCV__REQUIRES(domain->map_lock)
{
    struct run run = {.page = page};
    uint64_t length = 0;

    run.wanted = pcv__imap_prefix(&domain->map, page, page + pages, &length);
    run.holes = pcv__imap_prefix(&domain->holes, page, page + length, &length);
    run.read_only = pcv__imap_prefix(&domain->read_only, page, page + length,
                                     &run.pages) != 0;
    return run;
}

/* What the host did of `pages`, which is at least one page; an error is told
 * and the pages are taken as unmapped. */
static uint64_t host_unmap(struct pcv_device *device, uint32_t number,
                           uint64_t first, uint64_t pages)
{
    const struct pcv__mem *mem = &device->host->mem;
    int64_t done =
        mem->ops.unmap(mem->ctx, pcv__map_domain(device)->id,
                       (pcv_gpa){first << device->host->page_shift}, pages);

    if (done <= 0) {
        pcv__event(device, PCV_EVENT_UNMAP_FAILED, PCV_EVENT_HOST, number,
                   0u - (uint64_t)done);
        return pages;
    }
    return (uint64_t)done < pages ? (uint64_t)done : pages;
}

/* What the host says when it mapped nothing. Restart is our own word, for a
 * part that was done; a number that is none of errno's is an error too. */
static int map_error(int64_t done)
{
    return done >= -ERRNO_MAX && done < 0 && done != -PCV_ERESTART ? (int)done
                                                                   : -PCV_EIO;
}

/* 0 and how many pages the host did, at least one; or its error. */
static int host_map(struct pcv_device *device, uint64_t page, uint64_t host,
                    uint64_t pages, bool read_only, uint64_t *out_done)
{
    int64_t done =
        pcv__host_map(pcv__map_domain(device), page, host, pages, read_only);

    if (done <= 0) {
        return map_error(done);
    }
    *out_done = (uint64_t)done < pages ? (uint64_t)done : pages;
    return 0;
}

/* Nodes were set aside, and nothing is counted out that was not counted in. */
static void expect(struct pcv_device *device, int error)
{
    PCV__ASSERT(&device->host->mem, error == 0);
    (void)device;
    (void)error;
}

/* ---- hardware domain -------------------------------------------------------
 */

/* Pages come. *out_done is what was done and counted. */
static int count_in(struct pcv_device *device, uint32_t number, uint64_t page,
                    struct pcv__piece piece, uint64_t *out_done)
{
    struct pcv_domain *domain = pcv__map_domain(device);
    struct run run;
    int error = 0;

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    run = look(domain, page, piece.pages);
    *out_done = run.pages;
    if (piece.hole) {
        if (run.wanted != 0 && run.holes == 0) {
            *out_done = host_unmap(device, number, page, run.pages);
        }
        expect(device, pcv__imap_inc(&domain->holes, page, *out_done));
    } else {
        if (run.wanted == 0 && run.holes == 0) {
            error = host_map(device, page, page, run.pages, run.read_only,
                             out_done);
        }
        if (error == 0) {
            expect(device, pcv__imap_inc(&domain->map, page, *out_done));
        }
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    if (error == 0 && *out_done < run.pages) {
        error = -PCV_ERESTART;
    }
    return error;
}

/* The last hole of pages goes that other BARs want. If they cannot be mapped
 * again, the rest of the hole stays counted, so that what is recorded is true:
 * nothing is mapped there, and what is trapped of the others is served. */
static bool hole_out(struct pcv_device *device, uint32_t number,
                     const struct run *run, uint64_t *out_done)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    int error = 0;

    if (run->wanted != 0 && run->holes == 1) {
        error = host_map(device, run->page, run->page, run->pages,
                         run->read_only, out_done);
    }
    if (error != 0) {
        pcv__event(device, PCV_EVENT_MAP_FAILED, PCV_EVENT_HOST, number,
                   (uint64_t)-error);
        mapped->holes--; /* its nodes are the domain's for good */
    }
    return error == 0;
}

/* Pages go. Whether all of the run was done. */
static bool count_out(struct pcv_device *device, uint32_t number, uint64_t page,
                      struct pcv__piece piece, uint64_t *out_done)
{
    struct pcv_domain *domain = pcv__map_domain(device);
    struct run run;

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    run = look(domain, page, piece.pages);
    *out_done = run.pages;
    if (piece.hole) {
        if (hole_out(device, number, &run, out_done)) {
            expect(device, pcv__imap_dec(&domain->holes, page, *out_done));
        } else {
            *out_done = run.pages = piece.pages;
        }
    } else {
        if (run.wanted == 1 && run.holes == 0) {
            *out_done = host_unmap(device, number, page, run.pages);
        }
        expect(device, pcv__imap_dec(&domain->map, page, *out_done));
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    return *out_done == run.pages;
}

/* ---- guests, who have claimed their pages ----------------------------------
 */

static int guest_in(struct pcv_device *device, uint64_t page, uint64_t host,
                    struct pcv__piece piece, uint64_t *out_done)
{
    int error = 0;

    *out_done = piece.pages;
    if (!piece.hole) {
        error = host_map(device, page, host, piece.pages, false, out_done);
    }
    return error == 0 && *out_done < piece.pages ? -PCV_ERESTART : error;
}

static bool guest_out(struct pcv_device *device, uint32_t number, uint64_t page,
                      struct pcv__piece piece, uint64_t *out_done)
{
    *out_done = piece.hole ? piece.pages
                           : host_unmap(device, number, page, piece.pages);
    return *out_done == piece.pages;
}

/* ---- either ----------------------------------------------------------------
 */

static uint64_t start_of(struct pcv_device *device, uint32_t number)
{
    return pcv__vpci(device)->mapped[number].start >> device->host->page_shift;
}

int pcv__run_map(struct pcv_device *device, uint32_t number, uint64_t host)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mapped *mapped = &vpci->mapped[number];
    uint64_t page = mapped->first + mapped->pages;
    uint64_t at = page - start_of(device, number);
    struct pcv__piece piece =
        pcv__piece_at(vpci, number, mapped->trapped, at, mapped->total - at);
    uint64_t done = 0;
    int error = device->assignment
                    ? guest_in(device, page, host + at, piece, &done)
                    : count_in(device, number, page, piece, &done);

    if (error == 0 || error == -PCV_ERESTART) {
        mapped->pages += done;
    }
    return error;
}

bool pcv__run_unmap(struct pcv_device *device, uint32_t number)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mapped *mapped = &vpci->mapped[number];
    uint64_t page = mapped->first;
    struct pcv__piece piece =
        pcv__piece_at(vpci, number, mapped->trapped,
                      page - start_of(device, number), mapped->pages);
    uint64_t done = 0;
    bool all = device->assignment
                   ? guest_out(device, number, page, piece, &done)
                   : count_out(device, number, page, piece, &done);

    mapped->first += done;
    mapped->pages -= done;
    return all;
}
