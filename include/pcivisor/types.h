/* SPDX-License-Identifier: MIT */
/*
 * Types that every header of pcivisor shares: addresses that cannot be mixed
 * up, the address of a PCI function, and the attributes that compilers check.
 */
#ifndef PCIVISOR_TYPES_H
#define PCIVISOR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A result that must not be ignored. */
#if defined(__GNUC__) || defined(__clang__)
#define PCV_MUST_CHECK __attribute__((warn_unused_result))
#else
#define PCV_MUST_CHECK
#endif

typedef struct {
    uint64_t v;
} pcv_gpa; /* guest-physical address, bytes */

typedef struct {
    uint64_t v;
} pcv_hpa; /* host-physical address, bytes */

/*
 * Segment, bus, device and function in one word:
 * bits 31:16 segment, 15:8 bus, 7:3 device, 2:0 function. With ARI, bits 7:0
 * are one function number of device 0 (PCI Express Base 6.0, 6.13).
 */
typedef struct {
    uint32_t v;
} pcv_sbdf;

#define PCV_BUSES 256u
#define PCV_DEVFNS 256u
#define PCV_SLOTS 32u
#define PCV_FUNCTIONS 8u
#define PCV_CFG_SIZE 256u      /* conventional configuration space, bytes */
#define PCV_CFG_EXT_SIZE 4096u /* with extended space, bytes */

static inline pcv_sbdf pcv_sbdf_make(uint16_t segment, uint8_t bus,
                                     uint8_t devfn)
{
    pcv_sbdf s = {((uint32_t)segment << 16) | ((uint32_t)bus << 8) | devfn};
    return s;
}

static inline uint8_t pcv_devfn(uint8_t device, uint8_t function)
{
    return (uint8_t)((device & 0x1fu) << 3 | (function & 7u));
}

static inline uint16_t pcv_sbdf_segment(pcv_sbdf s)
{
    return (uint16_t)(s.v >> 16);
}

static inline uint8_t pcv_sbdf_bus(pcv_sbdf s)
{
    return (uint8_t)(s.v >> 8);
}

static inline uint8_t pcv_sbdf_devfn(pcv_sbdf s)
{
    return (uint8_t)s.v;
}

static inline uint8_t pcv_sbdf_device(pcv_sbdf s)
{
    return (uint8_t)(s.v >> 3) & 0x1fu;
}

static inline uint8_t pcv_sbdf_function(pcv_sbdf s)
{
    return (uint8_t)(s.v & 7u);
}

#endif
