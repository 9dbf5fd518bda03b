/* SPDX-License-Identifier: MIT */
/*
 * Where everything stands on the wire: a row a member, in the order of the wire
 * (docs/control.md). Offsets are never changed; a minor version adds rows at
 * the end, where there was zero before.
 */
#include "ctl/wire.h"

#define SIZE_OF(type, member) sizeof(((type *)0)->member)

/* A member; `count` of them, in an array of structures or of numbers. */
#define ONE(wire, width, type, member)                                         \
    {                                                                          \
        wire, offsetof(type, member), width, SIZE_OF(type, member), 1, 0, 0,   \
            false                                                              \
    }
#define FLAG(wire, type, member)                                               \
    {                                                                          \
        wire, offsetof(type, member), 1, SIZE_OF(type, member), 1, 0, 0, true  \
    }
#define EACH(wire, width, wire_step, count, type, array, first)                \
    {                                                                          \
        wire, offsetof(type, first), width, SIZE_OF(type, first), count,       \
            wire_step, SIZE_OF(type, array) / (count), false                   \
    }
#define EACH_FLAG(wire, wire_step, count, type, array, first)                  \
    {                                                                          \
        wire, offsetof(type, first), 1, SIZE_OF(type, first), count,           \
            wire_step, SIZE_OF(type, array) / (count), true                    \
    }

#define SHAPE(name, bytes)                                                     \
    static const struct pcv__wire_shape name##_shape = {                       \
        name, sizeof(name) / sizeof((name)[0]), (bytes)}

/* ---- arguments ----------------------------------------------------------- */

typedef union pcv_ctl_args args;

static const struct pcv__wire_field add_args[] = {
    ONE(0x00, 4, args, add.flags),
    ONE(0x04, 4, args, add.physfn),
    ONE(0x08, 4, args, add.node),
};
SHAPE(add_args, 0x0c);

static const struct pcv__wire_field assign_args[] = {
    ONE(0x00, 4, args, assign.flags),
    ONE(0x04, 1, args, assign.slot),
    ONE(0x05, 1, args, assign.bars_out),
    ONE(0x06, 1, args, assign.cap_count),
    ONE(0x07, 1, args, assign.passed_count),
    EACH(0x08, 2, 4, PCV_POLICY_CAPS, args, assign.caps, assign.caps[0].id),
    EACH_FLAG(0x0a, 4, PCV_POLICY_CAPS, args, assign.caps,
              assign.caps[0].extended),
    EACH_FLAG(0x0b, 4, PCV_POLICY_CAPS, args, assign.caps, assign.caps[0].show),
    EACH(0x48, 2, 8, PCV_POLICY_PASSED, args, assign.passed,
         assign.passed[0].offset),
    EACH(0x4a, 2, 8, PCV_POLICY_PASSED, args, assign.passed,
         assign.passed[0].size),
    EACH_FLAG(0x4c, 8, PCV_POLICY_PASSED, args, assign.passed,
              assign.passed[0].write),
};
SHAPE(assign_args, 0x88);

static const struct pcv__wire_field ecam_args[] = {
    ONE(0x00, 2, args, ecam.segment),
    ONE(0x02, 1, args, ecam.bus_first),
    ONE(0x03, 1, args, ecam.bus_last),
    ONE(0x04, 1, args, ecam.usable),
};
SHAPE(ecam_args, 0x08);

static const struct pcv__wire_field buses_args[] = {
    ONE(0x00, 1, args, buses.primary),
    ONE(0x01, 1, args, buses.secondary),
    ONE(0x02, 1, args, buses.subordinate),
};
SHAPE(buses_args, 0x08);

static const struct pcv__wire_field broken_args[] = {
    ONE(0x00, 1, args, broken.on),
};
SHAPE(broken_args, 0x04);

static const struct pcv__wire_field isolate_args[] = {
    ONE(0x00, 1, args, isolate.isolated),
};
SHAPE(isolate_args, 0x04);

static const struct pcv__wire_field requesters_args[] = {
    ONE(0x00, 1, args, requesters.what),
    ONE(0x01, 1, args, requesters.stride),
    ONE(0x04, 4, args, requesters.requester),
};
SHAPE(requesters_args, 0x08);

static const struct pcv__wire_field override_args[] = {
    ONE(0x00, 1, args, override.on),
};
SHAPE(override_args, 0x04);

static const struct pcv__wire_field hide_args[] = {
    ONE(0x00, 4, args, hide.flags),
    ONE(0x04, 4, args, hide.range_count),
    EACH(0x08, 4, 0x18, PCV_HIDE_RANGES, args, hide.range, hide.range[0].bar),
    EACH(0x10, 8, 0x18, PCV_HIDE_RANGES, args, hide.range,
         hide.range[0].offset),
    EACH(0x18, 8, 0x18, PCV_HIDE_RANGES, args, hide.range, hide.range[0].size),
};
SHAPE(hide_args, 0xc8);

static const struct pcv__wire_field nodes_args[] = {
    ONE(0x00, 4, args, nodes.count),
    EACH(0x04, 4, 4, PCV_CTL_NODES_MAX, args, nodes.sbdf, nodes.sbdf[0].v),
};
SHAPE(nodes_args, 0x84);

