/* SPDX-License-Identifier: MIT */
/* The modelled machine: from the option to its host operations. */
#include "captures.h"
#include "lib.h"
#include "modelled_impl.h"
#include "pci.h"

#define SEED 1u /* nothing of a captured machine is drawn */

struct modelled_machine modelled_machine;
static struct pcv_host_ops ops;

/* ---- the capture --------------------------------------------------------- */

/* A value of an option ends at a space. */
static bool is_named(const struct capture *capture, const char *value)
{
    size_t length = strlen(capture->name);

    return strncmp(capture->name, value, length) == 0 &&
           (value[length] == '\0' || value[length] == ' ');
}

static const struct capture *need_capture(const char *value)
{
    const struct capture *capture = captures;

    while (capture->name && !is_named(capture, value)) {
        capture++;
    }
    if (!capture->name) {
        print("There are these modelled machines:");
        for (capture = captures; capture->name; capture++) {
            print(" %s", capture->name);
        }
        panic("there is no model=%s", value);
    }
    return capture;
}

static struct pcv_model *load(const struct capture *capture)
{
    struct pcv_model *model = pcv_model_create(SEED);
    struct pcv_model_error error = {.line = 0};

    if (!model) {
        panic("no memory for a modelled machine");
    }
    if (pcv_model_load_text(model, capture->text, capture->size, &error) != 0 ||
        pcv_model_ready(model, &error) != 0) {
        panic("the modelled machine %s: line %u: %s", capture->name, error.line,
              error.text);
    }
    return model;
}

/* ---- host operations ----------------------------------------------------- */

/* A BAR that leaves the host bridges' windows is reached by nobody, and no
 * window is where the domain has something else. */
static int permitted(void *ctx, uint32_t domain_id, pcv_hpa start,
                     uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    for (unsigned i = 0; i < modelled_machine.windows; i++) {
        const struct modelled_window *window = &modelled_machine.window[i];

        if (window->space == MODELLED_MEMORY && start.v >= window->start &&
            start.v < window->end && size <= window->end - start.v) {
            return 1;
        }
    }
    return 0;
}

/* The operations of the port do not look at their context. */
static void make_ops(void)
{
    ops = *pcv_model_ops();
    ops.alloc = port_ops.alloc;
    ops.free = port_ops.free;
    ops.now_us = port_ops.now_us;
    ops.this_cpu = port_ops.this_cpu;
    ops.relax = port_ops.relax;
    ops.event = port_ops.event;
    ops.trace = port_ops.trace;
    ops.crash = port_ops.crash;
    ops.bug = port_ops.bug;
    ops.mmio_permitted = permitted;
    /* The model would place BARs where the domain has its memory. */
    ops.bar_place = NULL;
}

const struct pcv_host_ops *modelled_ops(void)
{
    return &ops;
}

void *modelled_context(void)
{
    return modelled_machine.model;
}

/* ---- accesses ------------------------------------------------------------ */

static bool is_inside(const struct modelled_window *window, uint64_t address,
                      unsigned size)
{
    uint64_t base = window->space == MODELLED_IO ? modelled_machine.io.base : 0;
    uint64_t start = base + window->start;
    uint64_t length = window->end - window->start;

    return address >= start && size <= length &&
           address - start <= length - size;
}

bool modelled_covers(uint64_t address, unsigned size)
{
    for (unsigned i = 0; i < modelled_machine.windows; i++) {
        if (is_inside(&modelled_machine.window[i], address, size)) {
            return true;
        }
    }
    return false;
}

/* Where no function decodes a host bridge reads all ones, and so do ports:
 * the model has none. */
void modelled_access(uint32_t domain_id, uint64_t address, unsigned size,
                     bool write, uint64_t *data)
{
    if (pcv_model_mmio_access(modelled_machine.model, domain_id,
                              (pcv_gpa){address}, (uint8_t)size, write,
                              data) != 0 &&
        !write) {
        *data = UINT64_MAX >> (64 - size * 8);
    }
}

/* ---- the beginning ------------------------------------------------------- */

bool modelled(void)
{
    return modelled_machine.model != NULL;
}

void modelled_init(struct machine *machine)
{
    struct modelled_machine *made = &modelled_machine;
    const struct capture *capture;
    const char *value;

    if (!machine_option(machine, "model=", &value)) {
        return;
    }
    capture = need_capture(value);
    made->ecam = machine->pci.ecam;
    made->io = machine->pci.io;
    made->model = load(capture);
    modelled_find_windows(machine);
    make_ops();
    machine->pci.segment = made->segment;
    machine->pci.io = (struct region){0, 0};
    machine->pci.memory32 = made->spare;
    machine->pci.memory64 = (struct region){0, 0};
    machine->pci.pins = 0;
    print("modelled machine %s: %u functions, %u root buses, %u windows\n",
          capture->name, (unsigned)pcv_model_count(made->model), made->roots,
          made->windows);
}
