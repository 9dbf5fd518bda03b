/* SPDX-License-Identifier: MIT */
/* Why an operation was refused: a row for each reason that can be told from
 * others. */
#include "ctl/why.h"

#define FAULTS_MAX "63"
_Static_assert(PCV_FAULTS_THRESHOLD_MAX == 63, "as the words below say");

/* ---- where the function stands ---------------------------------------------
 */

static bool is_absent(const struct why *why)
{
    return why->has_status && why->status.state == PCV_STATE_ABSENT;
}

static bool is_adding(const struct why *why)
{
    return why->has_status && why->status.state == PCV_STATE_ADDING;
}

static bool is_leaving(const struct why *why)
{
    return why->has_status && why->status.state == PCV_STATE_LEAVING;
}

static bool is_unreachable(const struct why *why)
{
    return why->has_status && why->status.state == PCV_STATE_UNREACHABLE;
}

static bool has_vanished(const struct why *why)
{
    return why->has_status && why->status.vanished;
}

static bool is_broken(const struct why *why)
{
    return why->has_status && why->status.broken;
}

static bool remove_waits(const struct why *why)
{
    return why->has_status && why->status.remove_waits;
}

static bool is_changing(const struct why *why)
{
    return why->has_status && why->status.change_step != PCV_STEP_NONE &&
           why->status.change_error == 0;
}

static bool waits_above(const struct why *why)
{
    pcv_sbdf bridge;

    return why->has_status &&
           ctl_bridge_leaves(why->ctl, why->request->sbdf, &bridge);
}

static bool has_vectors(const struct why *why)
{
    return why->has_status && why->status.held[PCV_HOLDER_VECTOR] != 0;
}

/* ---- whose it is -----------------------------------------------------------
 */

static bool is_owned_by(const struct why *why, uint32_t id)
{
    return why->has_status && why->status.state != PCV_STATE_ABSENT &&
           why->status.owner_id == id;
}

static bool is_askers(const struct why *why)
{
    return is_owned_by(why, why->request->domain_id);
}

static bool is_dom0s(const struct why *why)
{
    return is_owned_by(why, PCV_DOMAIN_ID_HARDWARE);
}

static bool is_hypervisors(const struct why *why)
{
    return is_owned_by(why, PCV_DOMAIN_ID_HYPERVISOR);
}

static bool is_quarantined(const struct why *why)
{
    return is_owned_by(why, PCV_DOMAIN_ID_QUARANTINE);
}

static bool is_guests(const struct why *why)
{
    return why->has_status && why->status.state != PCV_STATE_ABSENT &&
           !is_dom0s(why) && !is_hypervisors(why) && !is_quarantined(why);
}

static bool for_dom0(const struct why *why)
{
    return why->request->domain_id == PCV_DOMAIN_ID_HARDWARE;
}

/* ---- what it is ------------------------------------------------------------
 */

static bool is_bridge(const struct why *why)
{
    return why->has_info && why->info.is_bridge;
}

static bool is_no_bridge(const struct why *why)
{
    return why->has_info && !why->info.is_bridge;
}

static bool is_vf(const struct why *why)
{
    return why->has_info && why->info.is_vf;
}

static bool has_vfs(const struct why *why)
{
    return why->has_info && ctl_vf_count(why->ctl, why->request->sbdf) != 0;
}

static bool is_known(const struct why *why)
{
    return why->has_info;
}

static bool is_read_only(const struct why *why)
{
    return why->has_info && why->info.read_only;
}

static bool has_odd_header(const struct why *why)
{
    return why->has_info && (why->info.header_type & 0x7fu) > 1;
}

static bool is_no_endpoint(const struct why *why)
{
    return why->has_info && why->info.type != PCV_TYPE_ENDPOINT &&
           why->info.type != PCV_TYPE_LEGACY_ENDPOINT &&
           why->info.type != PCV_TYPE_RC_ENDPOINT;
}

