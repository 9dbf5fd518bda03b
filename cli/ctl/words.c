/* SPDX-License-Identifier: MIT */
/* What operations answer, in words. */
#include "ctl/words.h"

#include <inttypes.h>

#include "pcivisor/assign.h"
#include "pcivisor/cap.h"
#include "pcivisor/faults.h"
#include "pcivisor/reset.h"

const char *report_state(enum pcv_device_state state)
{
    switch (state) {
    case PCV_STATE_PRESENT:
        return "present";
    case PCV_STATE_LEAVING:
        return "leaving";
    case PCV_STATE_ADDING:
        return "being added";
    case PCV_STATE_UNREACHABLE:
        return "unreachable";
    case PCV_STATE_ABSENT:
        break;
    }
    return "absent";
}

void report_holders(struct text *text, const struct pcv_device_status *status)
{
    const char *between = "";
    for (unsigned i = 0; i < PCV_HOLDERS; i++) {
        if (status->held[i] != 0) {
            text_add(text, "%s%s %" PRIu32, between,
                     pcv_holder_name((enum pcv_holder)i), status->held[i]);
            between = ", ";
        }
    }
    if (between[0] == '\0') {
        text_add(text, "nobody");
    }
}

const char *report_bar_name(unsigned index)
{
    static const char *const name[PCV_BARS] = {"bar0", "bar1", "bar2", "bar3",
                                               "bar4", "bar5", "rom"};
    return index < PCV_BARS ? name[index] : "?";
}

void report_bar_kind(struct text *text, const struct pcv_bar *bar)
{
    static const char *const kind[] = {
        [PCV_BAR_NONE] = "none",   [PCV_BAR_IO] = "I/O",
        [PCV_BAR_MEM32] = "mem32", [PCV_BAR_MEM64] = "mem64",
        [PCV_BAR_ROM] = "rom",
    };
    text_add(text, "%s%s", bar->kind <= PCV_BAR_ROM ? kind[bar->kind] : "?",
             (bar->flags & PCV_BAR_PREFETCHABLE) != 0 ? "p" : "");
}

void words_bar_size(struct text *text, const struct words_names *names,
                    pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar)
{
    if ((bar->flags & PCV_BAR_BROKEN) != 0) {
        text_add(text, "!");
        return;
    }
    bool guessed =
        names->guessed != NULL && names->guessed(names->ctx, sbdf, index);
    text_add(text, "%s%s", format_size(bar->size).s, guessed ? "~" : "");
}

bool report_bar_exists(const struct pcv_bar *bar)
{
    return bar->kind != PCV_BAR_NONE &&
           (bar->size != 0 || (bar->flags & PCV_BAR_BROKEN) != 0);
}

static void event_problem(void *arg, const char *problem)
{
    text_add(arg, ", %s", problem);
}

/* Of a vector or a capability in an event: MSI-X, or extended. */
#define EVENT_FLAG 0x10000u

/* "hidden: AER ENOMEM" */
static void event_cap(struct text *text, const struct pcv_event *event)
{
    bool extended = (event->arg[0] & EVENT_FLAG) != 0;
    uint16_t id = (uint16_t)event->arg[0];
    const char *name = pcv_cap_name(id, extended);

    if (name != NULL) {
        text_add(text, ": %s", name);
    } else {
        text_add(text, ": %0*x", extended ? 4 : 2, id);
    }
    text_add(text, " %s", pcv_errno_name((int)event->arg[1]));
}

/* Of events about another address than the function's. */
static void event_place(struct text *text, const struct words_names *names,
                        const struct pcv_event *event)
{
    struct sbdf_text place =
        names->show(names->ctx, (pcv_sbdf){(uint32_t)event->arg[0]});

    if (event->kind == PCV_EVENT_CONCEALED) {
        text_add(text, ": %s is %s", place.s,
                 event->arg[1] != 0 ? "concealed" : "emulated");
    } else if (event->kind == PCV_EVENT_MOVED) {
        text_add(text, " from %s", place.s);
    } else if (event->kind == PCV_EVENT_OVERRIDDEN) {
        text_add(text, " by a write to %s", place.s);
    } else {
        text_add(text, ": %s %s", place.s, pcv_errno_name((int)event->arg[1]));
    }
}

/* A reset of its bus would have hit somebody. */
static void event_no_reset(struct text *text, const struct words_names *names,
                           const struct pcv_event *event)
{
    if (event->arg[0] != 0) {
        text_add(
            text, ", its bus reset would hit %s",
            names->show(names->ctx, (pcv_sbdf){(uint32_t)event->arg[1]}).s);
    }
}

/* Of events about faults, places, protected writes and resets; of others there
 * is nothing more to say. */
static void event_more(struct text *text, const struct words_names *names,
                       const struct pcv_event *event)
{
    switch (event->kind) {
    case PCV_EVENT_FAULTS:
        text_add(text, ": the last a %s at %" PRIx64 ", bus mastering %s",
                 (event->arg[1] & PCV_FAULT_WRITE) != 0 ? "write" : "read",
                 event->arg[0],
                 (event->arg[1] & PCV_FAULT_LEFT_ON) != 0 ? "is left alone"
                                                          : "is off");
        break;
    case PCV_EVENT_CONCEALED:
    case PCV_EVENT_MOVED:
    case PCV_EVENT_MOVE_FAILED:
    case PCV_EVENT_OVERRIDDEN:
        event_place(text, names, event);
        break;
    case PCV_EVENT_PROTECTED:
        text_add(text, ": bits %" PRIx64 " of %02" PRIx64, event->arg[1],
                 event->arg[0]);
        break;
    case PCV_EVENT_BUS_RESET:
        text_add(
            text, " for %s",
            names->show(names->ctx, (pcv_sbdf){(uint32_t)event->arg[0]}).s);
        break;
    case PCV_EVENT_NO_RESET:
        event_no_reset(text, names, event);
        break;
    case PCV_EVENT_RESET:
    case PCV_EVENT_CHANGE_RESET:
        text_add(text, ": %s", pcv_reset_name((enum pcv_reset)event->arg[0]));
        break;
    default:
        break;
    }
}

