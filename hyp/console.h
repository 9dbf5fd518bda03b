/* SPDX-License-Identifier: MIT */
/* The hypervisor's console: a PCI serial card that no domain may touch. */
#ifndef HYP_CONSOLE_H
#define HYP_CONSOLE_H

#include "machine.h"

/* Text of one print(); kept in memory until there is a card. Any CPU. */
void console_write(const char *text, size_t size);
/* After a panic: from now on nobody's lock is waited for. */
void console_take_over(void);
/* Find the card behind the host bridge, give its I/O BAR an address, and write
 * what was kept. False: there is none; all goes to memory only. */
bool console_init(const struct machine *machine);
/* Whether it did, and then its requester ID. */
bool console_is_card(void);
uint32_t console_function(void);

#endif
