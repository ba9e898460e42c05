/* The broker's own work: requests, tasks, approvals, results. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/err.h"

#define LATENCIES 200
#define PAGE      500

struct site {
	struct bench *b;
	struct arena arena;
	struct signer *alice, *bob;
	/* asks Bob and another, Alice and another, Alice alone, nobody */
	const char *pair_key, *first_key, *single_key, *free_key;
	char **text; /* of requests, one a step or the same for all */
	size_t ntext;
	int status;
};

/* ---- small readers of answers whose shape is known ---- */

/* The text of member name after *at, which moves behind it; NULL when there is none. */
static char *
member(struct arena *a, const char **at, const char *name)
{
	char *pattern = arena_printf(a, "\"%s\":\"", name);
	const char *start = strstr(*at, pattern), *end;

	if (start == NULL)
		return NULL;
	start += strlen(pattern);
	end = strchr(start, '"');
	if (end == NULL)
		return NULL;
	*at = end;
	return arena_strn(a, start, (size_t)(end - start));
}

static const char *
must(struct http *h, const char *request, int status)
{
	if (http_send(h, request, strlen(request)) != status)
		fatal("the site answered %d instead of %d: %.200s", h->status, status,
		    h->status > 0 ? http_body(h) : "");
	return http_body(h);
}

/* ---- preparing ---- */

static char *
approver_json(struct arena *a, const struct signer *s)
{
	return arena_printf(a, "{\"type\":\"public_key\",\"name\":\"bench\",\"value\":\"%s\"}",
	    signer_spki(s));
}

static const char *
key_new(struct site *s, struct http *h, const char *name, const char *approvals, int quorum)
{
	struct arena *a = &s->arena;
	char *label =
	    arena_printf(a, "bench-%s-%ld-%lld", name, (long)getpid(), (long long)clock_now_ms());
	const char *policy = approvals == NULL
	    ? "null"
	    : arena_printf(a,
		  "{\"ruleUse\":{\"tokens\":[{\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":%d,"
		  "\"approvals\":[%s]}]}]},\"keyStatus\":{\"blocked\":false}}",
		  quorum, approvals);
	char *body = arena_printf(a,
	    "{\"label\":\"%s\",\"algorithm\":\"EC\",\"curveOid\":\"1.2.840.10045.3.1.7\","
	    "\"attributes\":{\"decrypt\":false,\"sign\":true,\"unwrap\":false,\"destroyable\":true},"
	    "\"policy\":%s}",
	    label, policy);

	must(h, http_request(a, "POST", "/v1/key", s->b->key_management, body), 201);
	return label;
}

static char *
sign_to(struct site *s, const char *path, const char *key)
{
	char *body = arena_printf(&s->arena,
	    "{\"signRequest\":{\"payload\":\"YmVuY2htYXJr\",\"signKeyName\":\"%s\","
	    "\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\"}}",
	    key);

	return http_request(&s->arena, "POST", path, s->b->key_operation, body);
}

static char *
sign_request(struct site *s, const char *key)
{
	return sign_to(s, "/v1/sign", key);
}

static char *
list_request(struct site *s, const struct signer *who, struct arena *a, size_t page, size_t size,
    const char *more)
{
	char iso[CLOCK_ISO_SIZE];
	char *body;

	clock_iso(clock_now_ms() / 1000, iso);
	body = arena_printf(a,
	    "{\"timestamp\":\"%s\",\"timestampSignature\":\"%s\","
	    "\"timestampDigestAlgorithm\":\"SHA-256\",\"approverPublicKey\":\"%s\",%s"
	    "\"paging\":{\"pageNumber\":%zu,\"pageSize\":%zu,\"sortOrder\":\"CREATION_DATE_ASC\"}}",
	    iso, signer_sign(who, a, tsb_view_str(iso)), signer_spki(who), more, page, size);
	return http_request(a, "POST", "/v1/filteredSignApprovalTask", s->b->approver, body);
}

static char *
approval_request(struct site *s, const struct signer *who, struct arena *a, const char *id,
    const char *token)
{
	struct tsb_view bytes;
	char *body;

	if (!enc_base64_decode(tsb_view_str(token), a, &bytes))
		fatal("approvalToBeSigned is not base64");
	body = arena_printf(a,
	    "{\"id\":\"%s\",\"approvalToBeSigned\":\"%s\",\"signature\":\"%s\","
	    "\"approvalDigestAlgorithm\":\"SHA-256\",\"approverPublicKey\":\"%s\"}",
	    id, token, signer_sign(who, a, bytes), signer_spki(who));
	return http_request(a, "POST", "/v1/approval", s->b->approver, body);
}

/* ---- loads ---- */

