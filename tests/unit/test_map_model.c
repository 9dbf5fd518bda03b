/* SPDX-License-Identifier: MIT */
/*
 * Mappings against a naive model: devices whose BARs overlap one another in a
 * few pages are moved, switched on and off and given other holes at random,
 * several at once and a page at a time, and whenever nothing is under way each
 * page is what the rules say. PCV_TEST_LONG: more of it.
 */
#include "guest_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "vpci/cap.h"

#define DEVICES 5u
#define BARS 5u
#define PAGES 48u /* where BARs are */
#define PAGE 0x1000u
#define HOLES PCV__HOLES

static const uint32_t sizes[BARS] = {16, 512, 0x1000, 0x4000, 0x8000};

/* ---- what is tried ------------------------------------------------------- */

struct hole {
    bool set;
    uint8_t bar;
    uint32_t first, pages;
};

struct dev {
    pcv_sbdf sbdf, at; /* physical, and as its owner sees it */
    bool decode;
    bool busy; /* an access is pending */
    struct pcv_access access;
    uint32_t bar[BARS];
    struct hole hole[HOLES];
};

struct world {
    struct guest g;
    struct pcv_domain *owner;
    bool guest;
    uint32_t base; /* of the pages */
    uint64_t seed;
    struct dev dev[DEVICES];
};

static uint32_t random_below(struct world *w, uint32_t n)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return (uint32_t)((w->seed >> 20) % n);
}

static bool no_registers(struct pcv__cap *cap, uint8_t bar, uint64_t offset,
                         uint8_t size, bool write, uint64_t *data)
{
    (void)cap;
    (void)bar;
    (void)offset;
    (void)size;
    (void)write;
    (void)data;
    return false;
}

static const struct pcv__cap_desc desc = {.name = "Test", .mmio = no_registers};
static struct pcv__cap cap = {.desc = &desc};

/* A host address for each BAR, that no other has. */
static uint32_t host_address(unsigned device, unsigned bar)
{
    return 0xe8000000u + (device * BARS + bar) * 0x10000u;
}

static void open_world(struct world *w, bool guest, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    guest_open(&w->g);
    w->guest = guest;
    w->seed = seed;
    w->base = guest ? WIN + 0x100000u : 0xe8800000u;
    for (unsigned i = 0; i < DEVICES; i++) {
        struct pcv_test_function f;

        w->dev[i].sbdf = pcv_test_at(0, 0, (uint8_t)(i + 1), 0);
        w->dev[i].at = w->dev[i].sbdf;
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        for (unsigned bar = 0; bar < BARS; bar++) {
            pcv_test_bar32(&f, (uint8_t)bar, host_address(i, bar), sizes[bar]);
        }
        pcv_test_add(w->g.rig.model, &f, w->dev[i].sbdf);
    }
    guest_boot(&w->g);
    w->owner = guest ? w->g.domain : w->g.rig.dom0;
    for (unsigned i = 0; i < DEVICES; i++) {
        if (guest) {
            w->dev[i].at = guest_give(&w->g, w->dev[i].sbdf, NULL);
        }
        for (unsigned bar = 0; bar < BARS; bar++) {
            w->dev[i].bar[bar] = guest ? 0 : host_address(i, bar);
        }
    }
}

static void step(struct world *w, struct dev *dev)
{
    if (dev->busy && pcv_access_resume(w->owner, &dev->access) == PCV_DONE) {
        dev->busy = false;
    }
}

/* Nothing may be under way for good: whoever began goes on to the end. */
static void drain(struct world *w)
{
    unsigned rounds = 0;
    bool busy = true;

    while (busy) {
        busy = false;
        assert_true(++rounds < 100000);
        for (unsigned i = 0; i < DEVICES; i++) {
            step(w, &w->dev[i]);
            busy = busy || w->dev[i].busy;
        }
    }
}

/* False: the device is being mapped for somebody else's sake. */
static bool begin(struct world *w, struct dev *dev, uint16_t reg, uint8_t size,
                  uint32_t value)
{
    enum pcv_verdict verdict;

    dev->access = PCV_WRITE(dev->at, reg, size, value);
    verdict = pcv_access(w->owner, &dev->access);
    assert_true(verdict != PCV_ABSENT && verdict != PCV_FORWARD);
    dev->busy = verdict == PCV_PENDING;
    return verdict != PCV_RETRY;
}

