/* SPDX-License-Identifier: MIT */
/* The books of guard.h: which bytes of the machine are whose. */
#ifndef PCV_TESTS_DRIVER_GUARD_BOOKS_H
#define PCV_TESTS_DRIVER_GUARD_BOOKS_H

#include "guard.h"

bool guard_is_guest(uint32_t domain_id);
/* A page may be mapped for a domain. */
void guard_check_page(struct guard *guard, uint32_t domain_id, uint64_t gpa,
                      uint64_t hpa);

/* Stand between the library and its host. */
void guard_watch(struct guard *guard);

/* Where a device's memory is. */
void guard_books_bars(const struct guard *guard, struct guard_device *device);
/* Everything about a device that is going to a guest. */
void guard_books_open(struct guard *guard, struct guard_device *device);
void guard_books_close(struct guard *guard, struct guard_device *device);
/* The host said where a BAR may be. */
void guard_books_place(struct guard_device *device, uint64_t address,
                       uint64_t size);

/* The device of a domain that wholly has a host page, or NULL. */
struct guard_device *guard_books_owner(struct guard *guard, uint32_t domain_id,
                                       uint64_t page);
/* The device that it had when it was mapped, whoever owns it now. */
struct guard_device *guard_books_device(struct guard *guard, uint32_t domain_id,
                                        uint64_t page);
/* The device of a domain with these bytes in a BAR, or NULL. */
struct guard_device *guard_books_memory(struct guard *guard, uint32_t domain_id,
                                        uint64_t address, uint64_t size);
/* Offset of an address in a BAR; UINT64_MAX: elsewhere. */
uint64_t guard_books_offset(const struct guard_device *device, uint8_t bar,
                            uint64_t address);
bool guard_books_is_msix(const struct guard_device *device, uint64_t page);
/* Registers of somebody else's device are in that page. */
bool guard_books_is_shared(struct guard *guard, uint32_t domain_id,
                           uint64_t page);
/* A guest's access may lead to this function: its own, or a PF of its own. */
bool guard_books_may_touch(struct guard *guard, uint32_t domain_id,
                           const struct pcv_model_cfg *access);

#endif
