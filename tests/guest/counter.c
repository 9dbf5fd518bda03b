/* SPDX-License-Identifier: MIT */
/*
 * Prints the virtual counter and its frequency, in decimal. The counter runs
 * from the machine's start, so that at init's start it says how long the boot
 * took. Without a C library, so that it costs nothing to load.
 */
#include <stddef.h>
#include <stdint.h>

#define SYS_WRITE 64
#define SYS_EXIT 93

static long call(long number, long first, const void *second, size_t third)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register const void *x1 __asm__("x1") = second;
    register size_t x2 __asm__("x2") = third;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

/* Writes the digits before end, and returns where they start. */
static char *digits(char *end, uint64_t value)
{
    do {
        end--;
        *end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

void _start(void);

void _start(void)
{
    char line[48];
    char *at = line + sizeof(line);
    uint64_t count, frequency;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(count)::"memory");
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    at--;
    *at = '\n';
    at = digits(at, frequency);
    at--;
    *at = ' ';
    at = digits(at, count);
    call(SYS_WRITE, 1, at, (size_t)(line + sizeof(line) - at));
    call(SYS_EXIT, 0, NULL, 0);
}
