/* SPDX-License-Identifier: MIT */
/* Registers by name or number. */
#include "reg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The longest name, with offset and width. */
#define REG_WORD_MAX 63u

/* PCI Local Bus 3.0, 6.1; PCI-to-PCI Bridge 1.2, 3.2. */
static const struct reg_row {
    const char *name;
    uint16_t offset;
    uint8_t size;
} reg_row[] = {
    {"VENDOR_ID", PCV_REG_VENDOR, 2},
    {"DEVICE_ID", PCV_REG_DEVICE, 2},
    {"COMMAND", PCV_REG_COMMAND, 2},
    {"STATUS", PCV_REG_STATUS, 2},
    {"REVISION", PCV_REG_REVISION, 1},
    {"CLASS_PROG", PCV_REG_CLASS, 1},
    {"CLASS_DEVICE", PCV_REG_CLASS + 1u, 2},
    {"CACHE_LINE_SIZE", PCV_REG_CACHE_LINE, 1},
    {"LATENCY_TIMER", PCV_REG_LATENCY, 1},
    {"HEADER_TYPE", PCV_REG_HEADER_TYPE, 1},
    {"BIST", PCV_REG_BIST, 1},
    {"BAR0", PCV_REG_BAR0, 4},
    {"BAR1", PCV_REG_BAR0 + 0x04u, 4},
    {"BAR2", PCV_REG_BAR0 + 0x08u, 4},
    {"BAR3", PCV_REG_BAR0 + 0x0cu, 4},
    {"BAR4", PCV_REG_BAR0 + 0x10u, 4},
    {"BAR5", PCV_REG_BAR0 + 0x14u, 4},
    {"BASE_ADDRESS_0", PCV_REG_BAR0, 4},
    {"BASE_ADDRESS_1", PCV_REG_BAR0 + 0x04u, 4},
    {"BASE_ADDRESS_2", PCV_REG_BAR0 + 0x08u, 4},
    {"BASE_ADDRESS_3", PCV_REG_BAR0 + 0x0cu, 4},
    {"BASE_ADDRESS_4", PCV_REG_BAR0 + 0x10u, 4},
    {"BASE_ADDRESS_5", PCV_REG_BAR0 + 0x14u, 4},
    {"SUBSYSTEM_VENDOR_ID", PCV_REG_SUBSYSTEM_VENDOR, 2},
    {"SUBSYSTEM_ID", PCV_REG_SUBSYSTEM, 2},
    {"ROM_ADDRESS", PCV_REG_ROM0, 4},
    {"CAP_POINTER", PCV_REG_CAPS, 1},
    {"INTERRUPT_LINE", PCV_REG_INT_LINE, 1},
    {"INTERRUPT_PIN", PCV_REG_INT_PIN, 1},
    {"MIN_GNT", PCV_REG_INT_PIN + 1u, 1},
    {"MAX_LAT", PCV_REG_INT_PIN + 2u, 1},
    {"PRIMARY_BUS", PCV_REG_PRIMARY, 1},
    {"SECONDARY_BUS", PCV_REG_SECONDARY, 1},
    {"SUBORDINATE_BUS", PCV_REG_SUBORDINATE, 1},
    {"SEC_LATENCY_TIMER", PCV_REG_SEC_LATENCY, 1},
    {"IO_BASE", PCV_REG_IO_BASE, 1},
    {"IO_LIMIT", PCV_REG_IO_LIMIT, 1},
    {"SEC_STATUS", PCV_REG_SEC_STATUS, 2},
    {"MEMORY_BASE", PCV_REG_MEM_BASE, 2},
    {"MEMORY_LIMIT", PCV_REG_MEM_LIMIT, 2},
    {"PREF_MEMORY_BASE", PCV_REG_PREF_BASE, 2},
    {"PREF_MEMORY_LIMIT", PCV_REG_PREF_LIMIT, 2},
    {"PREF_BASE_UPPER32", PCV_REG_PREF_BASE_HI, 4},
    {"PREF_LIMIT_UPPER32", PCV_REG_PREF_LIMIT_HI, 4},
    {"IO_BASE_UPPER16", PCV_REG_IO_BASE_HI, 2},
    {"IO_LIMIT_UPPER16", PCV_REG_IO_LIMIT_HI, 2},
    {"BRIDGE_ROM_ADDRESS", PCV_REG_ROM1, 4},
    {"BRIDGE_CONTROL", PCV_REG_BRIDGE_CONTROL, 2},
};