static void *
client_open(const void *shared)
{
	return http_new(((const struct site *)shared)->b->url);
}

static void
client_close(void *own)
{
	http_free(own);
}

static bool
text_step(struct bench_client *c, size_t i)
{
	const struct site *s = c->shared;
	const char *text = s->text[i % s->ntext];

	return http_send(c->own, text, strlen(text)) == s->status;
}

static void
run_texts(struct site *s, const char *name, int clients, bool once, int status)
{
	struct bench_load load = {name, clients, once ? 120 : s->b->seconds, once ? s->ntext : 0, s,
	    client_open, client_close, text_step};

	s->status = status;
	bench_run(s->b, &load);
}

/* The texts that are there, against the floor. */
static void
run_floor(struct site *s, const char *name, int clients, bool once, int status)
{
	for (size_t i = 0; i < s->ntext; i++)
		s->text[i] = bench_floor_request(&s->arena, s->text[i]);
	run_texts(s, bench_floor_name(&s->arena, name), clients, once, status);
}

/* The same text again and again, and then against the floor. */
static void
run_beside(struct site *s, const char *name, int clients, int status)
{
	run_texts(s, name, clients, false, status);
	if (s->b->floor)
		run_floor(s, name, clients, false, status);
}

static void
one_text(struct site *s, char *text)
{
	s->text = arena_array(&s->arena, 1, sizeof(*s->text));
	s->text[0] = text;
	s->ntext = 1;
}

/* Makes n requests that wait, without taking the time; their ids. */
static char **
requests_new(struct site *s, const char *key, size_t n)
{
	struct http *h = http_new(s->b->url);
	char *text = sign_request(s, key), **ids = arena_array(&s->arena, n, sizeof(*ids));

	for (size_t i = 0; i < n; i++) {
		const char *at = must(h, text, 201);

		ids[i] = member(&s->arena, &at, "signRequestId");
	}
	http_free(h);
	return ids;
}

/* Signs the approvals of all of Alice's open tasks; the tasks of the key alone are open now. */
static void
approvals_prepare(struct site *s, size_t n)
{
	struct http *h = http_new(s->b->url);
	size_t done = 0;

	s->text = arena_array(&s->arena, n, sizeof(*s->text));
	for (size_t page = 0; done < n; page++) {
		const char *at = must(h, list_request(s, s->alice, &s->arena, page, PAGE, ""), 200);
		char *id, *token;

		while (done < n && (id = member(&s->arena, &at, "id")) != NULL &&
		    (token = member(&s->arena, &at, "approvalToBeSigned")) != NULL)
			s->text[done++] = approval_request(s, s->alice, &s->arena, id, token);
		if (strstr(http_body(h), "\"id\"") == NULL)
			fatal("only %zu of %zu tasks are listed", done, n);
	}
	s->ntext = n;
	http_free(h);
}

/* ---- what is measured ---- */

static void
measure_requests(struct site *s)
{
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, http_request(&s->arena, "GET", "/v1/versionInfo", s->b->service, NULL));
		run_beside(s, "GET /v1/versionInfo", bench_steps[i], 200);
	}
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, sign_to(s, "/v1/synchronousSign", s->free_key));
		run_beside(s, "POST /v1/synchronousSign", bench_steps[i], 200);
	}
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, sign_request(s, s->free_key));
		run_beside(s, "POST /v1/sign, no approval", bench_steps[i], 201);
	}
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, sign_request(s, s->pair_key));
		run_beside(s, "POST /v1/sign, two of two", bench_steps[i], 201);
	}
}

static void
measure_reading(struct site *s)
{
	char *id = requests_new(s, s->pair_key, 1)[0];
	char *path = arena_printf(&s->arena, "/v1/request/%s", id);

	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, http_request(&s->arena, "GET", path, s->b->key_operation, NULL));
		run_beside(s, "GET /v1/request/{id}", bench_steps[i], 200);
	}
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		one_text(s, list_request(s, s->bob, &s->arena, 0, 25, ""));
		run_beside(s, "list 25 tasks", bench_steps[i], 200);
	}
}

/* Each load uses up its own tasks: Alice has none but those. */
static void
measure_approvals(struct site *s, const char *key, const char *name, bool floor)
{
	size_t n = (size_t)(s->b->seconds * 500);

	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		requests_new(s, key, n);
		approvals_prepare(s, n);
		run_texts(s, name, bench_steps[i], true, 200);
		if (!floor)
			continue;
		requests_new(s, key, n);
		approvals_prepare(s, n);
		run_floor(s, name, bench_steps[i], true, 200);
	}
}

static bool
executed(struct http *h, const char *request)
{
	return strstr(must(h, request, 200), "\"status\":\"EXECUTED\"") != NULL;
}

