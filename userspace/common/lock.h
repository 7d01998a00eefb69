/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mutex that a function holds until it returns: one line, "LOCKED(mutex);", behind
 * its other declarations.
 */
#ifndef ROOTVIEW_LOCK_H
#define ROOTVIEW_LOCK_H

#include <pthread.h>

#include "util.h"

#define cleanup_unlock cleanup_with(unlock_mutex)

static inline void unlock_mutex(pthread_mutex_t **locked)
{
	pthread_mutex_unlock(*locked);
}

static inline pthread_mutex_t *lock_mutex(pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	return mutex;
}

#define LOCKED(mutex) \
	cleanup_unlock __attribute__((__unused__)) pthread_mutex_t *locked = lock_mutex(&(mutex))

#endif
