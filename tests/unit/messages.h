/* SPDX-License-Identifier: MIT */
/*
 * Two functions that send messages, and somebody who is told of them: for tests
 * of messages in the modelled host. To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_MESSAGES_H
#define PCV_TESTS_UNIT_MESSAGES_H

#include <string.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define OTHER pcv_test_at(0, 0, 4, 0)
#define BAR UINT64_C(0xe1230000)
#define TABLE (BAR + 0x1000)
#define ENABLE 0x8000u
#define MASK_ALL 0x4000u

/* The only MSI-X or MSI capability of a conventional endpoint is at 0x40. */
#define CONTROL 0x42

static inline const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

/* What on_message was told. */
struct told {
    struct pcv_model *model;
    unsigned count;
    struct pcv_model_message last;
    uint64_t data[64];
};

static inline void tell(void *arg, const struct pcv_model_message *message)
{
    struct told *told = arg;

    told->data[told->count++ % 64] = message->data;
    told->last = *message;
    /* The model can be used here: no lock is held. */
    (void)pcv_model_bound(told->model, NULL);
}

/* Two endpoints with MSI-X of 70 vectors, or MSI of this control register. */
static inline struct pcv_model *machine(struct told *told, bool msix,
                                        uint16_t control)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 1);
    if (msix) {
        pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x4000);
        (void)pcv_test_msix(&f, 70, 0, 0x1000, 0x2000);
    } else {
        (void)pcv_test_msi(&f, control);
    }
    pcv_test_add(model, &f, AT);
    if (msix) {
        pcv_test_bar32(&f, 0, 0xe1240000, 0x4000);
    }
    pcv_test_add(model, &f, OTHER);
    pcv_test_ready(model);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2,
                   PCV_CMD_MEMORY | PCV_CMD_MASTER);
    memset(told, 0, sizeof(*told));
    told->model = model;
    pcv_model_on_message(model, tell, told);
    return model;
}

static inline struct pcv_msi_request request(pcv_sbdf sbdf, bool msix,
                                             uint16_t index, uint16_t count)
{
    struct pcv_msi_request r = {.sbdf = sbdf,
                                .requester = sbdf,
                                .domain_id = 7,
                                .msix = msix,
                                .index = index,
                                .count = count,
                                .address = 0xfee01000,
                                .data = 0x4000u + 64u * index};

    return r;
}

static inline struct pcv_msi_message bind(struct pcv_model *model,
                                          const struct pcv_msi_request *r)
{
    struct pcv_msi_message message = {0, 0};

    assert_int_equal(ops()->msi_bind(model, r, &message), 0);
    return message;
}

static inline void put(struct pcv_model *model, uint64_t address, uint8_t size,
                       uint64_t value)
{
    assert_int_equal(ops()->mmio_write(model, (pcv_hpa){address}, size, value),
                     0);
}

static inline uint64_t get(struct pcv_model *model, uint64_t address,
                           uint8_t size)
{
    uint64_t value = 0;

    assert_int_equal(ops()->mmio_read(model, (pcv_hpa){address}, size, &value),
                     0);
    return value;
}

/* Write an entry as software does, its mask last. */
static inline void entry(struct pcv_model *model, uint16_t index,
                         const struct pcv_msi_message *message,
                         uint32_t control)
{
    put(model, TABLE + UINT64_C(16) * index, 8, message->address);
    put(model, TABLE + UINT64_C(16) * index + 8, 4, message->data);
    put(model, TABLE + UINT64_C(16) * index + 12, 4, control);
}

static inline enum pcv_model_raised raise_x(struct pcv_model *model,
                                            uint16_t vector)
{
    return pcv_model_raise(model, AT, true, vector, NULL);
}

static inline enum pcv_model_raised raise_m(struct pcv_model *model,
                                            uint16_t vector)
{
    return pcv_model_raise(model, AT, false, vector, NULL);
}

/* Program and enable MSI as software does; `log` of the vectors it wants. */
static inline void msi_on(struct pcv_model *model, bool wide,
                          const struct pcv_msi_message *m, uint32_t log)
{
    pcv_test_write(model, AT, 0x44, 4, (uint32_t)m->address);
    if (wide) {
        pcv_test_write(model, AT, 0x48, 4, (uint32_t)(m->address >> 32));
    }
    pcv_test_write(model, AT, wide ? 0x4c : 0x48, 2, m->data & 0xffffu);
    pcv_test_write(model, AT, CONTROL, 2, 1u | log << 4);
}

#endif
