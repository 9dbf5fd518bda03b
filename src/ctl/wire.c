/* SPDX-License-Identifier: MIT */
/* Requests and records, to the wire and back. */
#include "ctl/wire.h"

#include "base/mem.h"

/* A member of a structure as a number, whatever its width. */
static uint64_t member_get(const uint8_t *from, uint8_t size)
{
    uint64_t wide = 0;
    uint32_t word = 0;
    uint16_t half = 0;

    switch (size) {
    case 8:
        memcpy(&wide, from, sizeof(wide));
        return wide;
    case 4:
        memcpy(&word, from, sizeof(word));
        return word;
    case 2:
        memcpy(&half, from, sizeof(half));
        return half;
    default:
        return *from;
    }
}

static void member_put(uint8_t *to, uint8_t size, uint64_t value)
{
    uint32_t word = (uint32_t)value;
    uint16_t half = (uint16_t)value;

    switch (size) {
    case 8:
        memcpy(to, &value, sizeof(value));
        break;
    case 4:
        memcpy(to, &word, sizeof(word));
        break;
    case 2:
        memcpy(to, &half, sizeof(half));
        break;
    default:
        *to = (uint8_t)value;
        break;
    }
}

static void field_encode(const struct pcv__wire_field *field,
                         const uint8_t *from, uint8_t *to)
{
    for (uint32_t i = 0; i < field->count; i++) {
        const uint32_t step = i * field->step;

        pcv__wire_put(to + field->wire + (size_t)i * field->wire_step,
                      field->width,
                      member_get(from + field->at + step, field->size));
    }
}

static void field_decode(const struct pcv__wire_field *field,
                         const uint8_t *from, uint8_t *to)
{
    for (uint32_t i = 0; i < field->count; i++) {
        const uint32_t step = i * field->step;
        uint64_t value = pcv__wire_get(
            from + field->wire + (size_t)i * field->wire_step, field->width);

        /* A bool that is neither 0 nor 1 is no value of the language. */
        value = field->is_bool ? value != 0 : value;
        member_put(to + field->at + step, field->size, value);
    }
}

static void shape_encode(const struct pcv__wire_shape *shape, const void *from,
                         uint8_t *to)
{
    for (uint32_t i = 0; i < shape->fields; i++) {
        field_encode(&shape->field[i], from, to);
    }
}

static void shape_decode(const struct pcv__wire_shape *shape,
                         const uint8_t *from, void *to)
{
    for (uint32_t i = 0; i < shape->fields; i++) {
        field_decode(&shape->field[i], from, to);
    }
}

uint32_t pcv_request_encode(const struct pcv_ctl_request *request, uint32_t tag,
                            uint32_t records,
                            uint8_t out_bytes[PCV_MAILBOX_REQUEST_SIZE])
{
    const struct pcv__wire_op *op = pcv__wire_op(request->op);
    uint32_t size;

    if (!op) {
        return 0;
    }
    size = PCV_REQUEST_ARGS + op->args->size;
    memset(out_bytes, 0, PCV_MAILBOX_REQUEST_SIZE);
    pcv__wire_put(out_bytes + PCV_REQUEST_VERSION, 4,
                  PCV_MAILBOX_VERSION_VALUE);
    pcv__wire_put(out_bytes + PCV_REQUEST_SIZE, 4, size);
    pcv__wire_put(out_bytes + PCV_REQUEST_TAG, 4, tag);
    pcv__wire_put(out_bytes + PCV_REQUEST_OP, 4, request->op);
    pcv__wire_put(out_bytes + PCV_REQUEST_FLAGS, 4, request->flags);
    pcv__wire_put(out_bytes + PCV_REQUEST_SBDF, 4, request->sbdf.v);
    pcv__wire_put(out_bytes + PCV_REQUEST_DOMAIN, 4, request->domain_id);
    pcv__wire_put(out_bytes + PCV_REQUEST_RECORDS, 4, records);
    pcv__wire_put(out_bytes + PCV_REQUEST_CURSOR, 8, request->cursor);
    shape_encode(op->args, &request->u, out_bytes + PCV_REQUEST_ARGS);
    return size;
}

static uint32_t get4(const uint8_t *bytes, uint32_t at)
{
    return (uint32_t)pcv__wire_get(bytes + at, 4);
}

/* What a later version may use must be zero until then: nobody may count on
 * its being ignored. */
static bool rest_is_zero(const uint8_t *bytes, uint32_t from, uint32_t size)
{
    uint8_t any = 0;

    for (uint32_t i = from; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

int pcv_request_decode(const uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE],
                       struct pcv_ctl_request *out_request,
                       uint32_t *out_records)
{
    const struct pcv__wire_op *op = pcv__wire_op(get4(bytes, PCV_REQUEST_OP));
    uint8_t args[PCV_MAILBOX_REQUEST_SIZE - PCV_REQUEST_ARGS];
    uint32_t size = get4(bytes, PCV_REQUEST_SIZE);

    if (get4(bytes, PCV_REQUEST_VERSION) >> 16 != PCV_MAILBOX_MAJOR) {
        return -PCV_EOPNOTSUPP;
    }
    if (size < PCV_REQUEST_ARGS || size > PCV_MAILBOX_REQUEST_SIZE) {
        return -PCV_EINVAL;
    }
    if (!op) {
        return -PCV_ENOSYS;
    }
    /* A client of an earlier minor version knows fewer arguments. */
    memset(args, 0, sizeof(args));
    memcpy(args, bytes + PCV_REQUEST_ARGS, size - PCV_REQUEST_ARGS);
    if (!rest_is_zero(args, op->args->size, sizeof(args))) {
        return -PCV_EINVAL;
    }
    memset(out_request, 0, sizeof(*out_request));
    out_request->op = get4(bytes, PCV_REQUEST_OP);
    out_request->flags = get4(bytes, PCV_REQUEST_FLAGS);
    out_request->sbdf.v = get4(bytes, PCV_REQUEST_SBDF);
    out_request->domain_id = get4(bytes, PCV_REQUEST_DOMAIN);
    out_request->cursor = pcv__wire_get(bytes + PCV_REQUEST_CURSOR, 8);
    shape_decode(op->args, args, &out_request->u);
    *out_records = get4(bytes, PCV_REQUEST_RECORDS);
    return 0;
}

uint32_t pcv_record_size(uint32_t op)
{
    const struct pcv__wire_op *wire = pcv__wire_op(op);

    return wire ? wire->record->size : 0;
}

void pcv_record_encode(uint32_t op, const union pcv_ctl_record *record,
                       uint8_t out_bytes[PCV_RECORD_SIZE_MAX])
{
    const struct pcv__wire_op *wire = pcv__wire_op(op);

    memset(out_bytes, 0, PCV_RECORD_SIZE_MAX);
    if (wire) {
        shape_encode(wire->record, record, out_bytes);
    }
}

void pcv_record_decode(uint32_t op, const uint8_t *bytes, uint32_t size,
                       union pcv_ctl_record *out_record)
{
    const struct pcv__wire_op *wire = pcv__wire_op(op);
    uint8_t known[PCV_RECORD_SIZE_MAX];

    memset(out_record, 0, sizeof(*out_record));
    memset(known, 0, sizeof(known));
    memcpy(known, bytes, size < sizeof(known) ? size : sizeof(known));
    if (wire) {
        shape_decode(wire->record, known, out_record);
    }
}