static char *
request_get(struct site *s, const char *id)
{
	char *path = arena_printf(&s->arena, "/v1/request/%s", id);

	return http_request(&s->arena, "GET", path, s->b->key_operation, NULL);
}

/* One look at all of them costs no more than one at a single request. */
static void
wait_for_none_approved(struct site *s, struct http *h, double began)
{
	char *list = http_request(&s->arena, "POST", "/v1/filteredRequests", s->b->key_operation,
	    "{\"requestStatusList\":[\"APPROVED\"],\"paging\":{\"pageSize\":1}}");

	while (strstr(must(h, list, 200), "\"requests\":[]") == NULL) {
		if (bench_now() - began > 300)
			fatal("there are approved requests after 300 s");
		usleep(2000);
	}
}

/*
 * Last approvals as fast as they come, until the last request is EXECUTED: whether the dispatcher
 * keeps up. The loads before have left nothing to do.
 */
static void
measure_drain(struct site *s, int clients)
{
	size_t n = (size_t)(s->b->seconds * 500);
	char **ids = requests_new(s, s->single_key, n);
	struct bench_load load = {"POST /v1/approval, before the drain", clients, 120, n, s,
	    client_open, client_close, text_step};
	struct http *h = http_new(s->b->url);
	struct bench_cpu cpu;
	double began, took;

	approvals_prepare(s, n);
	s->status = 200;
	bench_cpu_read(s->b->site, &cpu);
	began = bench_now();
	bench_run(s->b, &load);
	wait_for_none_approved(s, h, began);
	took = bench_now() - began;
	bench_cpu_since(s->b->site, &cpu);
	for (size_t i = 0; i < n; i++)
		if (!executed(h, request_get(s, ids[i])))
			fatal("request %s is not EXECUTED", ids[i]);
	bench_row(s->b, "approvals to EXECUTED, sustained", clients, NULL, n, took, 0, &cpu);
	http_free(h);
}

/* Nothing is left of the loads before. */
static void
settle(struct site *s)
{
	struct http *h = http_new(s->b->url);
	char *get = request_get(s, requests_new(s, s->single_key, 1)[0]);

	approvals_prepare(s, 1);
	must(h, s->text[0], 200);
	while (!executed(h, get))
		usleep(10000);
	http_free(h);
}

/* From sending the last approval to the answer that shows EXECUTED, on an idle site. */
static void
measure_latency(struct site *s)
{
	struct http *h = http_new(s->b->url);
	double ms[LATENCIES], answer[LATENCIES], total = 0;

	for (size_t i = 0; i < LATENCIES; i++) {
		char *id = requests_new(s, s->single_key, 1)[0];
		char *get = request_get(s, id);
		double began;

		approvals_prepare(s, 1);
		usleep(20000);
		began = bench_now();
		must(h, s->text[0], 200);
		answer[i] = (bench_now() - began) * 1e3;
		while (!executed(h, get))
			if (bench_now() - began > 30)
				fatal("request %s is not executed after 30 s", id);
		ms[i] = (bench_now() - began) * 1e3;
		total += ms[i] / 1e3;
	}
	http_free(h);
	bench_row(s->b, "latency: answer to the last approval", 1, answer, LATENCIES, total, 0,
	    NULL);
	bench_row(s->b, "latency: last approval to EXECUTED", 1, ms, LATENCIES, total, 0, NULL);
}

void
bench_workflow(struct bench *b)
{
	struct site s = {.b = b, .alice = signer_new("p256"), .bob = signer_new("p256")};
	struct http *h = http_new(b->url);
	struct signer *carol = signer_new("p256");
	char *both = arena_printf(&s.arena, "%s,%s", approver_json(&s.arena, s.bob),
	    approver_json(&s.arena, carol));

	s.pair_key = key_new(&s, h, "pair", both, 2);
	s.first_key = key_new(&s, h, "first",
	    arena_printf(&s.arena, "%s,%s", approver_json(&s.arena, s.alice),
		approver_json(&s.arena, carol)),
	    2);
	s.single_key = key_new(&s, h, "single", approver_json(&s.arena, s.alice), 1);
	s.free_key = key_new(&s, h, "free", NULL, 0);
	measure_latency(&s);
	measure_requests(&s);
	measure_reading(&s);
	measure_approvals(&s, s.first_key, "POST /v1/approval, one of two", b->floor);
	measure_approvals(&s, s.single_key, "POST /v1/approval, the last one", false);
	settle(&s);
	measure_drain(&s, 16);
	http_free(h);
	signer_free(s.alice);
	signer_free(s.bob);
	signer_free(carol);
	arena_clear(&s.arena);
}
