/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: what the hardware domain and an administrator may do to a
 * small machine, in any order, with a host that fails and devices that come
 * and go. The input is a sequence of operations; after each of them the
 * library's books must agree with the machine's (access_machine.c).
 */
#include <string.h>

#include "access_machine.h"

/* ---- input --------------------------------------------------------------- */

static uint32_t take(struct machine *m, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && m->left > 0; i++) {
        value |= (uint32_t)*m->in++ << (8 * i);
        m->left--;
    }
    return value;
}

static unsigned take_below(struct machine *m, unsigned limit)
{
    return take(m, 1) % limit;
}

/* ---- accesses ------------------------------------------------------------ */

/* What is absent has no past; and whether something still leaves. A device may
 * take others along: those behind a bridge, and a vanished PF its VFs. */
static bool settle_absent(struct machine *m)
{
    bool leaving = false;

    machine_track(m); /* who moved is not absent */
    for (unsigned i = 0; i < DEVICES; i++) {
        enum pcv_device_state state = machine_status(m, i).state;

        leaving = leaving || state == PCV_STATE_LEAVING;
        if (state == PCV_STATE_ABSENT) {
            m->vanished[i] = m->dirty[i] = m->unfinished[i] = false;
        }
    }
    return leaving;
}

/* A read of a vendor ID may have added a device, or removed what went. */
static void asked(struct machine *m)
{
    m->asking = NULL;
    (void)settle_absent(m);
    for (unsigned i = 0; i < DEVICES; i++) {
        m->vanished[i] = machine_status(m, i).vanished;
        m->dirty[i] = m->dirty[i] || m->vanished[i];
    }
}

static void run(struct machine *m, struct vcpu *v)
{
    struct pcv_access *a = &v->access;

    m->asking = v;
    if (v->entrance == 1) {
        v->verdict = pcv_ecam_access(m->dom0, (pcv_gpa){v->address}, v->size,
                                     v->write, v->data, a);
    } else if (v->entrance == 2) {
        v->verdict = pcv_port_access(m->dom0, (uint16_t)v->address, v->size,
                                     v->write, (uint32_t)v->data, a);
    } else {
        v->verdict = pcv_access(m->dom0, a);
    }
    asked(m);
    CHECK(v->verdict <= PCV_FORWARD);
    CHECK(v->verdict != PCV_ABSENT || a->write || v->size > 4 ||
          (uint32_t)a->data == 0xffffffffu >> (32 - 8 * v->size));
}

/* A vCPU that waits goes on; another one starts something new. */
static void access_op(struct machine *m)
{
    static const uint8_t sizes[] = {1, 2, 4, 4, 8, 3};
    uint32_t head = take(m, 1);
    struct vcpu *v = &m->vcpu[head % VCPUS];
    unsigned i;

    if (v->verdict == PCV_PENDING) {
        m->asking = v;
        v->verdict = pcv_access_resume(m->dom0, &v->access);
        asked(m);
        /* A retry here means: resume again. */
        v->verdict = v->verdict == PCV_RETRY ? PCV_PENDING : v->verdict;
        return;
    }
    if (v->verdict == PCV_RETRY) {
        run(m, v);
        return;
    }
    memset(v, 0, sizeof(*v));
    v->entrance = head / VCPUS % 3;
    v->write = (head & 0x80u) != 0;
    v->size = sizes[take_below(m, sizeof(sizes))];
    i = take_below(m, DEVICES);
    v->address = take(m, 2);
    v->data = v->write ? take(m, 4) : 0;
    if (v->entrance == 0) {
        v->access = (struct pcv_access){.sbdf = machine_place(m, i),
                                        .reg = (uint16_t)v->address,
                                        .size = v->size,
                                        .write = v->write,
                                        .data = v->data};
    } else if (v->entrance == 1) {
        v->address = WINDOW + (where[i].v << 12) + (v->address & 0xfffu);
    } else {
        v->address = PCV_PORT_ADDRESS + v->address % 9;
    }
    run(m, v);
}

/* The same, aimed at what matters: command, BARs and ROM. */
static void header_op(struct machine *m)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
    } places[] = {{PCV_REG_PRIMARY, 4},
                  {PCV_REG_BAR0, 4},
                  {0x14, 4},
                  {0x18, 4},
                  {0x1c, 4},
                  {PCV_REG_ROM0, 4},
                  {PCV_REG_ROM1, 4},
                  {PCV_REG_COMMAND, 1}};
    static const uint32_t values[] = {0,          2,          0xffffffffu,
                                      0xe0010000, 0xe0000001, 0xe0040001,
                                      0x030200,   0x010100};
    struct vcpu *v = &m->vcpu[take_below(m, VCPUS)];
    unsigned place, i;

    if (v->verdict == PCV_PENDING || v->verdict == PCV_RETRY) {
        return;
    }
    place = take_below(m, 8);
    i = take_below(m, DEVICES);
    memset(v, 0, sizeof(*v));
    v->size = places[place].size;
    v->write = true;
    v->access = PCV_WRITE(machine_place(m, i), places[place].reg, v->size,
                          values[take_below(m, 8)]);
    run(m, v);
}

/* ---- devices come and go ------------------------------------------------- */