/* Until the machine ends: nothing gives it back. */
static bool is_driven(const struct why *why)
{
    return is_hypervisors(why) && is_read_only(why) && !why->info.hidden &&
           !why->info.concealed;
}

/* It goes with its PF. */
static bool is_vf_in_the_way(const struct why *why)
{
    return why->request->op != PCV_CTL_QUARANTINE && is_vf(why);
}

/* ---- what was asked --------------------------------------------------------
 */

static bool says_vf(const struct why *why)
{
    return (why->request->u.add.flags & PCV_ADD_IS_VF) != 0;
}

static bool says_extended(const struct why *why)
{
    return (why->request->u.add.flags & PCV_ADD_EXTENDED_FUNCTION) != 0;
}

static bool whole_subtree(const struct why *why)
{
    return (why->request->flags & PCV_CTL_SUBTREE) != 0;
}

static bool whole_slot(const struct why *why)
{
    return (why->request->flags & PCV_CTL_SLOT) != 0;
}

static bool subtree_and_slot(const struct why *why)
{
    return whole_subtree(why) && whole_slot(why);
}

static bool subtree_of_none(const struct why *why)
{
    return whole_subtree(why) && is_no_bridge(why);
}

static bool subtree_with_ranges(const struct why *why)
{
    return whole_subtree(why) && why->request->u.hide.range_count != 0;
}

static bool lets_bytes_through(const struct why *why)
{
    return why->request->u.assign.passed_count != 0;
}

static bool brings_rom(const struct why *why)
{
    return why->request->u.assign.rom_size != 0;
}

/* What no hardware is asked for. */
static bool is_of_the_host(const struct why *why)
{
    switch (why->request->op) {
    case PCV_CTL_STATS:
    case PCV_CTL_LIST:
    case PCV_CTL_UNREACHABLE:
    case PCV_CTL_DEVICE:
    case PCV_CTL_STATUS:
    case PCV_CTL_HOLDERS:
    case PCV_CTL_NODES:
    case PCV_CTL_PATH:
    case PCV_CTL_DOMAINS:
    case PCV_CTL_MAPPINGS:
    case PCV_CTL_EVENTS:
        return true;
    default:
        return false;
    }
}

static bool backwards(const struct why *why)
{
    return why->request->u.ecam.bus_last < why->request->u.ecam.bus_first;
}

static bool names_another(const struct why *why)
{
    return why->request->u.requesters.what == PCV_CTL_REQUESTERS_ADD;
}

static bool names_phantoms(const struct why *why)
{
    return why->request->u.requesters.what == PCV_CTL_REQUESTERS_PHANTOM;
}

/* ---- the rows --------------------------------------------------------------
 */

#define ALONE                                                                  \
    ": a bridge is not taken alone; --subtree takes all that is behind it, "   \
    "too"
#define NO_SUBTREE " is no bridge, so --subtree names nothing behind it"
#define BAD_SLOT                                                               \
    ": --slot is for function 0 of a device, which is no bridge and no VF"
#define ODD_HEADER ": its header is of no type that is known"
#define DRIVEN " is the hypervisor's own, for good"
#define REVEAL_FIRST                                                           \
    " is the hypervisor's, hidden or concealed; reveal it first"
#define CHANGING ": its owner changes, at step '$'; try again"
#define NO_GUESTS ": bridges and kinds that are not known are given to no guest"

