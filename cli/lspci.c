/* SPDX-License-Identifier: MIT */
/* `pcivisor lspci`: what a domain sees, in the format of `lspci -xxxx`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "guests.h"
#include "inventory.h"
#include "names.h"
#include "verb.h"
#include "view.h"

/* The line above the bytes, as lspci prints it. VFs of the hardware domain read
 * all ones as their IDs; as the kernel does, they are called by what the
 * library knows. */
static void header_add(struct text *out, const char *address,
                       const struct pcv_device_info *vf, const uint8_t *bytes,
                       struct names *names)
{
    uint16_t class =
        (uint16_t)(bytes[PCV_REG_CLASS + 1] | bytes[PCV_REG_CLASS + 2] << 8);
    uint16_t vendor = (uint16_t)(bytes[0] | bytes[1] << 8);
    uint16_t device = (uint16_t)(bytes[2] | bytes[3] << 8);

    if (vf != NULL) {
        vendor = vf->vendor;
        device = vf->device;
    }
    text_add(out, "%s ", address);
    names_add_class(names, out, class);
    text_add(out, ": ");
    names_add_device(names, out, vendor, device);
    if (bytes[PCV_REG_REVISION] != 0) {
        text_add(out, " (rev %02x)", bytes[PCV_REG_REVISION]);
    }
    text_add(out, "\n");
}

static void bytes_add(struct text *out, const uint8_t *bytes, uint16_t size)
{
    for (uint16_t reg = 0; reg < size; reg = (uint16_t)(reg + 16)) {
        view_add_row(out, reg, bytes + reg, 16);
    }
    text_add(out, "\n");
}

/* A function of the hardware domain. */
static void function_add(struct text *out, const struct view *view,
                         const struct pcv_device_info *info,
                         struct names *names)
{
    uint8_t bytes[PCV_CFG_EXT_SIZE];
    uint16_t size = info->extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;

    view_copy(view, info->sbdf, size, bytes);
    header_add(out, machine_sbdf(view->machine, info->sbdf).s,
               info->is_vf ? info : NULL, bytes, names);
    bytes_add(out, bytes, size);
}

/* What prints a domain. */
struct printer {
    struct machine *machine;
    struct names *names;
    const char *path; /* NULL: standard output */
    struct text out;
    bool good;
};

/* Put out what has gathered, unless it goes into a file as a whole. */
static void flush_out(struct printer *printer)
{
    struct text *out = &printer->out;

    if (printer->path == NULL) {
        printer->good = printer->good &&
                        fwrite(text_str(out), 1, out->len, stdout) == out->len;
        text_clear(out);
    }
}

static void hardware_print(struct printer *printer)
{
    struct machine *machine = printer->machine;
    struct view view = {machine, machine->dom0, VIEW_ADDRESS, 0};
    struct inventory inventory;

    inventory_take(&inventory, machine);
    for (size_t i = 0; i < inventory.count && printer->good; i++) {
        const struct pcv_device_info *info = &inventory.node[i].info;
        struct pcv_device *device =
            pcv_device_find_owned(machine->dom0, info->sbdf);
        if (device != NULL) {
            function_add(&printer->out, &view, info, printer->names);
            pcv_device_put(device);
        }
        flush_out(printer);
    }
    inventory_fini(&inventory);
}

/* A guest's bus, by the guest's own addresses. */
static void guest_print(struct printer *printer, const struct guest *guest)
{
    struct view view = {printer->machine, guest->domain, VIEW_ADDRESS, 0};
    struct owned_list list;

    owned_take(&list, printer->machine, pcv_domain_id(guest->domain));
    for (size_t i = 0; i < list.count && printer->good; i++) {
        const struct owned *function = &list.item[i];
        uint8_t bytes[PCV_CFG_EXT_SIZE];
        uint16_t size = function->extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
        view_copy(&view, function->own, size, bytes);
        header_add(&printer->out, format_sbdf(NULL, false, function->own).s,
                   NULL, bytes, printer->names);
        bytes_add(&printer->out, bytes, size);
        flush_out(printer);
    }
    owned_fini(&list);
}