static void move_bar(struct world *w, struct dev *dev)
{
    uint32_t bar = random_below(w, BARS);
    uint32_t address = w->base + random_below(w, PAGES) * PAGE +
                       random_below(w, PAGE / 16) * 16u;

    if (random_below(w, 8) == 0) {
        address = random_below(w, 2) == 0 ? 0xffffffffu : 0;
    }
    address &= ~(sizes[bar] - 1u);
    if (begin(w, dev, REG_BAR(bar), 4, address)) {
        dev->bar[bar] = address;
    }
}

static void toggle(struct world *w, struct dev *dev)
{
    if (begin(w, dev, PCV_REG_COMMAND, 2, dev->decode ? 0 : PCV_CMD_MEMORY)) {
        dev->decode = !dev->decode;
    }
}

static void change_hole(struct world *w, struct dev *dev)
{
    struct pcv_device *device = pcv_device_find(w->g.rig.host, dev->sbdf);
    uint32_t which = random_below(w, HOLES);
    struct hole *hole = &dev->hole[which];
    uint32_t bar = random_below(w, BARS);
    uint32_t offset = random_below(w, sizes[bar]);
    uint32_t size = 1 + random_below(w, sizes[bar] - offset);

    pcv__lock_take(&device->host->mem, &device->lock);
    if (hole->set && random_below(w, 2) == 0) {
        pcv__hole_clear(device, which);
        hole->set = false;
    } else {
        assert_int_equal(
            pcv__hole_set(device, which, &cap, (uint8_t)bar, offset, size), 0);
        hole->set = true;
        hole->bar = (uint8_t)bar;
        hole->first = offset / PAGE;
        hole->pages = (offset + size - 1) / PAGE - hole->first + 1;
    }
    assert_int_equal(pcv__traps_prepare(device), 0);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv_device_put(device);
}

static void act(struct world *w)
{
    struct dev *dev = &w->dev[random_below(w, DEVICES)];

    if (dev->busy) {
        step(w, dev);
        return;
    }
    switch (random_below(w, 6)) {
    case 0:
        if (!dev->decode) {
            change_hole(w, dev);
            break;
        }
        /* fall through */
    case 1:
        toggle(w, dev);
        break;
    default:
        move_bar(w, dev);
        break;
    }
}

/* ---- what must be -------------------------------------------------------- */

static bool in_hole(const struct dev *dev, unsigned bar, uint32_t page)
{
    for (unsigned i = 0; i < HOLES; i++) {
        const struct hole *hole = &dev->hole[i];

        if (hole->set && hole->bar == bar && page >= hole->first &&
            page - hole->first < hole->pages) {
            return true;
        }
    }
    return false;
}

static bool is_inside(const struct world *w, const struct dev *dev,
                      unsigned bar)
{
    return dev->decode && dev->bar[bar] >= w->base &&
           dev->bar[bar] - w->base < (PAGES + 8u) * PAGE;
}

static uint32_t pages_of(unsigned bar)
{
    return sizes[bar] < PAGE ? 1 : sizes[bar] / PAGE;
}

/* Each page of the hardware domain is mapped if a BAR wants it and no hole is
 * on it. */
static void check_hardware(const struct world *w)
{
    uint32_t wanted[PAGES + 16u] = {0};
    uint32_t holes[PAGES + 16u] = {0};

    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned bar = 0; bar < BARS; bar++) {
            const struct dev *dev = &w->dev[i];
            uint32_t first = (dev->bar[bar] - w->base) / PAGE;

            for (uint32_t page = 0;
                 is_inside(w, dev, bar) && page < pages_of(bar); page++) {
                bool hole = in_hole(dev, bar, page);

                wanted[first + page] += hole ? 0 : 1;
                holes[first + page] += hole ? 1 : 0;
            }
        }
    }
    for (uint32_t page = 0; page < PAGES + 16u; page++) {
        assert_int_equal(pcv_model_is_mapped(w->g.rig.model,
                                             PCV_DOMAIN_ID_HARDWARE,
                                             w->base / PAGE + page),
                         wanted[page] != 0 && holes[page] == 0);
    }
}

/* Whether a placed BAR, other than this, has one of its pages so that it may
 * not be mapped, or trapped, there. */
