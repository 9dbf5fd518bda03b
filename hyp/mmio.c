/* SPDX-License-Identifier: MIT */
/* Device memory by a width that is known only at run time. */
#include "arch.h"

bool mmio_read(uint64_t address, unsigned size, uint64_t *out_value)
{
    switch (size) {
    case 1:
        *out_value = *(volatile const uint8_t *)address;
        break;
    case 2:
        *out_value = *(volatile const uint16_t *)address;
        break;
    case 4:
        *out_value = *(volatile const uint32_t *)address;
        break;
    case 8:
        *out_value = *(volatile const uint64_t *)address;
        break;
    default:
        return false;
    }
    __asm__ volatile("dmb oshld" ::: "memory");
    return true;
}

bool mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    __asm__ volatile("dmb oshst" ::: "memory");
    switch (size) {
    case 1:
        *(volatile uint8_t *)address = (uint8_t)value;
        return true;
    case 2:
        *(volatile uint16_t *)address = (uint16_t)value;
        return true;
    case 4:
        *(volatile uint32_t *)address = (uint32_t)value;
        return true;
    case 8:
        *(volatile uint64_t *)address = value;
        return true;
    default:
        return false;
    }
}
