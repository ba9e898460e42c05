/*
 * tsb-bench: how fast a site is, beside what its database, its cryptography and its web server can
 * do at all, in one run and on one machine.
 */
#ifndef TSB_BENCH_BENCH_H
#define TSB_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/bytes.h"

#define BENCH_CLIENTS_MAX 64

/* ---- load.c: clients in threads, each repeating one step ---- */

struct bench_client {
	int number; /* 0 to clients - 1 */
	void *own; /* of this client, from open */
	const void *shared; /* of the load */
	struct arena arena; /* reset after each step */
};

struct bench_load {
	const char *name;
	int clients;
	double seconds;
	size_t steps; /* ends after so many, 0 = by time only */
	const void *shared;
	void *(*open)(const void *shared); /* may be NULL */
	void (*close)(void *own);
	/* One step; i counts over all clients. False = failed. */
	bool (*step)(struct bench_client *c, size_t i);
	bool here; /* this program does the work: its own CPU time counts */
};

/* ---- cpu.c: what the processes of a site have used ---- */

#define BENCH_CPU_PARTS 8

struct bench_cpu {
	struct {
		char name[16]; /* of the program: "mariadbd" */
		double ns;
	} part[BENCH_CPU_PARTS];
	size_t n;
};
/* site is its folder; NULL = not known, and nothing is told. */
void bench_cpu_read(const char *site, struct bench_cpu *);
/* Makes it what has been used since. Processes that ended meanwhile are not counted. */
void bench_cpu_since(const char *site, struct bench_cpu *);
/* What this process has used so far, and since. */
void bench_cpu_own(struct bench_cpu *);
void bench_cpu_own_since(struct bench_cpu *);

/* ---- rows ---- */

struct bench;
/* Runs the load and prints its row. Counts its failures. */
void bench_run(struct bench *b, const struct bench_load *load);
/*
 * Prints a row from durations in milliseconds, which it sorts: name, clients, steps per second,
 * median and 99th percentile, failures, microseconds of CPU per step, the same by program
 * ("nginx=40,tsb-fcgi=120"). cpu may be NULL.
 */
void bench_row(struct bench *b, const char *name, int clients, double *ms, size_t n, double seconds,
    size_t failures, const struct bench_cpu *cpu);
double bench_now(void); /* seconds */

/* ---- http.c: one kept connection ---- */

struct http {
	char *host;
	int port, fd;
	int status;
	struct tsb_bytes in; /* the answer; its body starts at body */
	size_t body, length;
};
struct http *http_new(const char *url); /* http://host:port; anything else is fatal */
void http_free(struct http *h);
/* Sends a whole request and reads the answer: its status, or -1. */
int http_send(struct http *h, const char *request, size_t n);
/* The body of the answer with a NUL behind. */
const char *http_body(struct http *h);
/* Text of a request; body NULL = none. */
char *http_request(struct arena *a, const char *method, const char *path, const char *api_key,
    const char *body);

/* ---- signer.c: an approver's key ---- */

struct signer;
struct signer *signer_new(const char *kind); /* "p256" or "rsa2048" */
void signer_free(struct signer *s);
const char *signer_spki(const struct signer *s); /* base64 */
char *signer_sign(const struct signer *s, struct arena *a, struct tsb_view message); /* base64 */

/* ---- the parts measured: each runs its loads at 1, 16 and 64 clients ---- */

struct bench {
	const char *url, *db_socket;
	const char *site; /* its folder; NULL = CPU time is not told */
	const char *key_management, *key_operation, *approver, *service; /* API keys */
	bool floor; /* each load of the broker once more, against tsb-floor */
	double seconds; /* per load */
	FILE *out;
	size_t failures;
};
/* The same request for tsb-floor, and the name of its row. */
char *bench_floor_request(struct arena *a, const char *request);
const char *bench_floor_name(struct arena *a, const char *name);
void bench_limits(struct bench *b); /* limits.c: database, signatures, web server */
void bench_pkcs11(struct bench *b); /* pkcs11.c: SoftHSM2, if it is installed */
void bench_workflow(struct bench *b); /* workflow.c: the broker */

extern const int bench_steps[3];

#endif
