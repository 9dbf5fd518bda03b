/* SPDX-License-Identifier: MIT */
/* Threads play CPUs: see torture.h. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "torture.h"

#define ROUND_TURNS 1000u
#define HANGS_S 300u

static struct world world;
static pthread_barrier_t barrier;
static _Atomic uint64_t rounds; /* that came to their end */

struct options {
    uint64_t seed;
    uint64_t seconds; /* 0: turns count */
    uint64_t turns;   /* of each thread */
    uint32_t threads;
    uint32_t players; /* of all threads */
};

static void usage(FILE *out)
{
    (void)fprintf(
        out,
        "usage: pcivisor-torture [--seconds N | --turns N] [--seed S]\n"
        "                        [--threads N] [--players N] [--trace]\n\n"
        "Does everything that the library offers at once, on a machine that "
        "is made up,\nwhile host operations fail; then checks that nothing is "
        "left.\n\n"
        "  --seconds N  for so long\n"
        "  --turns N    so many steps of each thread (default 20000)\n"
        "  --seed S     of the machine and of everything that is done\n"
        "               (default: from the clock)\n"
        "  --threads N  1 to %u (default 4). With 1 the seed decides "
        "everything:\n               the same run again, step by step\n"
        "  --players N  CPUs that are played, by all threads (default 12)\n"
        "  --trace      a line for each step\n\n"
        "Exit status: 0; 2 for wrong usage; it aborts if something is "
        "wrong.\n",
        THREADS_MAX);
}

/* How long. */
static struct {
    uint64_t turns;
    struct timespec end;
    bool timed;
    bool over;
} plan;

/* ---- turns -----------------------------------------------------------------
 */

static const struct actor *choose(struct player *p)
{
    static _Atomic uint32_t sum;
    uint32_t total = atomic_load(&sum);
    uint32_t at;

    if (total == 0) {
        for (uint32_t i = 0; i < ACTOR_COUNT; i++) {
            total += actors[i].weight;
        }
        atomic_store(&sum, total);
    }
    at = chance(p, total);
    for (uint32_t i = 0;; i++) {
        if (at < actors[i].weight) {
            return &actors[i];
        }
        at -= actors[i].weight;
    }
}

static void take_turn(struct player *p)
{
    enum turn turn;

    if (!p->actor) {
        p->actor = choose(p);
        p->stage = 0;
        p->tries = 0;
        p->fn = NULL;
    }
    (void)(p->actor->alone ? pthread_rwlock_wrlock(&p->w->domains)
                           : pthread_rwlock_rdlock(&p->w->domains));
    turn = p->actor->play(p);
    (void)pthread_rwlock_unlock(&p->w->domains);
    if (p->w->traced) {
        (void)printf("%u.%llu %s.%u function %08x guest %u: %s, answer %d\n",
                     p->index, (unsigned long long)p->turns, p->actor->name,
                     p->stage, p->fn ? p->fn->sbdf.v : 0, p->guest,
                     turn == TURN_OVER ? "over" : "again", p->answer);
    }
    EXPECT(p, ++p->tries < TURNS_MAX, p->tries);
    p->turns++;
    if (turn == TURN_OVER) {
        p->counts[p->actor - actors]++;
        p->actor = NULL;
    }
    if (one_in(p, 8)) {
        pcv_model_advance_us(p->w->model, chance(p, 4000));
    }
}

/* Those of a thread, in an order that the seed chooses. */
static void take_turns(struct world *w, uint32_t thread, uint64_t *random)
{
    uint32_t own = (w->players - thread + w->threads - 1u) / w->threads;

    for (uint32_t i = 0; i < ROUND_TURNS && own != 0; i++) {
        uint32_t which = (uint32_t)(next_random(random) >> 11) % own;

        take_turn(&w->player[thread + which * w->threads]);
    }
}

/* ---- threads ---------------------------------------------------------------
 */

struct thread {
    pthread_t id;
    uint32_t index;
    uint64_t random;
};