/* The hardware domain, or a guest. */
static int domain_print(struct machine *machine, const struct guest *guest,
                        const char *path)
{
    struct printer printer = {
        .machine = machine,
        .names = names_create(),
        .path = path,
        .good = true,
    };
    struct text why = {0};

    if (guest != NULL) {
        guest_print(&printer, guest);
    } else {
        hardware_print(&printer);
    }
    if (path != NULL &&
        !file_replace(path, text_str(&printer.out), printer.out.len, &why)) {
        printer.good = false;
        verb_failed("%s", text_str(&why));
    }
    text_fini(&why);
    text_fini(&printer.out);
    names_destroy(printer.names);
    return printer.good ? EXIT_SUCCESS : EXIT_FAILED;
}

/* Give the functions of a list, "01:00.0,02:00.1", to a guest. It is only
 * looked at, so one that cannot be reset is given nevertheless. */
static bool give(struct machine *machine, struct guest *guest, const char *list,
                 struct text *why)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    bool good = true;

    do {
        size_t len = strcspn(list, ",");
        struct text word = {0};
        uint64_t wait_us;
        pcv_sbdf sbdf;
        pcv_sbdf own;

        text_add_bytes(&word, list, len);
        good = parse_sbdf(machine->model, text_str(&word), &sbdf, why);
        text_fini(&word);
        int result =
            good ? guest_show(machine, guest, sbdf, &policy, &own, &wait_us)
                 : 0;
        if (result != 0) {
            text_add(why, "%s can't be given to a guest: %s %s",
                     machine_sbdf(machine, sbdf).s, pcv_errno_name(result),
                     pcv_errno_meaning(result));
            good = false;
        }
        list += len + (list[len] == ',');
    } while (good && *list != '\0');
    return good;
}

/* In the order of the verb's options in main.c. */
enum { OPTION_AS, OPTION_O, OPTION_OUTPUT, OPTION_GIVE };

/* Whose view: NULL for the hardware domain. False, and why. */
static bool guest_choose(struct machine *machine, const struct args *args,
                         const struct guest **out_guest, struct text *why)
{
    const char *as = args->option[OPTION_AS];
    const char *list = args->option[OPTION_GIVE];
    struct pcv_domain *domain;

    *out_guest = NULL;
    if (list == NULL) {
        return machine_domain(machine, as != NULL ? as : "dom0", &domain, why);
    }
    int result = guest_create(machine, "guest");
    if (result != 0) {
        text_add(why, "a guest: %s %s", pcv_errno_name(result),
                 pcv_errno_meaning(result));
        return false;
    }
    struct guest *guest = guest_named(machine, "guest");
    *out_guest = guest;
    return give(machine, guest, list, why);
}

int verb_lspci(const struct verb *verb, const struct args *args)
{
    const char *path = args->option[OPTION_O] != NULL
                           ? args->option[OPTION_O]
                           : args->option[OPTION_OUTPUT];
    const struct guest *guest;
    struct machine machine;
    struct text why = {0};
    int status = EXIT_FAILED;

    if (args->option[OPTION_AS] != NULL && args->option[OPTION_GIVE] != NULL) {
        return verb_misused(verb, "--as and --give exclude each other");
    }
    if (!machine_open(&machine, args->word[0], NULL, MACHINE_SCANNED, &why)) {
        verb_failed("%s", text_str(&why));
        text_fini(&why);
        return EXIT_FAILED;
    }
    if (guest_choose(&machine, args, &guest, &why)) {
        status = domain_print(&machine, guest, path);
    } else {
        verb_failed("%s", text_str(&why));
    }
    text_clear(&why);
    if (!machine_close(&machine, &why)) {
        status = verb_failed("%s", text_str(&why));
    }
    text_fini(&why);
    return status;
}