static const struct pcv__wire_field faults_args[] = {
    ONE(0x00, 4, args, faults.threshold),
    ONE(0x04, 4, args, faults.window_us),
};
SHAPE(faults_args, 0x08);

static const struct pcv__wire_field config_args[] = {
    ONE(0x00, 4, args, config.end),
};
SHAPE(config_args, 0x04);

/* ---- records --------------------------------------------------------------
 */

typedef union pcv_ctl_record record;

static const struct pcv__wire_field stats[] = {
    ONE(0x00, 8, record, stats.devices),
    ONE(0x08, 8, record, stats.leaving),
    ONE(0x10, 8, record, stats.segments),
    ONE(0x18, 8, record, stats.bytes),
    ONE(0x20, 8, record, stats.absent_accesses),
    ONE(0x28, 8, record, stats.refused_accesses),
    ONE(0x30, 8, record, stats.dropped_events),
    ONE(0x38, 8, record, stats.stray_faults),
    ONE(0x40, 8, record, stats.protected_writes),
};
SHAPE(stats, 0x48);

static const struct pcv__wire_field device[] = {
    ONE(0x00, 4, record, device.info.sbdf),
    ONE(0x04, 4, record, device.own),
    ONE(0x08, 4, record, device.info.owner_id),
    ONE(0x0c, 4, record, device.info.physfn),
    ONE(0x10, 4, record, device.info.type),
    ONE(0x14, 2, record, device.info.vendor),
    ONE(0x16, 2, record, device.info.device),
    ONE(0x18, 2, record, device.info.subsystem_vendor),
    ONE(0x1a, 2, record, device.info.subsystem),
    ONE(0x1c, 4, record, device.info.class_code),
    ONE(0x20, 8, record, device.info.serial),
    ONE(0x28, 4, record, device.info.node),
    ONE(0x2c, 4, record, device.info.cap_problems),
    ONE(0x30, 2, record, device.info.num_vfs),
    ONE(0x32, 1, record, device.info.revision),
    ONE(0x33, 1, record, device.info.header_type),
    ONE(0x34, 1, record, device.info.secondary),
    ONE(0x35, 1, record, device.info.subordinate),
    ONE(0x36, 1, record, device.info.pcie_cap),
    ONE(0x37, 1, record, device.info.phantom_bits),
    FLAG(0x38, record, device.info.extended),
    FLAG(0x39, record, device.info.is_vf),
    FLAG(0x3a, record, device.info.vanished),
    FLAG(0x3b, record, device.info.read_only),
    FLAG(0x3c, record, device.info.is_bridge),
    FLAG(0x3d, record, device.info.bus_conflict),
    FLAG(0x3e, record, device.info.unreachable),
    FLAG(0xe9, record, device.info.overridden),
    FLAG(0x3f, record, device.info.hidden),
    EACH(0x40, 8, 0x18, PCV_BARS, record, device.info.bar,
         device.info.bar[0].address),
    EACH(0x48, 8, 0x18, PCV_BARS, record, device.info.bar,
         device.info.bar[0].size),
    EACH(0x50, 1, 0x18, PCV_BARS, record, device.info.bar,
         device.info.bar[0].kind),
    EACH(0x51, 1, 0x18, PCV_BARS, record, device.info.bar,
         device.info.bar[0].flags),
    FLAG(0xe8, record, device.info.concealed),
};
SHAPE(device, 0xf0);

static const struct pcv__wire_field status[] = {
    ONE(0x00, 4, record, status.state),
    FLAG(0x04, record, status.vanished),
    ONE(0x08, 4, record, status.owner_id),
    ONE(0x10, 8, record, status.counters.reads),
    ONE(0x18, 8, record, status.counters.writes),
    ONE(0x20, 8, record, status.counters.refused),
    EACH(0x28, 4, 4, PCV_HOLDERS, record, status.held, status.held[0]),
    FLAG(0x40, record, status.broken),
    FLAG(0x41, record, status.remove_waits),
    ONE(0x42, 1, record, status.change_step),
    FLAG(0x43, record, status.group_waits),
    ONE(0x44, 4, record, status.change_error),
};
SHAPE(status, 0x48);

static const struct pcv__wire_field node[] = {
    ONE(0x00, 4, record, node.sbdf),
    ONE(0x04, 4, record, node.node),
};
SHAPE(node, 0x08);

static const struct pcv__wire_field sbdf[] = {
    ONE(0x00, 4, record, sbdf),
};
SHAPE(sbdf, 0x04);

static const struct pcv__wire_field bar[] = {
    ONE(0x00, 4, record, bar.index),
    ONE(0x04, 1, record, bar.view.kind),
    ONE(0x05, 1, record, bar.view.state),
    ONE(0x08, 8, record, bar.view.address),
    ONE(0x10, 8, record, bar.view.host),
    ONE(0x18, 8, record, bar.view.size),
    ONE(0x20, 8, record, bar.view.mapped_pages),
    ONE(0x28, 8, record, bar.view.trapped_pages),
};
SHAPE(bar, 0x30);

