/* SPDX-License-Identifier: MIT */
/* Addresses of a modelled machine, which knows what people call a segment. */
#include <inttypes.h>

#include "format.h"
#include "model.h"

struct sbdf_text format_sbdf(const struct pcv_model *model, bool domains,
                             pcv_sbdf sbdf)
{
    uint32_t domain =
        domains ? pcv_model_domain_of(model, pcv_sbdf_segment(sbdf)) : 0;
    return format_address(domains, domain, sbdf);
}

bool parse_sbdf(const struct pcv_model *model, const char *word,
                pcv_sbdf *out_sbdf, struct text *why)
{
    uint16_t segment = 0;
    uint32_t domain;
    pcv_sbdf sbdf;

    if (!parse_address(word, &domain, &sbdf, why)) {
        return false;
    }
    if (model == NULL && domain != 0) {
        text_add(why, "a guest's bus is in domain 0000");
        return false;
    }
    if (model != NULL && !pcv_model_segment_of(model, domain, &segment)) {
        text_add(why, "the machine has no domain %04" PRIx32, domain);
        return false;
    }
    *out_sbdf =
        pcv_sbdf_make(segment, pcv_sbdf_bus(sbdf), pcv_sbdf_devfn(sbdf));
    return true;
}