#define REG_ROWS (sizeof(reg_row) / sizeof(reg_row[0]))

/* Capabilities that have a name here, as setpci's. */
static const struct cap_row {
    const char *name;
    uint16_t id;
    bool extended;
} cap_row[] = {
    {"CAP_PM", PCV_CAP_ID_PM, false},
    {"CAP_AGP", PCV_CAP_ID_AGP, false},
    {"CAP_VPD", PCV_CAP_ID_VPD, false},
    {"CAP_SLOTID", PCV_CAP_ID_SLOT, false},
    {"CAP_MSI", PCV_CAP_ID_MSI, false},
    {"CAP_CHSWP", PCV_CAP_ID_HOTSWAP, false},
    {"CAP_PCIX", PCV_CAP_ID_PCIX, false},
    {"CAP_HT", PCV_CAP_ID_HT, false},
    {"CAP_VNDR", PCV_CAP_ID_VENDOR, false},
    {"CAP_DBG", PCV_CAP_ID_DEBUG, false},
    {"CAP_HOTPLUG", PCV_CAP_ID_SHPC, false},
    {"CAP_SSVID", PCV_CAP_ID_SSVID, false},
    {"CAP_SECURE", PCV_CAP_ID_SECURE, false},
    {"CAP_EXP", PCV_CAP_ID_PCIE, false},
    {"CAP_MSIX", PCV_CAP_ID_MSIX, false},
    {"CAP_SATA", PCV_CAP_ID_SATA, false},
    {"CAP_AF", PCV_CAP_ID_AF, false},
    {"CAP_EA", PCV_CAP_ID_EA, false},
    {"ECAP_AER", PCV_EXT_CAP_ID_AER, true},
    {"ECAP_VC", PCV_EXT_CAP_ID_VC, true},
    {"ECAP_DSN", PCV_EXT_CAP_ID_DSN, true},
    {"ECAP_ACS", PCV_EXT_CAP_ID_ACS, true},
    {"ECAP_ARI", PCV_EXT_CAP_ID_ARI, true},
    {"ECAP_ATS", PCV_EXT_CAP_ID_ATS, true},
    {"ECAP_SRIOV", PCV_EXT_CAP_ID_SRIOV, true},
    {"ECAP_PRI", PCV_EXT_CAP_ID_PRI, true},
    {"ECAP_REBAR", PCV_EXT_CAP_ID_REBAR, true},
    {"ECAP_LTR", PCV_EXT_CAP_ID_LTR, true},
    {"ECAP_PASID", PCV_EXT_CAP_ID_PASID, true},
    {"ECAP_DPC", PCV_EXT_CAP_ID_DPC, true},
    {"ECAP_L1SS", PCV_EXT_CAP_ID_L1SS, true},
    {"ECAP_VF_REBAR", PCV_EXT_CAP_ID_VF_REBAR, true},
};

#define CAP_ROWS (sizeof(cap_row) / sizeof(cap_row[0]))

const char *reg_name(size_t index)
{
    if (index < REG_ROWS) {
        return reg_row[index].name;
    }
    return reg_cap_name(index - REG_ROWS);
}

const char *reg_cap_name(size_t index)
{
    return index < CAP_ROWS ? cap_row[index].name : NULL;
}

struct width_text reg_width(uint8_t size)
{
    struct width_text text;
    static const struct {
        uint8_t size;
        char letter;
    } row[] = {{1, 'b'}, {2, 'w'}, {4, 'l'}, {8, 'q'}};

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].size == size) {
            snprintf(text.s, sizeof(text.s), ".%c", row[i].letter);
            return text;
        }
    }
    snprintf(text.s, sizeof(text.s), ".%u", size);
    return text;
}

bool reg_width_parse(const char *word, uint8_t *out_size)
{
    uint64_t size;
    if (word[0] != '\0' && word[1] == '\0') {
        /* A letter's place, counted from 1, is its width. */
        const char *letters = "bw l   q";
        const char *at = strchr(letters, word[0]);
        if (at != NULL && word[0] != ' ') {
            *out_size = (uint8_t)(at - letters + 1);
            return true;
        }
    }
    if (!parse_decimal(word, 255, &size)) {
        return false;
    }
    *out_size = (uint8_t)size;
    return true;
}

