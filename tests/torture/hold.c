/* SPDX-License-Identifier: MIT */
/* Actors that hold devices and vectors, and look at what there is. */
#include "torture.h"

/* ---- references ------------------------------------------------------------
 */

/* Slots are recycled: what was found by an address is what stands there. In the
 * arena nothing moves, so it is that function. */
static void check_found(struct player *p, struct pcv_device *device)
{
    struct pcv_device_info info;

    if (device && in_arena(p->fn)) {
        pcv_device_get_info(device, &info);
        EXPECT(p, info.sbdf.v == p->fn->sbdf.v, info.sbdf.v);
    }
}

static struct pcv_device *find(struct player *p)
{
    pcv_sbdf at = p->fn->sbdf;
    struct pcv_device *device;

    switch (chance(p, 5)) {
    case 0:
        return pcv_device_find_owned(p->domain, at);
    case 1:
        return pcv_device_find_real(p->w->host, at);
    case 2:
        return pcv_device_next(p->w->host, at);
    case 3:
        return pcv_device_next_unreachable(p->w->host,
                                           (pcv_sbdf){at.v & 0xffff0000u});
    default:
        device = pcv_device_find(p->w->host, at);
        check_found(p, device);
        return device;
    }
}

enum turn play_hold(struct player *p)
{
    uint32_t at = chance(p, HELD);

    if (p->held[at]) {
        /* One more, where one is held: it is the same device still. */
        struct pcv_device *again = pcv_device_get(p->held[at]);

        EXPECT(p, again == p->held[at], 0);
        pcv_device_put(again);
        return TURN_OVER;
    }
    if (!(one_in(p, 4) ? be_guest(p) : be_hardware(p))) {
        return TURN_OVER;
    }
    p->fn = any_function(p, NULL);
    p->held[at] = find(p);
    if (p->held[at]) {
        pcv_device_get_info(p->held[at], &p->known[at]);
    }
    return TURN_OVER;
}

/* What is held is the card that it was, whatever happened to it (LIFE-3). */
enum turn play_let_go(struct player *p)
{
    uint32_t at = chance(p, HELD);
    struct pcv_device_info now;

    if (p->held[at]) {
        pcv_device_get_info(p->held[at], &now);
        EXPECT(p,
               now.vendor == p->known[at].vendor &&
                   now.device == p->known[at].device &&
                   now.subsystem == p->known[at].subsystem,
               p->known[at].sbdf.v);
        pcv_device_put(p->held[at]);
        p->held[at] = NULL;
    }
    return TURN_OVER;
}

/* ---- vectors ---------------------------------------------------------------
 */

enum turn play_vector_attach(struct player *p)
{
    struct pcv_vector *vector = &p->vector[chance(p, VECTORS)];
    bool msix = one_in(p, 2);
    struct pcv_device *device;
    int answer;

    p->fn = any_function(p, NULL);
    device = pcv_device_find(p->w->host, p->fn->sbdf);
    if (device) {
        answer = pcv_vector_attach(device, vector, msix,
                                   (uint16_t)chance(p, msix ? 64 : 40));
        EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_EEXIST, -PCV_ENODEV);
        pcv_device_put(device);
    }
    return TURN_OVER;
}

enum turn play_vector_detach(struct player *p)
{
    pcv_vector_detach(&p->vector[chance(p, VECTORS)]);
    return TURN_OVER;
}

/* ---- looks -----------------------------------------------------------------
 */

static void look_at(struct player *p, struct pcv_device *device)
{
    struct pcv_bar_view bars[PCV_BARS];
    struct pcv_bound_vector vector = {.index = 0};
    struct pcv_device_info info;

    pcv_device_get_info(device, &info);
    pcv_device_bars(device, bars);
    (void)pcv_device_guest_sbdf(device);
    (void)pcv_device_wait_us(device);
    for (uint32_t i = 0;
         i < 8u &&
         pcv_device_next_vector(device, vector.msix, vector.index, &vector);
         i++) {
        vector.index++;
    }
    EXPECT(p, info.vendor != 0xffffu || info.is_vf, info.sbdf.v);
}

static void look_around(struct player *p)
{
    struct world *w = p->w;
    struct pcv_mapping mapping = {.first_page = 0};
    struct pcv_device_status status;
    struct pcv_host_stats stats;
    pcv_sbdf path[8];
    uint32_t node;
    int answer = pcv_device_status(w->host, p->fn->sbdf, &status);

    EXPECT_ANSWER(p, answer, 0);
    answer = pcv_topology_path(w->host, p->fn->sbdf, path, 8);
    EXPECT(p, answer >= 0 && answer < 256, answer);
    answer = pcv_device_nodes(w->host, &p->fn->sbdf, 1, &node);
    EXPECT_ANSWER(p, answer, 0);
    (void)pcv_host_reserved(w->host, false, p->fn->bar[0], 0x1000);
    pcv_host_get_stats(w->host, &stats);
    for (uint32_t i = 0;
         i < 16 && pcv_domain_next_mapping(
                       p->domain, mapping.first_page + mapping.pages, &mapping);
         i++) {
        EXPECT(p, mapping.pages != 0 && mapping.users != 0, mapping.first_page);
    }
}

