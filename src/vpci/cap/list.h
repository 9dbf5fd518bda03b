/* SPDX-License-Identifier: MIT */
/* Names of the descriptions, one a file. */
#ifndef PCV_VPCI_CAP_LIST_H
#define PCV_VPCI_CAP_LIST_H

#include "vpci/cap.h"

extern const struct pcv__cap_desc pcv__cap_acs;
extern const struct pcv__cap_desc pcv__cap_af;
extern const struct pcv__cap_desc pcv__cap_aer;
extern const struct pcv__cap_desc pcv__cap_dpc;
extern const struct pcv__cap_desc pcv__cap_dsn;
extern const struct pcv__cap_desc pcv__cap_msi;
extern const struct pcv__cap_desc pcv__cap_msix;
extern const struct pcv__cap_desc pcv__cap_pcie;
extern const struct pcv__cap_desc pcv__cap_pm;
extern const struct pcv__cap_desc pcv__cap_rebar;
extern const struct pcv__cap_desc pcv__cap_sriov;
extern const struct pcv__cap_desc pcv__cap_vendor;
extern const struct pcv__cap_desc pcv__cap_vf_rebar;
extern const struct pcv__cap_desc pcv__cap_vpd;

#endif
