#include "lib/first.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/qr/each.h"

#define HELPERS_MAX 7
#define PIECES_MIN  8 /* of a thread: fewer are done before it has started */

struct work {
	void (*one)(void *ctx, size_t i);
	void *ctx;
	size_t n;
	atomic_size_t next;
};

static void *
run(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->n)
		w->one(w->ctx, i);
	return NULL;
}

static size_t
helpers_of(size_t n)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = processors > 1 ? (size_t)processors - 1 : 0;

	if (most > HELPERS_MAX)
		most = HELPERS_MAX;
	return n / PIECES_MIN < most ? n / PIECES_MIN : most;
}

/* Only the main thread takes signals. The others do the work of one that cannot be started. */
void
qr_each(void (*one)(void *ctx, size_t i), void *ctx, size_t n)
{
	struct work w = {.one = one, .ctx = ctx, .n = n};
	pthread_t helper[HELPERS_MAX];
	size_t want = helpers_of(n), started = 0;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < want && pthread_create(&helper[started], NULL, run, &w) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	run(&w);
	for (size_t i = 0; i < started; i++)
		pthread_join(helper[i], NULL);
}
