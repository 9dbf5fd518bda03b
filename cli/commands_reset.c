/* SPDX-License-Identifier: MIT */
/* Commands about resets: asking for them, and what hardware makes of them. */
#include <string.h>

#include "command.h"

enum command_result command_reset(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(call->args.option[0] != NULL ? ctl_reset_method(&ctl, sbdf)
                                                  : ctl_reset(&ctl, sbdf));
}

enum command_result command_prepare_msix(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_prepare_msix(&ctl, sbdf));
}

enum command_result command_release_msix(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_release_msix(&ctl, sbdf));
}

/* ---- hardware -------------------------------------------------------------
 */

static const struct {
    const char *word;
    uint32_t way;
} ways[] = {
    {"flr", PCV_MODEL_RESET_FLR},
    {"af", PCV_MODEL_RESET_AF},
    {"d3", PCV_MODEL_RESET_D3},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static bool way_word(const char *word, uint32_t *inout_ways)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (strcmp(word, ways[i].word) == 0) {
            *inout_ways |= ways[i].way;
            return true;
        }
    }
    return false;
}

/* ways SBDF none|flr|af|d3 ... */
enum command_result command_ways(struct call *call)
{
    uint32_t chosen = 0;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    for (size_t i = 1; i < call->args.count; i++) {
        if (!way_word(call->args.word[i], &chosen) &&
            (call->args.count != 2 ||
             strcmp(call->args.word[i], "none") != 0)) {
            return call_misused(call, "expected flr, af, d3 or none, got '%s'",
                                call->args.word[i]);
        }
    }
    int result =
        pcv_model_set_resets(call->session->machine.model, sbdf, chosen);
    if (result != 0) {
        return call_failed(
            call, result, "%s%s", call_show(call, sbdf).s,
            result == -PCV_EINVAL ? " does not have that capability" : "");
    }
    text_add(call->out, "%s: can be reset by", call_show(call, sbdf).s);
    for (size_t i = 0; i < WAYS; i++) {
        if ((chosen & ways[i].way) != 0) {
            text_add(call->out, " %s", ways[i].word);
        }
    }
    text_add(call->out, "%s\n", chosen == 0 ? " nothing of its own" : "");
    return COMMAND_DONE;
}

/* pending SBDF MILLISECONDS|forever */
enum command_result command_pending(struct call *call)
{
    bool forever = strcmp(call->args.word[1], "forever") == 0;
    uint64_t ms = 0;
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!forever && !parse_number(call->args.word[1], UINT32_MAX, &ms)) {
        return call_misused(call, "expected milliseconds or forever, got '%s'",
                            call->args.word[1]);
    }
    int result = pcv_model_set_pending(call->session->machine.model, sbdf,
                                       forever ? UINT64_MAX : ms * 1000);
    if (result != 0) {
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: its transactions %s%s%s\n",
             call_show(call, sbdf).s,
             forever   ? "never end"
             : ms == 0 ? "end at once"
                       : "end ",
             forever || ms == 0 ? "" : call->args.word[1],
             forever || ms == 0 ? "" : " ms after bus mastering went off");
    return COMMAND_DONE;
}