/* Of operations that come in pairs. */
#define ASSIGN_ROWS(OP)                                                        \
    {OP, PCV_EINVAL, for_dom0, ": dom0 is no guest; deassign gives it back"},  \
        {OP, PCV_EINVAL, is_askers, ": @ has it already"},                     \
        {OP, PCV_EINVAL, lets_bytes_through,                                   \
         ": bytes that are let through begin and end at multiples of 4 below " \
         "1000"},                                                              \
        {OP, PCV_EINVAL, brings_rom, ": the ROM image is too large"},          \
        {OP, PCV_EINVAL, NULL, ": the guest is being destroyed"},              \
        {OP, PCV_EOPNOTSUPP, has_odd_header, ODD_HEADER},                      \
        {OP, PCV_EOPNOTSUPP, NULL,                                             \
         "#: it cannot be reset between owners; --no-reset accepts that"},     \
        {OP, PCV_EPERM, is_broken,                                             \
         " is marked as broken; 'broken SBDF off' takes that back"},           \
        {OP, PCV_EPERM, is_no_endpoint, NO_GUESTS},                            \
        {OP, PCV_EPERM, NULL,                                                  \
         ": the host gives its DMA to no guest, say because firmware keeps "   \
         "memory for it"},                                                     \
        {OP, PCV_EBUSY, is_changing, CHANGING},                                \
        {OP, PCV_EBUSY, is_guests, ": @ has it; deassign it first"},           \
        {OP, PCV_EBUSY, is_driven, DRIVEN},                                    \
        {OP, PCV_EBUSY, is_hypervisors, REVEAL_FIRST},                         \
        {OP, PCV_EBUSY, waits_above,                                           \
         ": a bridge above it is to be removed; cancel-remove takes that "     \
         "back"},                                                              \
        {OP, PCV_EBUSY, remove_waits,                                          \
         " is to be removed; cancel-remove takes that back"},                  \
        {OP, PCV_EBUSY, has_vfs, " has VFs; disable them first"},              \
        {OP, PCV_EBUSY, has_vectors,                                           \
         ": a vector of it is attached; free that first"},                     \
        {OP, PCV_EBUSY, NULL, ": somebody changes its owner; try again"},      \
        {OP, PCV_EXDEV, NULL,                                                  \
         ": another user has functions of its isolation group; --group takes " \
         "all of it"},                                                         \
        {OP, PCV_EAGAIN, NULL,                                                 \
         ": whether it has extended space is not settled yet; try again"},     \
        {OP, PCV_EEXIST, NULL,                                                 \
         ": something stands in that slot of the guest's bus already"},        \
    {                                                                          \
        OP, PCV_ENOSPC, NULL, ": no slot of the guest's bus is free"           \
    }

/* Of hide, conceal and quarantine. */
#define TAKE_ROWS(OP)                                                          \
    {OP, PCV_EINVAL, subtree_and_slot,                                         \
     ": --subtree and --slot exclude each other"},                             \
        {OP, PCV_EINVAL, subtree_of_none, NO_SUBTREE},                         \
        {OP, PCV_EINVAL, whole_slot, BAD_SLOT},                                \
        {OP, PCV_EPERM, is_vf,                                                 \
         " is a VF: what it has is its PF's, take that"},                      \
        {OP, PCV_EPERM, NULL, ALONE}, {OP, PCV_EBUSY, is_changing, CHANGING},  \
        {OP, PCV_EBUSY, is_guests, ": @ has it; deassign it first"},           \
        {OP, PCV_EBUSY, is_driven, DRIVEN},                                    \
        {OP, PCV_EBUSY, is_hypervisors, REVEAL_FIRST},                         \
        {OP, PCV_EBUSY, is_vf_in_the_way,                                      \
         " is a VF, which goes with its PF; disable it first"},                \
        {OP, PCV_EBUSY, has_vfs, " has VFs; disable them first"},              \
        {OP, PCV_EBUSY, has_vectors,                                           \
         ": a vector of it is attached; free that first"},                     \
    {                                                                          \
        OP, PCV_EBUSY, NULL,                                                   \
            ": it is on its way to a guest, or somebody changes its owner; "   \
            "try again"                                                        \
    }