static void add_op(struct machine *m)
{
    unsigned i = take_below(m, DEVICES);
    const struct pcv_add_info info = {.flags = i == VF ? PCV_ADD_IS_VF : 0,
                                      .physfn = where[PF]};
    int error;

    m->adding = i;
    error = pcv_device_add(m->host, machine_place(m, i), &info);
    m->adding = DEVICES;
    CHECK(error <= 0);
    (void)settle_absent(m);
    if (error == 0 || error == -PCV_ERESTART) {
        /* It may be another than before; another error leaves it as it was. */
        m->unfinished[i] = error != 0;
        m->vanished[i] = machine_status(m, i).vanished;
        CHECK(!m->vanished[i]);
    }
}

static void remove_op(struct machine *m)
{
    unsigned i = take_below(m, DEVICES);
    int error = pcv_device_remove(m->host, machine_place(m, i), NULL, NULL);
    bool there = machine_status(m, i).state != PCV_STATE_ABSENT;
    bool leaving = settle_absent(m);

    CHECK(error == 0 || error == -PCV_EBUSY || error == -PCV_ENODEV);
    CHECK(there ? error == -PCV_EBUSY : error != -PCV_EBUSY || leaving);
}

static void vanish_op(struct machine *m)
{
    (void)!pcv_device_vanished(m->host,
                               machine_place(m, take_below(m, DEVICES)));
    for (unsigned i = 0; i < DEVICES; i++) {
        m->vanished[i] = machine_status(m, i).vanished;
        m->dirty[i] = m->dirty[i] || m->vanished[i];
    }
}

/* Behind the library's back: pull, plug, D3cold and back, a changed command
 * register. */
static void hardware_op(struct machine *m)
{
    unsigned i = take_below(m, DEVICES);

    memset(m->dirty, true, sizeof(m->dirty));
    switch (take_below(m, 5)) {
    case 0:
        (void)pcv_model_pull(m->model, where[i]);
        break;
    case 1:
        (void)pcv_model_plug(m->model, where[i]);
        break;
    case 2:
        (void)pcv_model_set_dead(m->model, where[i], true);
        break;
    case 3:
        (void)pcv_model_set_dead(m->model, where[i], false);
        break;
    default:
        pcv_model_poke(m->model, where[i], PCV_REG_COMMAND, 2, take(m, 1));
        break;
    }
}

static void fail_op(struct machine *m)
{
    unsigned op = take_below(m, PCV_MODEL_OP_COUNT);

    pcv_model_fail(m->model, (enum pcv_model_op)op, take(m, 1));
    if (op == PCV_MODEL_OP_cfg_read || op == PCV_MODEL_OP_cfg_write) {
        memset(m->dirty, true, sizeof(m->dirty));
    }
    /* Pages that a read-only function leaves may not come back (HDR-10). */
    m->patchy = m->patchy || op == PCV_MODEL_OP_map;
}

static void hold_op(struct machine *m)
{
    struct pcv_device **hold = &m->hold[take_below(m, HOLDS)];

    if (*hold) {
        pcv_device_put(*hold);
        *hold = NULL;
    } else {
        *hold = pcv_device_find(m->host, where[take_below(m, DEVICES)]);
    }
}

/* ---- registers ----------------------------------------------------------- */

static enum pcv_verdict on_write(const struct pcv_register_write *write)
{
    pcv_register_hw_write(write->device, write->reg, write->value);
    return (write->value & 1u) != 0 ? PCV_PENDING : PCV_DONE;
}

static uint32_t on_read(struct pcv_device *device,
                        const struct pcv_register *reg, void *data)
{
    (void)data;
    return pcv_register_hw_read(device, reg) ^ 0x5a5a5a5au;
}

static const struct pcv_register_ops handlers[] = {
    {NULL, NULL}, {on_read, NULL}, {NULL, on_write}, {on_read, on_write}};

static void register_op(struct machine *m)
{
    struct pcv_device *device =
        pcv_device_find(m->host, where[take_below(m, DEVICES)]);
    bool remove = take(m, 1) % 3 == 0 || m->regs == REGISTERS;
    uint16_t offset = (uint16_t)take(m, 2);
    uint8_t size = (uint8_t)take(m, 1);
    struct pcv_register *reg;

    if (device && remove && offset >= 0x40) {
        (void)!pcv_register_remove(device, offset, size);
    } else if (device && !remove) {
        reg = &m->reg[m->regs++];
        reg->name = "fuzz";
        reg->offset = offset;
        reg->size = size;
        reg->flags = take(m, 1) & PCV_REGISTER_MAPS;
        reg->policy.hardware = take(m, 2);
        reg->policy.virt = take(m, 2) & ~reg->policy.hardware;
        reg->policy.w1c = take(m, 2);
        reg->policy.preserve = take(m, 1) << 16;
        reg->policy.virt_w1c = take(m, 1) << 24;
        reg->initial = take(m, 4);
        reg->ops = &handlers[take_below(m, 4)];
        (void)!pcv_register_add(device, reg, NULL);
    }
    pcv_device_put(device);
}

/* ---- one after another --------------------------------------------------- */

static void step(struct machine *m)
{
    static void (*const ops[])(struct machine *) = {
        access_op, access_op, header_op,   header_op, access_op,   add_op,
        remove_op, vanish_op, hardware_op, hold_op,   register_op, fail_op,
    };
    unsigned op = take_below(m, 13);

    if (op == 12) {
        pcv_model_set_map_chunk(m->model, take_below(m, 4));
    } else {
        ops[op](m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m;

    memset(&m, 0, sizeof(m));
    m.in = data;
    m.left = size;
    machine_begin(&m);
    machine_check(&m);
    while (m.left > 0) {
        step(&m);
        machine_track(&m);
        machine_check(&m);
    }
    machine_end(&m);
    return 0;
}