static const struct pcv__wire_field row[] = {
    ONE(0x00, 2, record, row.reg),
    ONE(0x02, 1, record, row.size),
    EACH(0x04, 1, 1, PCV_CTL_ROW_BYTES, record, row.bytes, row.bytes[0]),
};
SHAPE(row, 0x14);

static const struct pcv__wire_field scan[] = {
    ONE(0x00, 4, record, scan.found),
    ONE(0x04, 4, record, scan.failed),
    ONE(0x08, 4, record, scan.first_error),
    ONE(0x0c, 4, record, scan.first_failed),
};
SHAPE(scan, 0x10);

static const struct pcv__wire_field domain[] = {
    ONE(0x00, 4, record, domain.id),
    ONE(0x04, 4, record, domain.kind),
};
SHAPE(domain, 0x08);

static const struct pcv__wire_field mapping[] = {
    ONE(0x00, 8, record, mapping.mapping.first_page),
    ONE(0x08, 8, record, mapping.mapping.pages),
    ONE(0x10, 4, record, mapping.mapping.users),
    ONE(0x14, 4, record, mapping.page_shift),
};
SHAPE(mapping, 0x18);

static const struct pcv__wire_field event[] = {
    ONE(0x00, 8, record, event.number),
    ONE(0x08, 4, record, event.event.kind),
    ONE(0x0c, 4, record, event.event.of),
    ONE(0x10, 4, record, event.event.sbdf),
    ONE(0x14, 4, record, event.event.domain_id),
    EACH(0x18, 8, 8, 2, record, event.event.arg, event.event.arg[0]),
};
SHAPE(event, 0x28);

static const struct pcv__wire_field reset[] = {
    ONE(0x00, 4, record, reset.way),
};
SHAPE(reset, 0x08);
static const struct pcv__wire_field faults[] = {
    ONE(0x00, 4, record, faults.count),
    ONE(0x04, 4, record, faults.threshold),
    ONE(0x08, 8, record, faults.window_us),
    FLAG(0x10, record, faults.excess),
    FLAG(0x11, record, faults.cut),
    FLAG(0x12, record, faults.due),
};
SHAPE(faults, 0x18);

static const struct pcv__wire_field member[] = {
    ONE(0x00, 4, record, member.sbdf),    ONE(0x04, 4, record, member.owner_id),
    FLAG(0x08, record, member.is_bridge), FLAG(0x09, record, member.is_vf),
    FLAG(0x0a, record, member.declared),
};
SHAPE(member, 0x0c);

static const struct pcv__wire_field requester[] = {
    ONE(0x00, 4, record, requester.id),
    ONE(0x04, 4, record, requester.by),
    ONE(0x08, 4, record, requester.kind),
    ONE(0x0c, 4, record, requester.domain_id),
    FLAG(0x10, record, requester.shared),
};
SHAPE(requester, 0x14);

/* ---- operations -----------------------------------------------------------
 */

static const struct pcv__wire_shape nothing;

#define NOTHING nothing
#define ADD_ARGS add_args_shape
#define ASSIGN_ARGS assign_args_shape
#define ECAM_ARGS ecam_args_shape
#define BUSES_ARGS buses_args_shape
#define BROKEN_ARGS broken_args_shape
#define HIDE_ARGS hide_args_shape
#define NODES_ARGS nodes_args_shape
#define ISOLATE_ARGS isolate_args_shape
#define REQUESTERS_ARGS requesters_args_shape
#define OVERRIDE_ARGS override_args_shape
#define CONFIG_ARGS config_args_shape
#define NOTHING_ARGS nothing
#define REMOVE_ARGS nothing /* a pointer, and so not the wire's */
#define EVENTS_ARGS nothing /* likewise */
#define NOTHING_RECORD nothing
#define STATS_RECORD stats_shape
#define DEVICE_RECORD device_shape
#define STATUS_RECORD status_shape
#define NODE_RECORD node_shape
#define SBDF_RECORD sbdf_shape
#define BAR_RECORD bar_shape
#define ROW_RECORD row_shape
#define SCAN_RECORD scan_shape
#define DOMAIN_RECORD domain_shape
#define MAPPING_RECORD mapping_shape
#define EVENT_RECORD event_shape
#define RESET_RECORD reset_shape
#define FAULTS_ARGS faults_args_shape
#define FAULTS_RECORD faults_shape
#define MEMBER_RECORD member_shape
#define REQUESTER_RECORD requester_shape

#define WIRE_OP(NAME, name, number, ARGUMENTS, RECORDS, FLAGS)                 \
    [number] = {&ARGUMENTS##_ARGS, &RECORDS##_RECORD},
static const struct pcv__wire_op operations[PCV_CTL_OP_LIMIT] = {
    PCV_CTL_OPS(WIRE_OP)};

const struct pcv__wire_op *pcv__wire_op(uint32_t op)
{
    return op < PCV_CTL_OP_LIMIT && operations[op].args ? &operations[op]
                                                        : NULL;
}
