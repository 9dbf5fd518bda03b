/* SPDX-License-Identifier: MIT */
/* `pcivisor lspci`: what a domain sees, in the format of `lspci -xxxx`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "inventory.h"
#include "names.h"
#include "verb.h"
#include "view.h"

/* The line above the bytes, as lspci prints it. VFs read all ones as their
 * IDs; as the kernel does, they are called by what the library knows. */
static void header_add(struct text *out, const struct machine *machine,
                       const struct pcv_device_info *info, const uint8_t *bytes,
                       struct names *names)
{
    uint16_t class =
        (uint16_t)(bytes[PCV_REG_CLASS + 1] | bytes[PCV_REG_CLASS + 2] << 8);
    uint16_t vendor = (uint16_t)(bytes[0] | bytes[1] << 8);
    uint16_t device = (uint16_t)(bytes[2] | bytes[3] << 8);

    if (info->is_vf) {
        vendor = info->vendor;
        device = info->device;
    }
    text_add(out, "%s ", machine_sbdf(machine, info->sbdf).s);
    names_add_class(names, out, class);
    text_add(out, ": ");
    names_add_device(names, out, vendor, device);
    if (bytes[PCV_REG_REVISION] != 0) {
        text_add(out, " (rev %02x)", bytes[PCV_REG_REVISION]);
    }
    text_add(out, "\n");
}

static void function_add(struct text *out, const struct view *view,
                         const struct pcv_device_info *info,
                         struct names *names)
{
    uint8_t bytes[PCV_CFG_EXT_SIZE];
    uint16_t size = info->extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;

    view_copy(view, info->sbdf, size, bytes);
    header_add(out, view->machine, info, bytes, names);
    for (uint16_t reg = 0; reg < size; reg = (uint16_t)(reg + 16)) {
        view_add_row(out, reg, bytes + reg, 16);
    }
    text_add(out, "\n");
}

/* Put out what has gathered; false on a failure. */
static bool flush_out(struct text *out)
{
    bool good = fwrite(text_str(out), 1, out->len, stdout) == out->len;
    text_clear(out);
    return good;
}

static int domain_print(struct machine *machine, struct pcv_domain *domain,
                        const char *path)
{
    struct view view = {machine, domain, VIEW_ADDRESS};
    struct names *names = names_create();
    struct inventory inventory;
    struct text out = {0};
    struct text why = {0};
    bool good = true;

    inventory_take(&inventory, machine);
    for (size_t i = 0; i < inventory.count && good; i++) {
        const struct pcv_device_info *info = &inventory.node[i].info;
        struct pcv_device *device = pcv_device_find_owned(domain, info->sbdf);
        if (device != NULL) {
            function_add(&out, &view, info, names);
            pcv_device_put(device);
        }
        if (path == NULL) {
            good = flush_out(&out);
        }
    }
    if (path != NULL) {
        good = file_replace(path, text_str(&out), out.len, &why);
    }
    if (path != NULL && !good) {
        verb_failed("%s", text_str(&why));
    }
    text_fini(&why);
    text_fini(&out);
    inventory_fini(&inventory);
    names_destroy(names);
    return good ? EXIT_SUCCESS : EXIT_FAILED;
}

int verb_lspci(const struct verb *verb, const struct args *args)
{
    const char *as = args->option[0] != NULL ? args->option[0] : "dom0";
    const char *path =
        args->option[1] != NULL ? args->option[1] : args->option[2];
    struct machine machine;
    struct pcv_domain *domain;
    struct text why = {0};
    int status = EXIT_FAILED;

    (void)verb;
    if (!machine_open(&machine, args->word[0], NULL, &why)) {
        verb_failed("%s", text_str(&why));
        text_fini(&why);
        return EXIT_FAILED;
    }
    if (machine_domain(&machine, as, &domain, &why)) {
        status = domain_print(&machine, domain, path);
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
