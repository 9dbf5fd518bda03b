/* SPDX-License-Identifier: MIT */
/* What drivers of all kinds do with their function (function.h). */
#include "function.h"

#define ON (PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)

#define RESET_US UINT64_C(100000)
#define WAKE_US UINT64_C(10000)

const char *function_on(const struct bus_function *fn)
{
    bus_change(fn, PCV_REG_COMMAND, 2, ON, ON);
    BUS_NEED((bus_get(fn, PCV_REG_COMMAND, 2) & ON) == ON,
             "decoding and bus mastering do not go on");
    return NULL;
}

const char *function_off(const struct bus_function *fn)
{
    bus_change(fn, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER, 0);
    BUS_NEED((bus_get(fn, PCV_REG_COMMAND, 2) &
              (PCV_CMD_MEMORY | PCV_CMD_MASTER)) == 0,
             "decoding and bus mastering do not go off");
    return NULL;
}

/* ---- reset --------------------------------------------------------------- */

static bool answers(const struct bus_function *fn)
{
    uint32_t id = bus_get(fn, PCV_REG_VENDOR, 4);

    return (id & 0xffffu) == fn->vendor && fn->bus->verdict == PCV_DONE;
}

/* Header registers after a reset; firmware's addresses are gone as well. */
static const char *check_header(const struct bus_function *fn)
{
    BUS_NEED((bus_get(fn, PCV_REG_COMMAND, 2) & 0x07ffu) == 0,
             "the command register is not as after a reset");
    for (uint16_t reg = PCV_REG_BAR0; reg < 0x28u; reg += 4) {
        BUS_NEED((bus_get(fn, reg, 4) & PCV_BAR_MEM_MASK) == 0,
                 "a BAR is not as after a reset");
    }
    return NULL;
}

const char *function_reset(const struct bus_function *fn)
{
    const struct bus_machine *machine = &fn->bus->machine;
    uint16_t cap = bus_cap(fn, PCV_CAP_ID_PCIE);
    uint16_t control = (uint16_t)(cap + PCV_PCIE_DEVCTL);

    BUS_NEED(cap != 0, "there is no PCI Express capability");
    BUS_NEED((bus_get(fn, (uint16_t)(cap + PCV_PCIE_DEVCAP), 4) &
              PCV_PCIE_DEVCAP_FLR) != 0,
             "there is no FLR");
    bus_change(fn, control, 2, PCV_PCIE_DEVCTL_FLR, PCV_PCIE_DEVCTL_FLR);
    BUS_NEED(!answers(fn), "it answers at once after a reset");
    machine->sleep_us(machine->ctx, RESET_US - 1000u);
    BUS_NEED(!answers(fn), "it answers 99 ms after a reset");
    machine->sleep_us(machine->ctx, 2000u);
    BUS_NEED(answers(fn), "it does not answer 101 ms after a reset");
    BUS_NEED((bus_get(fn, control, 2) & PCV_PCIE_DEVCTL_FLR) == 0,
             "initiate FLR reads as one");
    return check_header(fn);
}

/* ---- power --------------------------------------------------------------- */

#define PM_CONTROL 4u
#define PM_STATE 3u

static uint16_t reg_of(uint32_t bar)
{
    return (uint16_t)(bar == BUS_BARS - 1u ? PCV_REG_ROM0
                                           : PCV_REG_BAR0 + 4u * bar);
}

void function_state(const struct bus_function *fn, struct function_state *out)
{
    out->command = bus_get(fn, PCV_REG_COMMAND, 2);
    for (uint32_t i = 0; i < BUS_BARS; i++) {
        out->bar[i] = bus_get(fn, reg_of(i), 4);
    }
}

void function_put_back(const struct bus_function *fn,
                       const struct function_state *state)
{
    for (uint32_t i = 0; i < BUS_BARS; i++) {
        bus_set(fn, reg_of(i), 4, state->bar[i]);
    }
    bus_set(fn, PCV_REG_COMMAND, 2, state->command);
}

bool function_is(const struct bus_function *fn,
                 const struct function_state *state)
{
    struct function_state now;
    bool same;

    function_state(fn, &now);
    same = now.command == state->command;
    for (uint32_t i = 0; i < BUS_BARS; i++) {
        same = same && now.bar[i] == state->bar[i];
    }
    return same;
}

static const char *set_state(const struct bus_function *fn, uint32_t state)
{
    uint16_t cap = bus_cap(fn, PCV_CAP_ID_PM);

    BUS_NEED(cap != 0, "there is no power management");
    bus_change(fn, (uint16_t)(cap + PM_CONTROL), 2, PM_STATE, state);
    return NULL;
}

static bool state_is(const struct bus_function *fn, uint32_t state)
{
    uint16_t cap = bus_cap(fn, PCV_CAP_ID_PM);

    return cap != 0 &&
           (bus_get(fn, (uint16_t)(cap + PM_CONTROL), 2) & PM_STATE) == state;
}

const char *function_sleep(const struct bus_function *fn)
{
    BUS_TRY(set_state(fn, 3));
    BUS_NEED(state_is(fn, 3), "it does not go to sleep");
    return NULL;
}

const char *function_wake(const struct bus_function *fn)
{
    const struct bus_machine *machine = &fn->bus->machine;

    BUS_TRY(set_state(fn, 0));
    machine->sleep_us(machine->ctx, WAKE_US + 1000u);
    BUS_NEED(answers(fn), "it does not answer 11 ms after waking");
    BUS_NEED(state_is(fn, 0), "it does not wake");
    return NULL;
}
