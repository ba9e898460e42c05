#include "lib/first.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "lib/base/err.h"

struct running {
	const struct bench_load *load;
	pthread_barrier_t start;
	atomic_size_t next, failures;
	double ends; /* bench_now() */
};

struct worker {
	struct running *run;
	struct bench_client client;
	pthread_t thread;
	double *ms;
	size_t n, cap;
};

double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
note(struct worker *w, double ms)
{
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 4096 : w->cap * 2;
		w->ms = realloc(w->ms, w->cap * sizeof(*w->ms));
		if (w->ms == NULL)
			fatal("out of memory");
	}
	w->ms[w->n++] = ms;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct running *run = w->run;
	const struct bench_load *load = run->load;

	pthread_barrier_wait(&run->start);
	for (double before = bench_now(); before < run->ends; before = bench_now()) {
		size_t i = atomic_fetch_add(&run->next, 1);

		if (load->steps != 0 && i >= load->steps)
			break;
		if (load->step(&w->client, i))
			note(w, (bench_now() - before) * 1e3);
		else
			atomic_fetch_add(&run->failures, 1);
		arena_reset(&w->client.arena);
	}
	return NULL;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print_cpu(FILE *out, const struct bench_cpu *cpu, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < cpu->n; i++)
		sum += cpu->part[i].ns;
	fprintf(out, "\t%.0f\t", sum / 1e3 / (double)n);
	for (size_t i = 0; i < cpu->n; i++)
		fprintf(out, "%s%s=%.0f", i == 0 ? "" : ",", cpu->part[i].name,
		    cpu->part[i].ns / 1e3 / (double)n);
}

void
bench_row(struct bench *b, const char *name, int clients, double *ms, size_t n, double seconds,
    size_t failures, const struct bench_cpu *cpu)
{
	if (n != 0 && ms != NULL)
		qsort(ms, n, sizeof(*ms), ascending);
	fprintf(b->out, "%s\t%d\t%.0f\t%.2f\t%.2f\t%zu", name, clients, (double)n / seconds,
	    n == 0 || ms == NULL ? 0 : ms[n / 2], n == 0 || ms == NULL ? 0 : ms[n * 99 / 100],
	    failures);
	if (cpu != NULL && cpu->n > 0 && n > 0)
		print_cpu(b->out, cpu, n);
	else
		fputs("\t0\t", b->out);
	fputc('\n', b->out);
	fflush(b->out);
}

static void
workers_open(struct running *run, struct worker *w)
{
	const struct bench_load *load = run->load;

	for (int i = 0; i < load->clients; i++) {
		w[i].run = run;
		w[i].client.number = i;
		w[i].client.shared = load->shared;
		if (load->open != NULL)
			w[i].client.own = load->open(load->shared);
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
			fatal("cannot start client %d", i);
	}
}

static size_t
workers_close(const struct bench_load *load, struct worker *w, double **ms)
{
	size_t n = 0, total = 0;

	for (int i = 0; i < load->clients; i++)
		total += w[i].n;
	*ms = malloc((total + 1) * sizeof(**ms));
	if (*ms == NULL)
		fatal("out of memory");
	for (int i = 0; i < load->clients; i++) {
		for (size_t k = 0; k < w[i].n; k++)
			(*ms)[n++] = w[i].ms[k];
		free(w[i].ms);
		if (load->close != NULL)
			load->close(w[i].client.own);
		arena_clear(&w[i].client.arena);
	}
	return n;
}

void
bench_run(struct bench *b, const struct bench_load *load)
{
	struct worker w[BENCH_CLIENTS_MAX] = {{0}};
	struct running run = {.load = load};
	double began, took, *ms;
	struct bench_cpu cpu;
	size_t n, failures;

	pthread_barrier_init(&run.start, NULL, (unsigned)load->clients + 1);
	run.ends = bench_now() + 3600;
	workers_open(&run, w);
	if (load->here)
		bench_cpu_own(&cpu);
	else
		bench_cpu_read(b->site, &cpu);
	began = bench_now();
	run.ends = began + load->seconds;
	pthread_barrier_wait(&run.start);
	for (int i = 0; i < load->clients; i++)
		pthread_join(w[i].thread, NULL);
	took = bench_now() - began;
	if (load->here)
		bench_cpu_own_since(&cpu);
	else
		bench_cpu_since(b->site, &cpu);
	pthread_barrier_destroy(&run.start);
	n = workers_close(load, w, &ms);
	failures = atomic_load(&run.failures);
	bench_row(b, load->name, load->clients, ms, n, took, failures, &cpu);
	b->failures += failures;
	free(ms);
}

char *
bench_floor_request(struct arena *a, const char *request)
{
	const char *path = strchr(request, ' ');

	return arena_printf(a, "%.*s /floor%s", (int)(path - request), request, path + 1);
}

const char *
bench_floor_name(struct arena *a, const char *name)
{
	return arena_printf(a, "floor: %s", name);
}
