/* SPDX-License-Identifier: MIT */
/*
 * Accesses that are left pending, so that something else can come between: a
 * vCPU that waits, step by step.
 */
#include <inttypes.h>

#include "command.h"
#include "guests.h"
#include "reg.h"

/* Whose it is; NULL: that guest is no more, and its vCPUs went with it. */
static struct pcv_domain *left_domain(const struct machine *machine,
                                      const struct left_access *left)
{
    const struct guest *guest = guest_of(machine, left->domain_id);

    if (left->domain_id == pcv_domain_id(machine->dom0)) {
        return machine->dom0;
    }
    return guest != NULL ? guest->domain : NULL;
}

static void left_print(struct call *call, const struct left_access *left,
                       const char *what)
{
    const struct pcv_access *access = &left->access;
    unsigned digits = access->size < 8 ? access->size * 2u : 16u;

    text_add(call->out, "%s %02x%s <- %0*" PRIx64 " (%s)\n",
             view_sbdf(&call->view, access->sbdf).s, access->reg,
             reg_width(access->size).s, (int)digits, access->data, what);
}

enum command_result left_write(struct call *call, pcv_sbdf sbdf, uint16_t reg,
                               uint8_t size, uint64_t value)
{
    struct session *session = call->session;
    struct left_access left = {pcv_domain_id(call->view.domain),
                               PCV_WRITE(sbdf, reg, size, value)};
    enum pcv_verdict verdict;

    if (call->view.via != VIEW_ADDRESS) {
        return call_misused(call, "--leave goes with --via address");
    }
    if (session->left_count == SESSION_LEFT_MAX) {
        return call_misused(call, "%u accesses are left already: 'resume'",
                            (unsigned)SESSION_LEFT_MAX);
    }
    do {
        verdict = pcv_access(call->view.domain, &left.access);
    } while (verdict == PCV_RETRY);
    left_print(call, &left, pcv_verdict_name(verdict));
    if (verdict == PCV_PENDING) {
        session->left[session->left_count++] = left;
    }
    return COMMAND_DONE;
}

/* A step of it; whether it is over. */
static bool left_step(struct call *call, struct left_access *left)
{
    enum pcv_verdict verdict;

    call->view.domain = left_domain(&call->session->machine, left);
    if (call->view.domain == NULL) {
        text_add(call->out, "its guest ended, and the vCPU with it\n");
        return true;
    }
    verdict = pcv_access_resume(call->view.domain, &left->access);
    left_print(call, left, pcv_verdict_name(verdict));
    return verdict != PCV_PENDING && verdict != PCV_RETRY;
}

enum command_result command_resume(struct call *call)
{
    struct session *session = call->session;
    size_t kept = 0;

    if (session->left_count == 0) {
        return call_failed(call, PCV_ENOENT, "no access was left pending");
    }
    for (size_t i = 0; i < session->left_count; i++) {
        struct left_access left = session->left[i];

        if (!left_step(call, &left)) {
            session->left[kept++] = left;
        }
    }
    session->left_count = kept;
    return COMMAND_DONE;
}
