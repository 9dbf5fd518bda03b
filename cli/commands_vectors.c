/* SPDX-License-Identifier: MIT */
/* The command that shows bound vectors. */
#include <inttypes.h>

#include "command.h"
#include "guests.h"
#include "json.h"

static void vector_line(struct call *call, pcv_sbdf sbdf, uint32_t owner_id,
                        const struct pcv_bound_vector *vector)
{
    text_add(call->out,
             "%s %s %u: %s %" PRIx64 " = %" PRIx32 ", on the machine %" PRIx64
             " = %" PRIx32 "%s\n",
             call_show(call, sbdf).s, vector->msix ? "MSI-X" : "MSI",
             vector->index,
             machine_domain_name(&call->session->machine, owner_id).s,
             vector->address, vector->data, vector->message.address,
             vector->message.data, vector->masked ? ", masked" : "");
}

static struct json_object *vector_json(struct call *call, pcv_sbdf sbdf,
                                       uint32_t owner_id,
                                       const struct pcv_bound_vector *vector)
{
    struct machine *machine = &call->session->machine;
    struct json_object *object = json_object_new_object();

    json_add_sbdf(object, "address", machine, sbdf);
    json_add_string(object, "owner", machine_domain_name(machine, owner_id).s);
    json_add_bool(object, "msix", vector->msix);
    json_add_number(object, "index", vector->index);
    json_add_hex(object, "owner_address", 1, vector->address);
    json_add_hex(object, "owner_data", 1, vector->data);
    json_add_hex(object, "machine_address", 1, vector->message.address);
    json_add_hex(object, "machine_data", 1, vector->message.data);
    json_add_bool(object, "masked", vector->masked);
    return object;
}

/* The vectors of one device; how many there are. */
static size_t device_vectors(struct call *call, struct pcv_device *device,
                             struct json_object *json)
{
    struct pcv_bound_vector vector;
    struct pcv_device_info info;
    bool msix = false;
    uint16_t index = 0;
    size_t count = 0;

    pcv_device_get_info(device, &info);
    while (pcv_device_next_vector(device, msix, index, &vector)) {
        if (json != NULL) {
            json_object_array_add(
                json, vector_json(call, info.sbdf, info.owner_id, &vector));
        } else {
            vector_line(call, info.sbdf, info.owner_id, &vector);
        }
        count++;
        msix = vector.msix;
        /* No kind has so many: the walk ends. */
        index = (uint16_t)(vector.index + 1u);
        if (index == 0) {
            break;
        }
    }
    return count;
}

/* All devices of the machine. */
static size_t every_vector(struct call *call, struct json_object *json)
{
    pcv_sbdf from = {0};
    size_t count = 0;

    for (;;) {
        struct pcv_device *device =
            pcv_device_next(call->session->machine.host, from);
        if (device == NULL) {
            return count;
        }
        pcv_sbdf sbdf = pcv_device_sbdf(device);
        count += device_vectors(call, device, json);
        pcv_device_put(device);
        if (sbdf.v == UINT32_MAX) {
            return count;
        }
        from.v = sbdf.v + 1;
    }
}

/* The index-th argument. */
static enum command_result argument_vectors(struct call *call, size_t index,
                                            struct json_object *json)
{
    pcv_sbdf sbdf;

    if (!call_sbdf(call, index, &sbdf)) {
        return COMMAND_MISUSED;
    }
    struct pcv_device *device =
        pcv_device_find(call->session->machine.host, sbdf);
    if (device == NULL) {
        return call_refused(call, ABOUT_FIND, PCV_ENODEV,
                            call_show(call, sbdf).s);
    }
    if (device_vectors(call, device, json) == 0 && json == NULL) {
        text_add(call->out, "%s: no vector is bound\n",
                 call_show(call, sbdf).s);
    }
    pcv_device_put(device);
    return COMMAND_DONE;
}

enum command_result command_msi(struct call *call)
{
    enum command_result result = COMMAND_DONE;
    struct json_object *json =
        call->args.option[0] != NULL ? json_object_new_array() : NULL;

    if (call->args.count == 0 && every_vector(call, json) == 0 &&
        json == NULL) {
        text_add(call->out, "no vector is bound\n");
    }
    for (size_t i = 0; i < call->args.count && result == COMMAND_DONE; i++) {
        result = argument_vectors(call, i, json);
    }
    if (json != NULL && result == COMMAND_DONE) {
        json_print(call->out, json);
    } else {
        json_object_put(json);
    }
    return result;
}