/* Of events about owners, capabilities, vectors, VFs, failed adds and moves. */
static void event_details(struct text *text, const struct words_names *names,
                          const struct pcv_event *event)
{
    switch (event->kind) {
    case PCV_EVENT_ASSIGNED:
        text_add(text, " to %s",
                 names->domain(names->ctx, (uint32_t)event->arg[0]).s);
        break;
    case PCV_EVENT_QUARANTINED:
    case PCV_EVENT_CHANGE_FAILED:
        text_add(text, ": %s at step '%s'", pcv_errno_name((int)event->arg[0]),
                 pcv_change_step_name((enum pcv_change_step)event->arg[1]));
        break;
    case PCV_EVENT_CAP_HIDDEN:
        event_cap(text, event);
        break;
    case PCV_EVENT_BIND_FAILED:
        text_add(text, ": %s vector %u %s",
                 (event->arg[0] & EVENT_FLAG) != 0 ? "MSI-X" : "MSI",
                 (unsigned)(event->arg[0] & (EVENT_FLAG - 1)),
                 pcv_errno_name((int)event->arg[1]));
        break;
    case PCV_EVENT_VFS_BUSY:
    case PCV_EVENT_VF_FAILED:
        text_add(
            text, ": %s",
            names->show(names->ctx, (pcv_sbdf){(uint32_t)event->arg[0]}).s);
        if (event->kind == PCV_EVENT_VF_FAILED) {
            text_add(text, " %s", pcv_errno_name((int)event->arg[1]));
        }
        break;
    case PCV_EVENT_EXTENDED:
        text_add(text, " %s", event->arg[0] != 0 ? "came" : "went");
        break;
    case PCV_EVENT_ADD_FAILED:
    case PCV_EVENT_READ_ONLY:
        text_add(text, ": %s", pcv_errno_name((int)event->arg[0]));
        break;
    default:
        event_more(text, names, event);
        break;
    }
}

void report_event(struct text *text, const struct words_names *names,
                  const struct pcv_event *event)
{
    text_add(text, "%s: %s", names->show(names->ctx, event->sbdf).s,
             pcv_event_name(event->kind));
    switch (event->kind) {
    case PCV_EVENT_CAP_LIST:
        view_caps_problems((uint32_t)event->arg[0], event_problem, text);
        break;
    case PCV_EVENT_BUS_NUMBERS:
        text_add(text, " %02" PRIx64 "-%02" PRIx64, event->arg[0],
                 event->arg[1]);
        break;
    case PCV_EVENT_BAR_SIZE:
    case PCV_EVENT_NOT_MAPPED:
        text_add(text, " %s %" PRIx64, report_bar_name((unsigned)event->arg[0]),
                 event->arg[1]);
        break;
    case PCV_EVENT_MAP_FAILED:
    case PCV_EVENT_UNMAP_FAILED:
        text_add(text, " %s %s", report_bar_name((unsigned)event->arg[0]),
                 pcv_errno_name((int)event->arg[1]));
        break;
    case PCV_EVENT_HOST_FAILED:
        if ((event->arg[0] & 0x10000u) != 0) {
            text_add(text, " %s in %s", event->arg[1] != 0 ? "write" : "read",
                     report_bar_name((unsigned)event->arg[0] & 0xffu));
        } else {
            text_add(text, " %s of %02" PRIx64,
                     event->arg[1] != 0 ? "write" : "read", event->arg[0]);
        }
        break;
    default:
        event_details(text, names, event);
        break;
    }
}

void view_caps_problems(uint32_t problems,
                        void (*fn)(void *arg, const char *problem), void *arg)
{
    static const struct {
        uint32_t bit;
        const char *words;
    } problem[] = {
        {PCV_CAP_LOOP, "a pointer leads back into the list"},
        {PCV_CAP_LOW, "a pointer leads into the header"},
        {PCV_CAP_MISALIGNED, "a pointer is no multiple of 4"},
        {PCV_CAP_ALL_ONES, "a capability reads all ones"},
        {PCV_CAP_FULL, "there are more capabilities than fit"},
    };
    for (size_t i = 0; i < sizeof(problem) / sizeof(problem[0]); i++) {
        if ((problems & problem[i].bit) != 0) {
            fn(arg, problem[i].words);
        }
    }
}

void view_add_row(struct text *text, uint16_t reg, const uint8_t *bytes,
                  size_t count)
{
    static const char digits[] = "0123456789abcdef";

    text_add(text, "%02x:", reg);
    /* By hand: a large machine has millions of bytes. */
    for (size_t i = 0; i < count; i++) {
        const char hex[] = {' ', digits[bytes[i] >> 4], digits[bytes[i] & 15u]};
        text_add_bytes(text, hex, sizeof(hex));
    }
    text_add(text, "\n");
}
