/* SPDX-License-Identifier: MIT */
/* Why an operation was refused, where the error alone does not say it. */
#include "ctl/ctl.h"

/* ---- VFs ------------------------------------------------------------------
 */

struct vfs {
    pcv_sbdf pf;
    uint64_t count;
};

/* VFs are in the segment of their PF. */
static bool vf_count(void *arg, const union pcv_ctl_record *record)
{
    struct vfs *vfs = arg;
    const struct pcv_device_info *info = &record->device.info;

    if ((info->sbdf.v ^ vfs->pf.v) >> 16 != 0) {
        return false;
    }
    vfs->count += info->is_vf && info->physfn.v == vfs->pf.v;
    return true;
}

uint64_t ctl_vfs_of(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_LIST, sbdf);
    struct vfs vfs = {sbdf, 0};

    request.cursor = sbdf.v & 0xffff0000u;
    return ctl_each(ctl, &request, vf_count, &vfs) == 0 ? vfs.count : 0;
}

/* ---- bridges --------------------------------------------------------------
 */

struct leaving {
    const struct ctl *ctl;
    pcv_sbdf bridge;
    bool is;
};

static bool bridge_leaves(void *arg, const union pcv_ctl_record *record)
{
    struct pcv_device_status status = {0};
    struct leaving *leaving = arg;

    leaving->bridge = record->sbdf;
    leaving->is = ctl_status_of(leaving->ctl, record->sbdf, &status) == 0 &&
                  status.remove_waits;
    return !leaving->is;
}

bool ctl_bridge_leaves(const struct ctl *ctl, pcv_sbdf sbdf,
                       pcv_sbdf *out_bridge)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_PATH, sbdf);
    struct leaving leaving = {.ctl = ctl};

    (void)ctl_each(ctl, &request, bridge_leaves, &leaving);
    *out_bridge = leaving.bridge;
    return leaving.is;
}

/* ---- in use ---------------------------------------------------------------
 */

/* Somebody else than who is asked for it: the hardware domain is asked, and
 * quarantine has it for nobody. */
static bool is_anothers(uint32_t owner_id)
{
    return owner_id != PCV_DOMAIN_ID_HARDWARE &&
           owner_id != PCV_DOMAIN_ID_QUARANTINE;
}

static void why_in_use(const struct ctl *ctl, pcv_sbdf sbdf,
                       const struct pcv_device_status *status, struct text *to)
{
    pcv_sbdf bridge;
    uint64_t vfs;

    if (status->state == PCV_STATE_LEAVING) {
        text_add(to, ": it is leaving");
    } else if (status->change_step != PCV_STEP_NONE &&
               status->change_error == 0) {
        text_add(
            to, ": its owner changes, at step '%s'",
            pcv_change_step_name((enum pcv_change_step)status->change_step));
    } else if (is_anothers(status->owner_id)) {
        text_add(to, ": %s has it", ctl_domain_name(ctl, status->owner_id).s);
    } else if (status->remove_waits) {
        text_add(to, ": it is to be removed");
    } else if (ctl_bridge_leaves(ctl, sbdf, &bridge)) {
        text_add(to, ": %s above it is to be removed", ctl_show(ctl, bridge).s);
    } else if ((vfs = ctl_vfs_of(ctl, sbdf)) != 0) {
        text_add(to, ": it has ");
        text_add_count(to, vfs, "VF");
    } else if (status->held[PCV_HOLDER_VECTOR] != 0) {
        text_add(to, ": a vector of it is held");
    }
}

/* ---- all ------------------------------------------------------------------
 */

void ctl_why(const struct ctl *ctl, int error, pcv_sbdf sbdf, struct text *to)
{
    struct pcv_device_status status = {0};

    if (ctl_status_of(ctl, sbdf, &status) != 0 ||
        status.state == PCV_STATE_ABSENT) {
        return;
    }
    if (error == -PCV_EBUSY) {
        why_in_use(ctl, sbdf, &status, to);
    } else if (error == -PCV_ENODEV && status.vanished) {
        text_add(to, ": it has vanished, 'remove' ends it");
    } else if (error == -PCV_ENODEV && status.state == PCV_STATE_UNREACHABLE) {
        text_add(to, ": no bus number leads to it");
    }
}

bool ctl_refused(const struct ctl *ctl, int error, pcv_sbdf sbdf)
{
    struct text why = {0};

    ctl_why(ctl, error, sbdf, &why);
    (void)ctl_failed(ctl, error, "%s%s", ctl_show(ctl, sbdf).s, text_str(&why));
    text_fini(&why);
    return false;
}

/* ---- by operation ---------------------------------------------------------
 */

/* Of a VF it may be its PF that is the reason. */
bool ctl_add_refused(const struct ctl *ctl, pcv_sbdf sbdf,
                     const struct pcv_add_info *info, int error)
{
    struct sbdf_text name = ctl_show(ctl, sbdf);
    struct sbdf_text pf = ctl_show(ctl, info->physfn);

    if ((info->flags & PCV_ADD_IS_VF) == 0) {
        return ctl_failed(ctl, error, "%s", name.s);
    }
    if (error == -PCV_ENODEV && !ctl_card_at(ctl, info->physfn).known) {
        return ctl_failed(ctl, error, "%s, the PF of %s", pf.s, name.s);
    }
    return error == -PCV_EINVAL
               ? ctl_failed(ctl, error, "%s is no VF of %s", name.s, pf.s)
               : ctl_failed(ctl, error, "%s", name.s);
}

/* What was asked for makes no sense: the guest has it, or gets nothing more. */
bool ctl_assign_senseless(const struct ctl *ctl,
                          const struct pcv_ctl_request *request)
{
    const struct sbdf_text name = ctl_show(ctl, request->sbdf);
    const struct domain_text guest = ctl_domain_name(ctl, request->domain_id);
    struct pcv_device_status status = {0};

    if (ctl_status_of(ctl, request->sbdf, &status) == 0 &&
        status.state == PCV_STATE_PRESENT &&
        status.owner_id == request->domain_id) {
        return ctl_failed(ctl, -PCV_EINVAL, "%s: %s has it", name.s, guest.s);
    }
    return ctl_failed(ctl, -PCV_EINVAL,
                      "%s: %s is being destroyed, or its slot, BARs, ranges "
                      "or ROM make no sense",
                      name.s, guest.s);
}

/* It is neither a guest's nor in quarantine. */
bool ctl_owned_otherwise(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    return ctl_failed(ctl, -PCV_EINVAL, "%s: %s has it", ctl_show(ctl, sbdf).s,
                      ctl_domain_name(ctl, status.owner_id).s);
}
