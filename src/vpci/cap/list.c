/* SPDX-License-Identifier: MIT */
/* The capabilities that pcivisor knows: a line each (CAP-4). */
#include "vpci/cap/list.h"

const struct pcv__cap_desc *const pcv__cap_list[] = {
    /* In the first 256 bytes. */
    &pcv__cap_pm,
    &pcv__cap_vpd,
    &pcv__cap_msi,
    &pcv__cap_vendor,
    &pcv__cap_pcie,
    &pcv__cap_msix,
    &pcv__cap_af,
    /* In extended space. */
    &pcv__cap_aer,
    &pcv__cap_dsn,
    &pcv__cap_acs,
    &pcv__cap_dpc,
    &pcv__cap_sriov,
    &pcv__cap_rebar,
    &pcv__cap_vf_rebar,
    NULL,
};