static bool is_over(uint64_t turns)
{
    struct timespec now;

    if (!plan.timed) {
        return turns >= plan.turns;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > plan.end.tv_sec ||
           (now.tv_sec == plan.end.tv_sec && now.tv_nsec >= plan.end.tv_nsec);
}

static void *run(void *arg)
{
    struct thread *t = arg;

    for (uint64_t turns = ROUND_TURNS;; turns += ROUND_TURNS) {
        take_turns(&world, t->index, &t->random);
        (void)pthread_barrier_wait(&barrier);
        if (t->index == 0) {
            (void)atomic_fetch_add(&rounds, 1);
            books_check(&world);
            plan.over = is_over(turns);
        }
        (void)pthread_barrier_wait(&barrier);
        if (plan.over) {
            return NULL;
        }
    }
}

static _Noreturn void say_where(void)
{
    for (uint32_t i = 0; i < world.players; i++) {
        const struct player *p = &world.player[i];

        (void)fprintf(stderr, "player %u: %s, stage %u, tries %u\n", i,
                      p->actor ? p->actor->name : "idle", p->stage, p->tries);
    }
    (void)fprintf(stderr, "no end for %u s; again: --seed %llu --threads %u\n",
                  HANGS_S, (unsigned long long)world.seed, world.threads);
    (void)fflush(NULL);
    abort();
}

/* Sees that rounds come to their end: else somebody spins for good. It never
 * calls the library. */
static void *watch(void *arg)
{
    uint64_t last = 0;
    uint32_t seconds = 0;

    (void)arg;
    for (;;) {
        const struct timespec second = {.tv_sec = 1};
        uint64_t now;

        (void)nanosleep(&second, NULL);
        now = atomic_load(&rounds);
        seconds = now == last ? seconds + 1u : 0;
        last = now;
        if (seconds == HANGS_S) {
            say_where();
        }
    }
    return NULL;
}

/* What was begun is brought to its end: a vCPU that never resumes holds others
 * up for good. */
static void finish(struct world *w)
{
    bool busy = true;

    while (busy) {
        busy = false;
        for (uint32_t i = 0; i < w->players; i++) {
            if (w->player[i].actor) {
                take_turn(&w->player[i]);
                busy = true;
            }
        }
    }
}

static void run_all(const struct options *o)
{
    static struct thread threads[THREADS_MAX];

    plan.turns = o->turns;
    plan.timed = o->seconds != 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &plan.end);
    plan.end.tv_sec += (time_t)o->seconds;
    (void)pthread_barrier_init(&barrier, NULL, o->threads);
    for (uint32_t i = 0; i < o->threads; i++) {
        threads[i].index = i;
        threads[i].random = ~(o->seed + i);
        if (i != 0 &&
            pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0) {
            exit(2);
        }
    }
    (void)run(&threads[0]);
    for (uint32_t i = 1; i < o->threads; i++) {
        (void)pthread_join(threads[i].id, NULL);
    }
    (void)pthread_barrier_destroy(&barrier);
}

/* ---- what was done ---------------------------------------------------------
 */

static double seconds_since(const struct timespec *from)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) +
           (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void report(const struct timespec *from)
{
    double seconds = seconds_since(from);
    uint64_t total = 0;

    (void)printf("%-20s %12s %10s\n", "operation", "count", "a second");
    for (uint32_t i = 0; i < ACTOR_COUNT; i++) {
        uint64_t count = 0;

        for (uint32_t j = 0; j < world.players; j++) {
            count += world.player[j].counts[i];
        }
        total += count;
        (void)printf("%-20s %12llu %10.0f\n", actors[i].name,
                     (unsigned long long)count, (double)count / seconds);
    }
    (void)printf("%-20s %12llu %10.0f\n", "all", (unsigned long long)total,
                 (double)total / seconds);
    (void)printf("events %llu, messages %llu\n",
                 (unsigned long long)world.events,
                 (unsigned long long)world.messages);
}

/* ---- options ---------------------------------------------------------------
 */

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value < least ||
        value > most) {
        (void)fprintf(stderr, "%s: not a number from %llu to %llu\n", text,
                      (unsigned long long)least, (unsigned long long)most);
        exit(2);
    }
    return value;
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"seconds", required_argument, NULL, 's'},
        {"turns", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'},
        {"players", required_argument, NULL, 'p'},
        {"trace", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            o->seconds = number(optarg, 1, 1000000);
            break;
        case 'n':
            o->turns = number(optarg, 1, UINT64_MAX / 2u);
            break;
        case 'r':
            o->seed = number(optarg, 0, UINT64_MAX);
            break;
        case 't':
            o->threads = (uint32_t)number(optarg, 1, THREADS_MAX);
            break;
        case 'p':
            o->players = (uint32_t)number(optarg, 1, PLAYERS_MAX);
            break;
        case 'v':
            world.traced = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(2);
        }
    }
    if (optind != argc || o->players < o->threads) {
        usage(stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct options o = {
        .seed = (uint64_t)time(NULL),
        .turns = 20000,
        .threads = 4,
        .players = 12,
    };
    struct timespec from;
    pthread_t watcher;

    parse(argc, argv, &o);
    (void)printf("seed %llu, threads %u, players %u\n",
                 (unsigned long long)o.seed, o.threads, o.players);
    (void)fflush(stdout);
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) {
        return 2;
    }
    (void)pthread_detach(watcher);
    world_make(&world, o.seed, o.threads, o.players);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    run_all(&o);
    finish(&world);
    report(&from);
    world_end(&world);
    (void)printf("nothing is left\n");
    return 0;
}
