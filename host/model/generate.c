/* SPDX-License-Identifier: MIT */
/*
 * Machines that are made up (SIM-1): from a specification to functions in a
 * modelled host.
 */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

#include "source.h"

/* Memory below 4 GiB and above 256 GiB, I/O above what a PC's own devices
 * have. The upper end is that of 46 address bits. */
static const struct pcv__gen_spaces all_spaces = {
    .next = {0x1000, 0x80000000u, 0x4000000000u},
    .end = {0x10000, 0xfe000000u, 0x400000000000u},
};

/* The sizes that go with the BAR registers. */
static void state_bars(const struct pcv__gen_plan *plan, uint16_t rid,
                       struct pcv_model_function *out)
{
    const struct pcv__gen_fn *fn = &plan->fn[rid];
    const struct pcv__gen_kind *kind = &pcv__gen_kinds[fn->kind];
    unsigned number = 0;

    out->bars_stated = true;
    if (fn->vf) {
        out->bar_size[0] = (uint64_t)1
                           << plan->fn[fn->pf_rid].log2[PCV__GEN_VF_BAR];
        return;
    }
    for (unsigned i = 0; i < PCV__GEN_BARS && fn->log2[i] != 0; i++) {
        out->bar_size[number] = (uint64_t)1 << fn->log2[i];
        number += kind->bars[i].wide ? 2 : 1;
    }
    if (fn->log2[PCV__GEN_ROM] != 0) {
        out->bar_size[6] = (uint64_t)1 << fn->log2[PCV__GEN_ROM];
    }
}

/* Half of the root buses belong to node 0, half to node 1, if there are two. */
static uint32_t node_of(const struct pcv__gen_plan *plan, uint32_t bus)
{
    /* A parent's number is lower: at most 255 steps. */
    while (!plan->bus[bus].root) {
        bus = plan->bus[bus].parent;
    }
    return bus >= plan->buses / 2 && plan->shape->roots > 1;
}

static int add(const struct pcv__gen_plan *plan, uint16_t rid,
               struct pcv_model *model)
{
    const struct pcv__gen_fn *from = &plan->fn[rid];
    struct pcv_model_function fn;
    uint8_t config[PCV_CFG_EXT_SIZE];

    memset(&fn, 0, sizeof(fn));
    fn.config_size = from->extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
    memset(config, 0, fn.config_size);
    pcv__gen_registers(plan, rid, config);
    fn.sbdf.v = (uint32_t)plan->segment << 16 | rid;
    fn.config = config;
    state_bars(plan, rid, &fn);
    fn.has_node = true;
    fn.node = node_of(plan, rid >> 8);
    fn.vf = from->vf;
    fn.physfn.v = from->vf ? (uint32_t)plan->segment << 16 | from->pf_rid : 0;
    return pcv_model_add(model, &fn);
}

static int add_all(const struct pcv__gen_plan *plan, struct pcv_model *model,
                   struct pcv_model_error *error)
{
    uint16_t segment;
    int rc = pcv_model_intern_domain(model, plan->segment, &segment);

    for (uint32_t rid = 0; rid < PCV__GEN_RIDS && rc == 0; rid++) {
        if (plan->fn[rid].role != PCV__GEN_NONE) {
            rc = add(plan, (uint16_t)rid, model);
        }
    }
    return rc == 0 ? 0
                   : pcv__source_fail(
                         error, rc, 0, "segment %u cannot be added: %s",
                         (unsigned)plan->segment, pcv_errno_meaning(rc));
}

static int generate(const struct pcv__gen_spec *spec,
                    const struct pcv__gen_shape *shape, struct pcv_model *model,
                    struct pcv_model_error *error)
{
    struct pcv__gen_spaces spaces = all_spaces;
    struct pcv__gen_plan *plan = malloc(sizeof(*plan));
    int rc = 0;

    if (plan == NULL) {
        return pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
    }
    for (uint32_t segment = 0; segment < spec->segments && rc == 0; segment++) {
        memset(plan, 0, sizeof(*plan));
        plan->spec = spec;
        plan->shape = shape;
        plan->segment = (uint16_t)segment;
        plan->random = spec->seed ^ (uint64_t)segment << 32;
        pcv__gen_plan(plan);
        pcv__gen_place(plan, &spaces);
        rc = add_all(plan, model, error);
    }
    free(plan);
    return rc;
}

int pcv_model_generate(struct pcv_model *model, const char *spec,
                       struct pcv_model_error *error)
{
    struct pcv__gen_spec parsed;
    struct pcv__gen_shape shape;
    int rc = pcv__gen_parse(&parsed, spec, error);

    if (rc == 0) {
        rc = pcv__gen_shape(&parsed, &shape, error);
    }
    return rc == 0 ? generate(&parsed, &shape, model, error) : rc;
}
