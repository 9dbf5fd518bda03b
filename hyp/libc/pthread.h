/* SPDX-License-Identifier: MIT */
/* POSIX's mutex, for the modelled host: a lock that spins. */
#ifndef HYP_LIBC_PTHREAD_H
#define HYP_LIBC_PTHREAD_H

#include "arch.h"

typedef struct spinlock pthread_mutex_t;

/* Without attributes. All of them succeed. */
static inline int pthread_mutex_init(pthread_mutex_t *mutex,
                                     const void *attributes)
{
    (void)attributes;
    atomic_init(&mutex->next, 0);
    atomic_init(&mutex->owner, 0);
    return 0;
}

static inline int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    spin_lock(mutex);
    return 0;
}

static inline int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    spin_unlock(mutex);
    return 0;
}

#endif