enum turn play_look(struct player *p)
{
    struct pcv_device *device;

    if (!(one_in(p, 2) ? be_guest(p) : be_hardware(p))) {
        return TURN_OVER;
    }
    p->fn = any_function(p, NULL);
    look_around(p);
    for (uint32_t i = 0; i < 16; i++) {
        device = pcv_device_find(p->w->host, p->fn->sbdf);
        check_found(p, device);
        pcv_device_put(device);
    }
    device = p->guest == GUESTS
                 ? pcv_device_find(p->w->host, p->fn->sbdf)
                 : pcv_domain_device(p->domain,
                                     (pcv_sbdf){chance(p, GUEST_SLOTS) << 3});
    if (device) {
        look_at(p, device);
        pcv_device_put(device);
    }
    return TURN_OVER;
}

/* ---- the control interface -------------------------------------------------
 */

/* Operations that only look. The others are played by their own actors, who
 * keep books. */
static bool any_question(struct player *p, struct pcv_ctl_request *request)
{
    static const uint32_t ops[] = {
        PCV_CTL_STATS,  PCV_CTL_LIST,    PCV_CTL_DEVICE,   PCV_CTL_STATUS,
        PCV_CTL_NODES,  PCV_CTL_PATH,    PCV_CTL_BARS,     PCV_CTL_CONFIG,
        PCV_CTL_EVENTS, PCV_CTL_DOMAINS, PCV_CTL_MAPPINGS, PCV_CTL_UNREACHABLE,
    };

    p->fn = any_function(p, NULL);
    *request = (struct pcv_ctl_request){
        .op = ops[chance(p, sizeof(ops) / sizeof(ops[0]))],
        .sbdf = p->fn->sbdf,
        .domain_id = one_in(p, 2) ? PCV_DOMAIN_ID_HARDWARE
                                  : FIRST_GUEST_ID + chance(p, GUESTS),
    };
    if (request->op == PCV_CTL_EVENTS) {
        request->u.events.log = p->w->log;
    } else if (request->op == PCV_CTL_NODES) {
        request->u.nodes.count = 1;
        request->u.nodes.sbdf[0] = p->fn->sbdf;
    } else if (request->op == PCV_CTL_CONFIG) {
        /* It reads as the domain does: nobody does that in the arena. */
        request->u.config.end = 0x40;
        return !in_arena(p->fn);
    }
    return true;
}

enum turn play_control(struct player *p)
{
    union pcv_ctl_record record[4];
    struct pcv_ctl_reply reply = {.record = record, .room = 4};
    struct pcv_ctl_request request;
    int answer;

    if (any_question(p, &request)) {
        answer = pcv_ctl(p->w->host, &request, &reply);
        EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_ENOENT, -PCV_ERESTART,
                      -PCV_ELOOP, -PCV_EINVAL);
        EXPECT(p, reply.count <= 4, reply.count);
    }
    return TURN_OVER;
}

/* A client of the mailbox, which others disturb. */
enum turn play_mailbox(struct player *p)
{
    uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE] = {0};
    struct pcv_ctl_request request;
    uint64_t value;

    if (!any_question(p, &request) || request.op == PCV_CTL_CONFIG) {
        return TURN_OVER; /* its address may be mixed with another's */
    }
    (void)pcv_request_encode(&request, p->index + 1u, 0, bytes);
    pcv_mailbox_write(p->w->box, PCV_MAILBOX_CLAIM, 4, p->index + 1u);
    for (uint32_t i = 0; i < sizeof(bytes); i += 4) {
        uint32_t word = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 |
                        (uint32_t)bytes[i + 2] << 16 |
                        (uint32_t)bytes[i + 3] << 24;

        pcv_mailbox_write(p->w->box, PCV_MAILBOX_REQUEST + i, 4, word);
    }
    pcv_mailbox_write(p->w->box, PCV_MAILBOX_DOORBELL, 4, p->index + 1u);
    for (uint32_t i = 0; i < 16; i++) {
        pcv_mailbox_read(p->w->box, PCV_MAILBOX_REPLY + 4u * i, 4, &value);
    }
    pcv_mailbox_write(p->w->box, PCV_MAILBOX_RELEASE, 4, p->index + 1u);
    return TURN_OVER;
}
