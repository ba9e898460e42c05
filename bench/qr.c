/*
 * What QR codes cost: milliseconds that pass for a code and for a request, on all processors that
 * the machine has, for symbols, PNGs, print sheets and joining.
 * Rows: what, codes, milliseconds of all, milliseconds a code, bytes of all. With a folder as
 * argument the PNGs of each row stay there, for readers to be measured.
 */
#include "lib/first.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/enc.h"
#include "lib/qr/part.h"
#include "lib/qr/sheet.h"

#define LEAST_MS 200 /* a measurement is repeated until it took so long */

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A request as it crosses the gap: payload in base64, and again in each signed approval. */
static struct tsb_view
make_text(struct arena *a, size_t payload, size_t approvals)
{
	unsigned char *bytes = arena_alloc(a, payload + 700);
	tsb_bytes_auto text = {0};
	uint32_t x = 1;

	for (size_t i = 0; i < payload + 700; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	tsb_bytes_add_str(&text, "{\"signRequest\":{\"payload\":\"");
	enc_base64(tsb_view_of(bytes, payload), &text);
	tsb_bytes_add_str(&text,
	    "\",\"payloadType\":\"UNSPECIFIED\",\"signKeyName\":\"invoice-signing-01\","
	    "\"signatureAlgorithm\":\"SHA256_WITH_RSA\",\"signedApprovals\":[");
	for (size_t i = 0; i < approvals; i++) {
		tsb_bytes_add_str(&text, i == 0 ? "\"" : ",\"");
		enc_base64(tsb_view_of(bytes, payload + 640), &text);
		tsb_bytes_add_str(&text, "\"");
	}
	tsb_bytes_add_str(&text, "]}}");
	return arena_view(a, tsb_view_bytes(&text));
}

/* ---- what is measured ---- */

struct job {
	struct tsb_view text;
	struct tsb_view *part;
	size_t n;
	struct qr_code *code;
	struct tsb_bytes out;
	size_t *end; /* of each PNG in out */
};

static void
must(int result, const struct tsb_err *err)
{
	if (result != 0)
		fatal("bench: %s", err->msg);
}

static void
cut(struct job *j, struct arena *a)
{
	struct tsb_uuid id = {{1}};
	struct qr_split split;
	struct tsb_err err;

	j->n = j->text.n <= qr_capacity(QR_ECC_L) ? 1 : qr_part_count(j->text, QR_CHUNK_MAX);
	j->part = arena_array(a, j->n, sizeof(*j->part));
	j->code = arena_array(a, j->n, sizeof(*j->code));
	j->end = arena_array(a, j->n, sizeof(*j->end));
	must(qr_split_init(&split, j->text, &id, QR_CHUNK_MAX, &err), &err);
	for (size_t i = 0; i < j->n; i++) {
		tsb_bytes_auto part = {0};

		must(qr_split_part(&split, i + 1, &part, &err), &err);
		j->part[i] = j->n == 1 ? j->text : arena_view(a, tsb_view_bytes(&part));
	}
}

static void
encode(struct job *j, struct arena *a)
{
	struct tsb_err err;

	must(qr_encode_all(j->part, j->n, QR_ECC_L, a, j->code, &err), &err);
}

static void
draw(struct job *j, struct arena *a)
{
	struct tsb_bytes *pngs = arena_array(a, j->n, sizeof(*pngs));
	struct tsb_err err;

	must(qr_png_all(j->code, j->n, QR_SCALE_DEFAULT, pngs, &err), &err);
	for (size_t i = 0; i < j->n; i++) {
		tsb_bytes_add_view(&j->out, tsb_view_bytes(&pngs[i]));
		tsb_bytes_clear(&pngs[i]);
		j->end[i] = j->out.n;
	}
}

static void
sheet(struct job *j, struct arena *a)
{
	struct qr_sheet s = {"Request", NULL, 0, j->text, j->code, j->n};

	qr_sheet_format(&s, SHEET_PDF_READY, &j->out);
}

static void
join(struct job *j, struct arena *a)
{
	qr_join_auto join = {0};
	struct tsb_view text;
	struct tsb_err err;

	if (j->n == 1)
		return;
	for (size_t i = 0; i < j->n; i++)
		must(qr_join_add(&join, j->part[i], NULL, &err), &err);
	must(qr_join_text(&join, a, &text, &err), &err);
	if (!tsb_view_eq(text, j->text))
		fatal("bench: joined is not what was split");
}

static void
keep(const struct job *j, const char *folder, const char *name)
{
	char path[4096];

	for (size_t i = 0; i < j->n; i++) {
		size_t start = i == 0 ? 0 : j->end[i - 1];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			fatal("bench: %s: %s", path, strerror(errno));
		snprintf(path, sizeof(path), "%s/%s/%04zu.png", folder, name, i + 1);
		f = fopen(path, "w");
		if (f == NULL || fwrite(j->out.p + start, 1, j->end[i] - start, f) == 0 ||
		    fclose(f) != 0)
			fatal("bench: %s: %s", path, strerror(errno));
	}
}

static void
measure(const char *name, struct job *j, const char *folder)
{
	static const struct {
		const char *name;
		void (*run)(struct job *, struct arena *);
	} steps[] = {{"parts", cut}, {"symbols", encode}, {"PNG", draw}, {"sheet", sheet},
	    {"join", join}};
	arena_auto kept = {0};
	double request = 0;

	for (size_t s = 0; s < TSB_COUNT(steps); s++) {
		double start = now_ms(), ms;
		int times = 0;

		do {
			arena_auto arena = {0};
			bool makes = steps[s].run == cut || steps[s].run == encode;

			tsb_bytes_reset(&j->out);
			steps[s].run(j, makes ? &kept : &arena);
			times++;
			ms = (now_ms() - start) / times;
		} while (ms * times < LEAST_MS);
		request += s < 3 ? ms : 0;
		printf("%s %s\t%zu\t%.2f\t%.3f\t%zu\n", name, steps[s].name, j->n, ms,
		    ms / (double)j->n, j->out.n);
		if (steps[s].run == draw && folder != NULL)
			keep(j, folder, name);
	}
	printf("%s request to PNG\t%zu\t%.2f\t%.3f\n", name, j->n, request, request / (double)j->n);
	tsb_bytes_clear(&j->out);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t payload, approvals;
	} rows[] = {
	    {"1B-1", 1, 1},
	    {"64B-3", 64, 3},
	    {"2kB-3", 2048, 3},
	    {"64B-10", 64, 10},
	    {"64kB-1", 65536, 1},
	    {"64kB-10", 65536, 10},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto arena = {0};
		struct job job = {make_text(&arena, rows[i].payload, rows[i].approvals)};

		measure(rows[i].name, &job, argc > 1 ? argv[1] : NULL);
	}
	return 0;
}
