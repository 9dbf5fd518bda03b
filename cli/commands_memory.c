/* SPDX-License-Identifier: MIT */
/* Commands that show what is mapped where, for whom. */
#include <inttypes.h>
#include <string.h>

#include "command.h"
#include "guests.h"
#include "json.h"
#include "report.h"

#define PAGE_SHIFT 12u /* of the modelled host, as pcv_model_boot() says it */

/* ---- BARs ---------------------------------------------------------------- */

static struct json_object *bar_json(unsigned index,
                                    const struct pcv_bar_view *bar)
{
    struct json_object *object = json_object_new_object();
    struct pcv_bar kind = {.kind = bar->kind};
    struct text text = {0};

    report_bar_kind(&text, &kind);
    json_add_string(object, "bar", report_bar_name(index));
    json_add_string(object, "kind", text_str(&text));
    json_add_hex(object, "address", 1, bar->address.v);
    json_add_hex(object, "machine_address", 1, bar->host.v);
    json_add_number(object, "size", bar->size);
    json_add_string(object, "state",
                    pcv_bar_state_name((enum pcv_bar_state)bar->state));
    json_add_number(object, "mapped_pages", bar->mapped_pages);
    json_add_number(object, "trapped_pages", bar->trapped_pages);
    text_fini(&text);
    return object;
}

/* What the owner of a function sees of its BARs; false if it is gone. */
static bool bars_take(const struct machine *machine, pcv_sbdf sbdf,
                      struct pcv_bar_view out_bars[PCV_BARS])
{
    struct pcv_device *device = pcv_device_find(machine->host, sbdf);

    if (device == NULL) {
        return false;
    }
    pcv_device_bars(device, out_bars);
    pcv_device_put(device);
    return true;
}

/* A member of the list for a function. */
static void function_bars(const struct machine *machine,
                          const struct owned *function, uint32_t owner_id,
                          struct json_object *json)
{
    struct pcv_bar_view bar[PCV_BARS];

    if (!bars_take(machine, function->sbdf, bar)) {
        return;
    }
    struct json_object *object = json_object_new_object();
    struct json_object *bars = json_object_new_array();
    json_add_sbdf(object, "address", machine, function->sbdf);
    json_add_string(object, "owner", machine_domain_name(machine, owner_id).s);
    json_add_string(object, "own", format_sbdf(NULL, false, function->own).s);
    json_add(object, "bars", bars);
    json_object_array_add(json, object);
    for (unsigned i = 0; i < PCV_BARS; i++) {
        if (bar[i].size != 0) {
            json_object_array_add(bars, bar_json(i, &bar[i]));
        }
    }
}

/* The BARs of all that a domain has. */
static bool domain_bars(struct call *call, uint32_t id, const char *indent,
                        struct json_object *json)
{
    struct ctl ctl = call_ctl(call);
    struct owned_list list;

    if (json == NULL) {
        return ctl_domain_bars(&ctl, id, indent);
    }
    owned_take(&list, &call->session->machine, id);
    for (size_t i = 0; i < list.count; i++) {
        function_bars(&call->session->machine, &list.item[i], id, json);
    }
    owned_fini(&list);
    return true;
}

/* An argument of `map` that is an address. */
static enum command_result map_function(struct call *call, size_t index,
                                        struct json_object *json)
{
    struct ctl ctl = call_ctl(call);
    struct owned function = {0};
    struct pcv_device_info info;

    if (!call_sbdf(call, index, &function.sbdf)) {
        return COMMAND_MISUSED;
    }
    if (json == NULL) {
        return call_done(ctl_bars(&ctl, function.sbdf));
    }
    struct pcv_device *device =
        pcv_device_find(call->session->machine.host, function.sbdf);
    if (device == NULL) {
        return call_refused(call, ABOUT_VIEW, PCV_ENODEV,
                            call_show(call, function.sbdf).s);
    }
    pcv_device_get_info(device, &info);
    function.own = pcv_device_guest_sbdf(device);
    pcv_device_put(device);
    function_bars(&call->session->machine, &function, info.owner_id, json);
    return COMMAND_DONE;
}

enum command_result command_map(struct call *call)
{
    enum command_result result = COMMAND_DONE;
    struct json_object *json =
        call->args.option[0] != NULL ? json_object_new_array() : NULL;

    for (size_t i = 0; i < call->args.count && result == COMMAND_DONE; i++) {
        /* No domain's name has a colon, every address has one. */
        if (strchr(call->args.word[i], ':') != NULL) {
            result = map_function(call, i, json);
        } else if (call_domain(call, call->args.word[i])) {
            result = call_done(
                domain_bars(call, pcv_domain_id(call->view.domain), "", json));
        } else {
            result = COMMAND_MISUSED;
        }
    }
    if (json != NULL && result == COMMAND_DONE) {
        json_print(call->out, json);
    } else if (json != NULL) {
        json_object_put(json);
    }
    return result;
}

/* ---- pages --------------------------------------------------------------- */

/* Pages that are mapped side by side and lead to pages side by side. */
struct page_run {
    uint64_t first;
    uint64_t host; /* UINT64_MAX: they are wanted, and not mapped */
    uint64_t pages;
    uint32_t users;
    bool read_only;
};

static uint64_t host_page(const struct machine *machine, uint32_t id,
                          uint64_t page)
{
    uint64_t host;
    return pcv_model_translate(machine->model, id, page, &host) ? host
                                                                : UINT64_MAX;
}

