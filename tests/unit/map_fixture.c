/* SPDX-License-Identifier: MIT */
/* A device whose BARs are of many kinds (map_fixture.h). */
#include "map_fixture.h"

void map_prepare(struct rig *rig, uint16_t command)
{
    struct pcv_test_function f;

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, BAR0, 0x4000);
    pcv_test_bar32(&f, 1, BAR1, 0x1000);
    pcv_test_bar64(&f, 2, BAR2, 0x10000);
    pcv_test_bar32(&f, 4, BAR4, 16);
    pcv_test_bar32(&f, 5, BAR5, 16);
    pcv_test_rom(&f, ROM, 0x2000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, command);
    pcv_test_add(rig->model, &f, DEV);
}

void map_boot(struct rig *rig, uint16_t command)
{
    map_prepare(rig, command);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    rig_forget(rig);
}

uint32_t map_which(const struct rig *rig)
{
    static const struct {
        uint64_t address, size;
    } bars[] = {{BAR0, 0x4000}, {BAR1, 0x1000}, {BAR2, 0x10000}, {0, 0},
                {BAR4, 16},     {BAR5, 16},     {ROM, 0x2000}};
    uint32_t which = 0;

    for (uint32_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        if (bars[i].size != 0 &&
            rig_mapped(rig, bars[i].address, bars[i].size)) {
            which |= 1u << i;
        }
    }
    return which;
}
