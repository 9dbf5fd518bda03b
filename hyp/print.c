/* SPDX-License-Identifier: MIT */
/* Printing: a format subset, whole lines at a time, to the console. */
#include "arch.h"
#include "console.h"
#include "gic.h"
#include "lib.h"

#define LINE 256u

struct line {
    char *text;
    size_t room;
    size_t used; /* also what had no room */
};

static void put(struct line *line, char c)
{
    if (line->used < line->room) {
        line->text[line->used] = c;
    }
    line->used++;
}

static void put_text(struct line *line, const char *text, unsigned width)
{
    unsigned length = 0;

    for (; *text != '\0'; text++, length++) {
        put(line, *text);
    }
    for (; length < width; length++) {
        put(line, ' ');
    }
}

static void put_number(struct line *line, uint64_t value, unsigned base,
                       unsigned width, char fill)
{
    char digits[24];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (; width > count; width--) {
        put(line, fill);
    }
    while (count > 0) {
        put(line, digits[--count]);
    }
}

/* What a conversion says before its letter. */
struct spec {
    char fill;
    unsigned width;
    bool is_long;
};

static const char *read_spec(const char *format, struct spec *out)
{
    *out = (struct spec){.fill = ' '};
    if (*format == '0') {
        out->fill = '0';
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        out->width = out->width * 10 + (unsigned)(*format - '0');
    }
    for (; *format == 'l' || *format == 'z'; format++) {
        out->is_long = true;
    }
    return format;
}

/* A conversion with a number. */
static void put_integer(struct line *line, char letter, const struct spec *spec,
                        uint64_t value)
{
    if (letter == 'd') {
        int64_t number = spec->is_long ? (int64_t)value : (int32_t)value;

        value = (uint64_t)number;
        if (number < 0) {
            put(line, '-');
            value = -value;
        }
        put_number(line, value, 10, spec->width, spec->fill);
        return;
    }
    if (!spec->is_long && letter != 'p') {
        value = (uint32_t)value;
    }
    put_number(line, value, letter == 'u' ? 10 : 16, spec->width, spec->fill);
}

size_t vformat(char *to, size_t room, const char *format, va_list arguments)
{
    struct line line = {to, room, 0};
    struct spec spec;

    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&line, *format);
            continue;
        }
        format = read_spec(format + 1, &spec);
        switch (*format) {
        case '\0':
            return line.used;
        case 's':
            put_text(&line, va_arg(arguments, const char *), spec.width);
            break;
        case 'c':
            put(&line, (char)va_arg(arguments, int));
            break;
        case '%':
            put(&line, '%');
            break;
        case 'p':
            put_integer(&line, 'p', &spec, (uint64_t)va_arg(arguments, void *));
            break;
        default:
            put_integer(&line, *format, &spec,
                        spec.is_long ? va_arg(arguments, uint64_t)
                                     : va_arg(arguments, uint32_t));
            break;
        }
    }
    return line.used;
}

void vprint(const char *format, va_list arguments)
{
    char text[LINE];
    size_t length = vformat(text, sizeof(text), format, arguments);

    console_write(text, length < sizeof(text) ? length : sizeof(text));
}

void print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
}

/* Two CPUs may both find that a second is over; one of them begins the next. */
static bool limit_pass(struct print_limit *limit)
{
    uint64_t now = READ_SYSREG(cntpct_el0) / READ_SYSREG(cntfrq_el0) + 1;
    uint64_t last = atomic_load(&limit->second);

    if (last != now &&
        atomic_compare_exchange_strong(&limit->second, &last, now)) {
        unsigned left_out = atomic_exchange(&limit->left_out, 0);

        atomic_store(&limit->said, 0);
        if (left_out != 0) {
            print("... and %u more of these\n", left_out);
        }
    }
    if (atomic_fetch_add(&limit->said, 1) < limit->burst) {
        return true;
    }
    atomic_fetch_add(&limit->left_out, 1);
    return false;
}

void print_limited(struct print_limit *limit, const char *format, ...)
{
    va_list arguments;

    if (limit_pass(limit)) {
        va_start(arguments, format);
        vprint(format, arguments);
        va_end(arguments);
    }
}

static _Atomic bool panicking;

bool panicked(void)
{
    return atomic_load_explicit(&panicking, memory_order_relaxed);
}

void panic(const char *format, ...)
{
    va_list arguments;

    if (atomic_exchange(&panicking, true)) {
        halt(); /* what comes of another panic says less */
    }
    /* The others stop at their next trap. */
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        gic_send(cpu, GIC_SGI_KICK);
    }
    console_take_over();
    print("\nhypervisor: panic: ");
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
    print("\n");
    halt();
}

/* libfdt is built with checks of the stack. */
uintptr_t __stack_chk_guard = 0x595e9fbd94fda766;
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
    panic("a stack was overrun");
}