static bool is_blocked(const struct world *w, unsigned device, unsigned bar,
                       uint8_t states[DEVICES][BARS])
{
    const struct dev *dev = &w->dev[device];
    uint32_t first = dev->bar[bar] / PAGE;
    uint32_t end = first + pages_of(bar);

    for (unsigned i = 0; i < DEVICES * BARS; i++) {
        unsigned d = i / BARS, b = i % BARS;
        uint32_t other = w->dev[d].bar[b] / PAGE;

        if ((d != device || b != bar) &&
            (states[d][b] == PCV_BAR_ON || states[d][b] == PCV_BAR_TRAPPED) &&
            other < end && first < other + pages_of(b)) {
            return true;
        }
    }
    return false;
}

static void check_mapped(const struct world *w, unsigned device, unsigned bar,
                         const struct pcv_bar_view *view)
{
    const struct dev *dev = &w->dev[device];
    uint64_t mapped = 0;

    for (uint32_t page = 0; page < pages_of(bar); page++) {
        uint64_t to;

        if (sizes[bar] < PAGE || in_hole(dev, bar, page)) {
            assert_false(pcv_model_is_mapped(w->g.rig.model, GUEST_ID,
                                             dev->bar[bar] / PAGE + page));
            continue;
        }
        assert_true(pcv_model_translate(w->g.rig.model, GUEST_ID,
                                        dev->bar[bar] / PAGE + page, &to));
        assert_int_equal(to, host_address(device, bar) / PAGE + page);
        mapped++;
    }
    assert_int_equal(view->mapped_pages, mapped);
    assert_int_equal(view->trapped_pages, pages_of(bar) - mapped);
}

/* Each BAR of the guest's is mapped to its own pages, or trapped, or has one in
 * its way; nothing else is mapped. */
static void check_guest(struct world *w)
{
    struct pcv_bar_view views[DEVICES][PCV_BARS];
    uint8_t states[DEVICES][BARS];
    uint64_t mapped = 0;

    for (unsigned i = 0; i < DEVICES; i++) {
        struct pcv_device *device =
            pcv_device_find(w->g.rig.host, w->dev[i].sbdf);

        pcv_device_bars(device, views[i]);
        pcv_device_put(device);
        for (unsigned bar = 0; bar < BARS; bar++) {
            states[i][bar] = views[i][bar].state;
        }
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned bar = 0; bar < BARS; bar++) {
            uint8_t now = states[i][bar];

            if (now == PCV_BAR_ON || now == PCV_BAR_TRAPPED) {
                check_mapped(w, i, bar, &views[i][bar]);
                mapped += views[i][bar].mapped_pages;
            } else if (now == PCV_BAR_WAITING) {
                assert_true(is_blocked(w, i, bar, states));
            }
            assert_int_equal(now != PCV_BAR_OFF && now != PCV_BAR_OUTSIDE,
                             is_inside(w, &w->dev[i], bar));
        }
    }
    assert_int_equal(guest_pages(&w->g), mapped);
}

/* ---- many times ---------------------------------------------------------- */

static void run(bool guest, uint64_t seed, unsigned rounds)
{
    struct world w;

    open_world(&w, guest, seed);
    for (unsigned i = 0; i < rounds; i++) {
        pcv_model_set_map_chunk(w.g.rig.model, random_below(&w, 4));
        for (uint32_t n = 1 + random_below(&w, 30); n > 0; n--) {
            act(&w);
        }
        drain(&w);
        if (guest) {
            check_guest(&w);
        } else {
            check_hardware(&w);
        }
    }
    assert_int_equal(pcv_model_crashes(w.g.rig.model, NULL), 0);
    guest_close(&w.g);
}

static unsigned how_many(void)
{
    const char *wish = getenv("PCV_TEST_LONG");

    return wish != NULL && wish[0] != '\0' && wish[0] != '0' ? 100000 : 2000;
}

/* HDR-6, HDR-7, HDR-9 */
static void the_hardware_domains_pages_are_what_the_counts_say(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run(false, seed * 0x9e3779b97f4a7c15u, how_many());
    }
}

/* HDR-5, HDR-9, HDR-17 */
static void a_guests_pages_are_each_one_bars(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run(true, seed * 0x9e3779b97f4a7c15u, how_many());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hardware_domains_pages_are_what_the_counts_say),
        cmocka_unit_test(a_guests_pages_are_each_one_bars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