bool reg_cap_named(const char *name, uint16_t *out_id, bool *out_extended)
{
    uint64_t id;
    for (size_t i = 0; i < CAP_ROWS; i++) {
        if (strcasecmp(name, cap_row[i].name) == 0) {
            *out_id = cap_row[i].id;
            *out_extended = cap_row[i].extended;
            return true;
        }
    }
    *out_extended = strncasecmp(name, "ECAP", 4) == 0;
    if (!*out_extended && strncasecmp(name, "CAP", 3) != 0) {
        return false;
    }
    const char *digits = name + (*out_extended ? 4 : 3);
    if (!parse_hex(digits, *out_extended ? 0xffff : 0xff, &id)) {
        return false;
    }
    *out_id = (uint16_t)id;
    return true;
}

/* Where the first capability of a kind begins. */
static bool cap_find(const struct view *view, pcv_sbdf sbdf, const char *name,
                     uint16_t id, bool extended, uint64_t *out_offset,
                     struct text *why)
{
    struct view_caps *caps = memory_zero(1, sizeof(*caps));
    bool found = false;

    view_caps_read(view, sbdf, extended, caps);
    for (size_t i = 0; i < caps->count && !found; i++) {
        if (caps->cap[i].extended == extended && caps->cap[i].id == id) {
            *out_offset = caps->cap[i].offset;
            found = true;
        }
    }
    free(caps);
    if (!found) {
        text_add(why, "%s has no capability %s", view_sbdf(view, sbdf).s, name);
    }
    return found;
}

/* Where a name or a number is; *out_size is 0 if it has none of its own. */
static bool base_parse(const struct view *view, pcv_sbdf sbdf, const char *name,
                       uint64_t *out_offset, uint8_t *out_size,
                       struct text *why)
{
    uint16_t id;
    bool extended;

    *out_size = 0;
    for (size_t i = 0; i < REG_ROWS; i++) {
        if (strcasecmp(name, reg_row[i].name) == 0) {
            *out_offset = reg_row[i].offset;
            *out_size = reg_row[i].size;
            return true;
        }
    }
    if (parse_hex(name, 0xffff, out_offset)) {
        return true;
    }
    if (reg_cap_named(name, &id, &extended)) {
        return cap_find(view, sbdf, name, id, extended, out_offset, why);
    }
    text_add(why, "expected a register (4c.w, COMMAND, CAP_MSI+2), got '");
    text_add_clean(why, name);
    text_add(why, "'");
    return false;
}

/* The widest access that stays aligned. */
static uint8_t natural_size(uint64_t offset)
{
    if (offset % 4 == 0) {
        return 4;
    }
    return offset % 2 == 0 ? 2 : 1;
}

bool reg_parse(const struct view *view, pcv_sbdf sbdf, const char *word,
               uint16_t *out_reg, uint8_t *out_size, struct text *why)
{
    char name[REG_WORD_MAX + 1] = "";
    uint64_t offset;
    uint64_t more = 0;
    uint8_t own_size;

    if (strlen(word) <= REG_WORD_MAX) {
        snprintf(name, sizeof(name), "%s", word);
    }
    char *dot = strrchr(name, '.');
    uint8_t size = 0;
    if (dot != NULL) {
        *dot = '\0';
        if (!reg_width_parse(dot + 1, &size)) {
            text_add(why, "expected a width, .b .w .l .q or .BYTES, got '.");
            text_add_clean(why, dot + 1);
            text_add(why, "'");
            return false;
        }
    }
    char *plus = strchr(name, '+');
    if (plus != NULL) {
        *plus = '\0';
        if (!parse_hex(plus + 1, 0xfff, &more)) {
            text_add(why, "expected a hexadecimal offset after '+'");
            return false;
        }
    }
    if (!base_parse(view, sbdf, name, &offset, &own_size, why)) {
        return false;
    }
    if (offset > 0xffff - more) {
        text_add(why, "a register is at most at ffff");
        return false;
    }
    offset += more;
    if (own_size == 0 || plus != NULL) {
        own_size = natural_size(offset);
    }
    *out_reg = (uint16_t)offset;
    *out_size = dot != NULL ? size : own_size;
    return true;
}