const struct why_row why_rows[] = {
    {PCV_CTL_ADD, PCV_ENODEV, says_extended,
     ": nothing answers there, or function 0 of its device is not registered; "
     "add that first"},
    {PCV_CTL_ADD, PCV_ENODEV, says_vf,
     ": its PF is not registered, or not reached; add that first"},
    {PCV_CTL_ADD, PCV_ENODEV, NULL, ": nothing answers there"},
    {PCV_CTL_ADD, PCV_EINVAL, says_extended,
     ": it cannot be an extended function, which has a number above 7, behind "
     "a port that forwards to it, no phantom functions, and is no VF"},
    {PCV_CTL_ADD, PCV_EINVAL, says_vf,
     ": no VF of that function is at this address"},
    {PCV_CTL_ADD, PCV_EINVAL, NULL, ": the machine has no such bus"},
    {PCV_CTL_ADD, PCV_EEXIST, NULL,
     ": an emulated function has that place, or it is concealed; remove or "
     "reveal that first"},
    {PCV_CTL_ADD, PCV_EAGAIN, NULL,
     ": it does not answer yet after a reset; try again"},
    {PCV_CTL_ADD, PCV_EBUSY, is_adding, " is being added by somebody else"},
    {PCV_CTL_ADD, PCV_EBUSY, NULL,
     ": what was there is still held, or bus numbers change; try again"},
    {PCV_CTL_CANCEL_REMOVE, PCV_ENOENT, NULL,
     " does not wait to be removed, so there is nothing to withdraw"},
    {PCV_CTL_CANCEL_REMOVE, PCV_EBUSY, NULL,
     ": too late, it is leaving; add it again when it is gone"},
    {PCV_CTL_SCAN, PCV_EIO, NULL, ": the host cannot say which buses it has"},
    {PCV_CTL_ECAM, PCV_EINVAL, backwards,
     ": the last bus comes before the first"},
    {PCV_CTL_ECAM, PCV_EBUSY, NULL,
     " is a guest's, and would gain or lose its extended space; deassign it "
     "first"},
    ASSIGN_ROWS(PCV_CTL_ASSIGN),
    ASSIGN_ROWS(PCV_CTL_TEST_ASSIGN),
    {PCV_CTL_REMOVE, PCV_EBUSY, is_driven, DRIVEN},
    {PCV_CTL_REMOVE, PCV_EBUSY, NULL, REVEAL_FIRST},
    {PCV_CTL_DEASSIGN, PCV_EINVAL, is_driven, DRIVEN},
    {PCV_CTL_DEASSIGN, PCV_EINVAL, is_hypervisors, REVEAL_FIRST},
    {PCV_CTL_DEASSIGN, PCV_EINVAL, NULL,
     " is @'s: no guest has it, and it is not in quarantine"},
    {PCV_CTL_DEASSIGN, PCV_EAGAIN, NULL,
     ": no bus number leads to it; again when one does"},
    {PCV_CTL_DEASSIGN, PCV_EBUSY, is_changing, CHANGING},
    {PCV_CTL_DEASSIGN, PCV_EBUSY, is_quarantined,
     ": only its bus can be reset, with what others have there; again when "
     "they gave it back"},
    {PCV_CTL_DEASSIGN, PCV_EBUSY, NULL,
     ": somebody changes its owner right now; try again"},
    {PCV_CTL_RESTORE, PCV_EBUSY, NULL,
     ": its owner is being changed; again when it has one"},
    {PCV_CTL_EVENTS, PCV_ENOSYS, NULL, ": the host keeps none"},
    {PCV_CTL_READ_ONLY, PCV_EPERM, is_vf,
     " is a VF: its registers are its PF's affair"},
    {PCV_CTL_READ_ONLY, PCV_EPERM, NULL,
     ": a bridge leads to others and cannot be the hypervisor's own"},
    {PCV_CTL_READ_ONLY, PCV_EOPNOTSUPP, NULL,
     " is read-only already: its header is of no type that is known"},
    {PCV_CTL_READ_ONLY, PCV_EBUSY, is_guests, ": @ has it; deassign it first"},
    {PCV_CTL_READ_ONLY, PCV_EBUSY, is_quarantined,
     " is in quarantine; deassign it first"},
    {PCV_CTL_READ_ONLY, PCV_EBUSY, is_hypervisors, REVEAL_FIRST},
    {PCV_CTL_READ_ONLY, PCV_EBUSY, has_vfs, " has VFs; disable them first"},
    {PCV_CTL_READ_ONLY, PCV_EBUSY, has_vectors,
     ": a vector of it is attached; free that first"},
    {PCV_CTL_BUSES, PCV_EINVAL, is_no_bridge, " is no bridge"},
    {PCV_CTL_BUSES, PCV_EINVAL, NULL,
     ": these are not its numbers: its registers say otherwise, what is above "
     "does not lead there, or another bridge has some of them"},
    {PCV_CTL_BROKEN, PCV_EINVAL, NULL, ": it is broken or not: 1 or 0"},
    {PCV_CTL_FAULTS, PCV_EINVAL, NULL,
     ": a threshold is at most " FAULTS_MAX ", a time at least 1 ms"},
    {PCV_CTL_ISOLATE, PCV_EPERM, is_bridge,
     " leads to conventional PCI, or is such a bridge: what is behind it "
     "cannot be told apart"},
    {PCV_CTL_ISOLATE, PCV_EPERM, NULL,
     ": the IOMMU cannot tell it from others behind the same bridge of "
     "conventional PCI"},
    {PCV_CTL_REQUESTERS, PCV_EINVAL, names_another,
     ": the other requester ID is of another segment"},
    {PCV_CTL_REQUESTERS, PCV_EINVAL, names_phantoms,
     ": a stride is 1, 2 or 4 and above its function number, and with ARI "
     "there is none"},
    {PCV_CTL_REQUESTERS, PCV_ENOSPC, NULL,
     ": 4 requester IDs of it are named already"},
    {PCV_CTL_REQUESTERS, PCV_EBUSY, is_guests, ": @ has it; deassign it first"},
    {PCV_CTL_REQUESTERS, PCV_EIO, NULL,
     ": the host could not direct its DMA; nothing has changed"},
    {PCV_CTL_OVERRIDE, PCV_EINVAL, NULL,
     " is neither a bridge nor a function that can have VFs"},
    {PCV_CTL_HIDE, PCV_EINVAL, subtree_with_ranges,
     ": ranges are of one function, and --subtree is of several"},
    TAKE_ROWS(PCV_CTL_HIDE),
    {PCV_CTL_HIDE, PCV_EINVAL, NULL,
     ": a range does not lie inside a memory BAR of it; 'map SBDF' shows them"},
    {PCV_CTL_HIDE, PCV_EOPNOTSUPP, NULL, ODD_HEADER},
    {PCV_CTL_HIDE, PCV_EAGAIN, NULL,
     ": it sleeps in a lower power state; again when it is awake"},
    {PCV_CTL_HIDE, PCV_EEXIST, NULL,
     ": the host has a register of its own where one must be virtual"},
    TAKE_ROWS(PCV_CTL_CONCEAL),
    TAKE_ROWS(PCV_CTL_QUARANTINE),
    {PCV_CTL_REVEAL, PCV_EINVAL, subtree_and_slot,
     ": --subtree and --slot exclude each other"},
    {PCV_CTL_REVEAL, PCV_EINVAL, subtree_of_none, NO_SUBTREE},
    {PCV_CTL_REVEAL, PCV_EINVAL, whole_slot, BAD_SLOT},
    {PCV_CTL_REVEAL, PCV_EINVAL, is_read_only,
     ": the hypervisor drives it itself, for good"},
    {PCV_CTL_REVEAL, PCV_EPERM, NULL,
     ": all of its slot, or a bridge above it, is concealed; reveal that, with "
     "--slot or --subtree"},
    {PCV_CTL_REVEAL, PCV_EBUSY, is_guests, ": @ has it; deassign it first"},
    {PCV_CTL_RESET, PCV_EOPNOTSUPP, is_bridge,
     ": a bridge is not reset by itself"},
    {PCV_CTL_RESET, PCV_EOPNOTSUPP, NULL, ": it knows no way to be reset"},
    {PCV_CTL_RESET, PCV_EPERM, is_driven, DRIVEN},
    {PCV_CTL_RESET, PCV_EPERM, NULL, REVEAL_FIRST},
    {PCV_CTL_PREPARE_MSIX, PCV_ENODEV, is_known,
     ": its owner has no MSI-X of it"},
    {PCV_CTL_PREPARE_MSIX, PCV_EBUSY, NULL,
     ": MSI-X is set aside already, enabled, or a vector of it is in use"},
    {PCV_CTL_RELEASE_MSIX, PCV_ENODEV, is_known,
     ": its owner has no MSI-X of it"},
    {PCV_CTL_RELEASE_MSIX, PCV_EBUSY, NULL,
     ": MSI-X is not set aside, or its owner uses it"},
    {PCV_CTL_CONFIG, PCV_ENODEV, NULL, ": the domain has no function there"},
    {PCV_CTL_CONFIG, PCV_EINVAL, NULL, ": it has no such registers"},
    {PCV_CTL_CONFIG, PCV_ERESTART, NULL, ": it changes right now; ask again"},
    {PCV_CTL_NODES, PCV_EINVAL, NULL,
     ": between 1 and 32 addresses can be asked for at a time"},

    {0, PCV_ENODEV, is_leaving, " is leaving"},
    {0, PCV_ENODEV, is_unreachable, ": no bus number leads to it"},
    {0, PCV_ENODEV, has_vanished, " has vanished; it can only be removed"},
    {0, PCV_ENODEV, is_adding, " is being added"},
    {0, PCV_ENODEV, is_absent,
     ": nothing is registered there; 'devices' lists what is"},
    {0, PCV_ENODEV, NULL, ": nothing is registered there, or it is leaving"},
    {0, PCV_ENOENT, NULL, ": there is no such domain; 'domains' lists them"},
    {0, PCV_EBUSY, is_leaving, " is leaving"},
    {0, PCV_EBUSY, is_changing, CHANGING},
    {0, PCV_EBUSY, NULL,
     ": somebody resets it or changes its owner right now; try again"},
    {0, PCV_ENOSYS, NULL,
     ": the hypervisor has no such operation; it may be of another version"},
    {0, PCV_EOPNOTSUPP, NULL,
     ": the hypervisor speaks another version, or has no way to do it"},
    {0, PCV_EINVAL, NULL, ": the hypervisor makes no sense of these arguments"},
    {0, PCV_EPERM, NULL, ": the hypervisor does not allow it"},
    {0, PCV_EIO, is_of_the_host,
     ": the hypervisor gave no answer that makes sense"},
    {0, PCV_EIO, NULL,
     ": the host could not reach it, or it did not answer as it should"},
    {0, PCV_ENOMEM, NULL, ": the hypervisor has no memory for it"},
    {0, PCV_EAGAIN, NULL, ": it is not ready; try again"},
    {0, PCV_ERESTART, NULL,
     ": it is not over; the same command again goes on with it"},
    {0, PCV_EEXIST, NULL, ": there is one already"},
    {0, PCV_EXDEV, NULL, ": others of its isolation group have another user"},
    {0, PCV_ENOSPC, NULL, ": there is no room for another one"},
    {0, PCV_ERANGE, NULL, ": only a part of something was meant"},
    {0, PCV_ELOOP, NULL,
     ": the bridges above it lead back to it, so they cannot be followed"},
    {0, PCV_EOVERFLOW, NULL, ": it is counted too often already"},
    {0, PCV_EFAULT, NULL, ": that address leads nowhere"},
};

const size_t why_row_count = sizeof(why_rows) / sizeof(why_rows[0]);