static bool is_read_only(const struct machine *machine, uint32_t id,
                         uint64_t page)
{
    return pcv_model_is_read_only(machine->model, id, page);
}

static void run_add(struct call *call, const struct page_run *run,
                    struct json_object *json)
{
    uint64_t first = run->first << PAGE_SHIFT;
    uint64_t last = first + ((run->pages << PAGE_SHIFT) - 1);
    bool mapped = run->host != UINT64_MAX;

    if (json != NULL) {
        struct json_object *object = json_object_new_object();
        json_add_hex(object, "first", 1, first);
        json_add_hex(object, "last", 1, last);
        if (mapped) {
            json_add_hex(object, "machine_first", 1, run->host << PAGE_SHIFT);
        }
        json_add_number(object, "pages", run->pages);
        json_add_number(object, "users", run->users);
        json_add_bool(object, "read_only", run->read_only);
        json_object_array_add(json, object);
        return;
    }
    text_add(call->out, "  %" PRIx64 "-%" PRIx64, first, last);
    if (mapped) {
        text_add(call->out, " to %" PRIx64 ": ", run->host << PAGE_SHIFT);
    } else {
        text_add(call->out, " not mapped: ");
    }
    text_add_count(call->out, run->pages, "page");
    text_add(call->out, ", ");
    text_add_count(call->out, run->users, "user");
    text_add(call->out, "%s\n", run->read_only ? ", read-only" : "");
}

/* Whether a page goes on where a run of pages ends. */
static bool run_goes_on(const struct page_run *run, uint64_t host)
{
    return run->host == UINT64_MAX ? host == UINT64_MAX
                                   : host == run->host + run->pages;
}

/* The runs of a mapping, page by page: as far as pages that follow each other
 * lead to pages that do. */
static void mapping_add(struct call *call, uint32_t id,
                        const struct pcv_mapping *mapping,
                        struct json_object *json)
{
    const struct machine *machine = &call->session->machine;
    struct page_run run = {
        mapping->first_page, host_page(machine, id, mapping->first_page), 1,
        mapping->users, is_read_only(machine, id, mapping->first_page)};

    for (uint64_t i = 1; i < mapping->pages; i++) {
        uint64_t page = mapping->first_page + i;
        uint64_t host = host_page(machine, id, page);
        bool read_only = is_read_only(machine, id, page);
        if (run_goes_on(&run, host) && read_only == run.read_only) {
            run.pages++;
        } else {
            run_add(call, &run, json);
            run = (struct page_run){page, host, 1, mapping->users, read_only};
        }
    }
    run_add(call, &run, json);
}

static void domain_pages(struct call *call, struct pcv_domain *domain,
                         struct json_object *json)
{
    struct pcv_mapping mapping;
    uint64_t from = 0;

    while (pcv_domain_next_mapping(domain, from, &mapping) &&
           mapping.pages != 0) {
        mapping_add(call, pcv_domain_id(domain), &mapping, json);
        from = mapping.first_page + mapping.pages;
    }
    if (from == 0 && json == NULL) {
        text_add(call->out, "  nothing is mapped\n");
    }
}

/* ---- memory -------------------------------------------------------------- */

static void domain_windows(struct call *call, uint32_t id,
                           struct json_object *json)
{
    const struct guest *guest = guest_of(&call->session->machine, id);

    for (size_t i = 0; guest != NULL && i < guest->windows; i++) {
        const struct guest_window *window = &guest->window[i];
        uint64_t last = window->base + (window->size - 1);
        if (json == NULL) {
            text_add(call->out, "  window %" PRIx64 "-%" PRIx64 "\n",
                     window->base, last);
            continue;
        }
        struct json_object *object = json_object_new_object();
        json_add_hex(object, "first", 1, window->base);
        json_add_hex(object, "last", 1, last);
        json_object_array_add(json, object);
    }
}

static void memory_add(struct call *call, struct pcv_domain *domain,
                       struct json_object *json)
{
    uint32_t id = pcv_domain_id(domain);
    struct domain_text name = machine_domain_name(&call->session->machine, id);

    if (json == NULL) {
        text_add(call->out, "%s:\n", name.s);
        domain_windows(call, id, NULL);
        (void)domain_bars(call, id, "  ", NULL);
        domain_pages(call, domain, NULL);
        return;
    }
    struct json_object *object = json_object_new_object();
    struct json_object *windows = json_object_new_array();
    struct json_object *functions = json_object_new_array();
    struct json_object *pages = json_object_new_array();
    json_add_string(object, "domain", name.s);
    json_add(object, "windows", windows);
    json_add(object, "functions", functions);
    json_add(object, "mapped", pages);
    domain_windows(call, id, windows);
    (void)domain_bars(call, id, "", functions);
    domain_pages(call, domain, pages);
    json_object_array_add(json, object);
}

enum command_result command_memory(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    struct json_object *json =
        call->args.option[0] != NULL ? json_object_new_array() : NULL;

    if (call->args.count == 1 && !call_domain(call, call->args.word[0])) {
        json_object_put(json);
        return COMMAND_MISUSED;
    }
    memory_add(call, call->view.domain, json);
    for (size_t i = 0; call->args.count == 0 && i < machine->guests; i++) {
        memory_add(call, machine->guest[i].domain, json);
    }
    if (json != NULL) {
        json_print(call->out, json);
    }
    return COMMAND_DONE;
}
