/* SPDX-License-Identifier: MIT */
/* What operations answer, as JSON. */
#ifndef PCIVISOR_CLI_CTL_JSON_H
#define PCIVISOR_CLI_CTL_JSON_H

#include "ctl/ctl.h"
#include "ctl/json_text.h"

/* A function, an object with all that is known of it. */
void json_device(struct json_text *json, const char *key,
                 const struct words_names *names,
                 const struct pcv_device_info *info);
/* An event: with its line in words, too. */
void json_event(struct json_text *json, const struct words_names *names,
                const struct pcv_event *event);
/* A row of configuration space. */
void json_row(struct json_text *json, uint16_t reg, const uint8_t *bytes,
              size_t count);

/* ---- commands: as those of ctl.h ------------------------------------------
 */

bool ctl_devices_json(const struct ctl *ctl);
bool ctl_status_json(const struct ctl *ctl, const pcv_sbdf *sbdfs,
                     size_t count);
bool ctl_holders_json(const struct ctl *ctl, const pcv_sbdf *sbdfs,
                      size_t count);
bool ctl_nodes_json(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count);
bool ctl_dump_json(const struct ctl *ctl, uint32_t domain_id, pcv_sbdf sbdf,
                   uint16_t reg, uint32_t bytes);
bool ctl_events_json(const struct ctl *ctl, uint64_t *number);

#endif
