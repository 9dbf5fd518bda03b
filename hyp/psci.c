/* SPDX-License-Identifier: MIT */
/*
 * PSCI as a domain sees it: its vCPUs, by the affinity that it reads in its
 * own MPIDR. Only the hardware domain switches the machine off.
 */
#include "psci.h"

#include "lib.h"
#include "main.h"
#include "smp.h"
#include "trap.h"
#include "vgic.h"

#define VERSION_1_0 0x10000
#define AFFINITY_OFF 1
/* The CPU that all messages arrive at stays on. PSCI has a way to say that: a
 * trusted OS that cannot leave its CPU. */
#define ONE_CPU_STAYS 1
#define NO_MIGRATION 2
/* Some calls exist with 32-bit arguments as well; this bit tells. */
#define CALL_64_BIT 0x40000000u

static struct vcpu *find(struct domain *domain, uint64_t affinity)
{
    return affinity < domain->vcpus ? &domain->vcpu[affinity] : NULL;
}

/* The one whose CPU is the first; NULL: another domain's. */
static const struct vcpu *resident(const struct domain *domain)
{
    return domain->vcpu[0].cpu == 0 ? &domain->vcpu[0] : NULL;
}

static int64_t cpu_on(struct domain *domain, const uint64_t *a)
{
    struct vcpu *vcpu = find(domain, a[0]);
    bool off = false;
    int64_t error;

    if (!vcpu) {
        return PSCI_INVALID_PARAMETERS;
    }
    if (a[1] % 4 != 0 || a[1] < domain->ram_base ||
        a[1] - domain->ram_base >= domain->ram_size) {
        return PSCI_INVALID_ADDRESS;
    }
    if (!atomic_compare_exchange_strong(&vcpu->on, &off, true)) {
        return PSCI_ALREADY_ON;
    }
    /* It is ours until smp_start() says that it runs. */
    vcpu->entry = a[1];
    vcpu->context = a[2];
    error = smp_start(vcpu->cpu, vcpu);
    if (error != PSCI_SUCCESS) {
        atomic_store(&vcpu->on, false);
    }
    return error;
}

static int64_t affinity_info(struct domain *domain, uint64_t affinity,
                             uint64_t level)
{
    const struct vcpu *vcpu = find(domain, affinity);

    if (!vcpu || level != 0) {
        return PSCI_INVALID_PARAMETERS;
    }
    return atomic_load(&vcpu->on) ? 0 : AFFINITY_OFF;
}

static int64_t features(uint64_t function)
{
    switch ((uint32_t)function) {
    case PSCI_VERSION:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_CPU_ON & ~CALL_64_BIT:
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO & ~CALL_64_BIT:
    case PSCI_MIGRATE_INFO_TYPE:
    case PSCI_MIGRATE_INFO_UP_CPU:
    case PSCI_MIGRATE_INFO_UP_CPU & ~CALL_64_BIT:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
        return PSCI_SUCCESS;
    default:
        return PSCI_NOT_SUPPORTED;
    }
}

static _Noreturn void cpu_off(struct vcpu *vcpu)
{
    /* What its list registers hold goes to who runs on. */
    vgic_reset_vcpu(vcpu);
    atomic_store(&vcpu->on, false);
    smp_stop();
}

void trap_psci(struct vcpu *vcpu, struct frame *frame)
{
    struct domain *domain = vcpu->domain;
    uint64_t *x = frame->x;
    uint64_t mask = (x[0] & CALL_64_BIT) != 0 ? UINT64_MAX : UINT32_MAX;
    const uint64_t a[] = {x[1] & mask, x[2] & mask, x[3] & mask};
    bool hardware = domain->id == 0;

    switch ((uint32_t)x[0]) {
    case PSCI_VERSION:
        x[0] = VERSION_1_0;
        return;
    case PSCI_CPU_OFF:
        if (vcpu != resident(domain)) {
            cpu_off(vcpu);
        }
        x[0] = (uint64_t)PSCI_DENIED;
        return;
    case PSCI_CPU_ON:
    case PSCI_CPU_ON & ~CALL_64_BIT:
        x[0] = (uint64_t)cpu_on(domain, a);
        return;
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO & ~CALL_64_BIT:
        x[0] = (uint64_t)affinity_info(domain, a[0], a[1]);
        return;
    case PSCI_MIGRATE_INFO_TYPE:
        x[0] = resident(domain) ? ONE_CPU_STAYS : NO_MIGRATION;
        return;
    case PSCI_MIGRATE_INFO_UP_CPU:
    case PSCI_MIGRATE_INFO_UP_CPU & ~CALL_64_BIT:
        x[0] = 0; /* the affinity of resident() */
        return;
    case PSCI_FEATURES:
        x[0] = (uint64_t)features(a[0]);
        return;
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
        print("%s switches off\n", domain->name);
        if (!hardware) {
            cpu_off(vcpu);
        } else if ((uint32_t)x[0] == PSCI_SYSTEM_OFF) {
            smp_power_off();
        }
        smp_reset();
    default:
        x[0] = (uint64_t)PSCI_NOT_SUPPORTED;
        return;
    }
}
