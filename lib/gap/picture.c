#include "lib/first.h"

#include "lib/flow/evaluate.h"
#include "lib/gap/carry.h"
#include "lib/gap/picture.h"
#include "lib/gap/sheet.h"
#include "lib/qr/ur.h"

const char *const gap_format_names[GAP_FORMAT__MAX] = {
    [GAP_PNG] = "png",
    [GAP_SVG] = "svg",
    [GAP_HTML] = "html",
    [GAP_PDF_READY] = "pdf-ready",
    [GAP_UR] = "ur",
};

struct drawing {
	struct flow *f;
	const struct gap_picture_ask *ask;
	struct wire_offline_request request;
	struct tsb_request_view view;
	struct gap_codes codes;
	struct arena *arena;
	int64_t now_ms;
	struct gap_picture *picture;
	struct tsb_bytes *out;
};

static void
picture_is(struct drawing *d, const char *content_type, const char *extension, bool shown)
{
	char id[UUID_TEXT];

	*d->picture = (struct gap_picture){
	    .content_type = content_type,
	    .name =
		arena_printf(d->arena, "request-%s.%s", uuid_format(&d->request.id, id), extension),
	    .shown = shown,
	};
}

static int
draw_parts(struct drawing *d, struct tsb_err *err)
{
	const struct gap_codes *c = &d->codes;
	struct tsb_bytes *pngs = arena_array(d->arena, c->n, sizeof(*pngs));
	int rc = qr_png_all(c->code, c->n, d->ask->scale, pngs, err);

	if (rc == 0)
		wire_qr_codes_format(&d->request.id, pngs, c->n, d->out);
	for (size_t i = 0; i < c->n; i++)
		tsb_bytes_clear(&pngs[i]);
	return rc;
}

static int
draw_png(struct drawing *d, struct tsb_err *err)
{
	if (d->codes.n > 1) {
		picture_is(d, NULL, "json", false);
		return draw_parts(d, err);
	}
	picture_is(d, "image/png", "png", false);
	return qr_png(&d->codes.code[0], d->ask->scale, d->out, err);
}

/* For screens; the form of a package's item, so that id and note travel too. */
static int
draw_animation(struct drawing *d, struct tsb_err *err)
{
	tsb_bytes_auto item = {0};

	picture_is(d, "image/gif", "gif", true);
	wire_offline_request_format(&d->request, &item);
	return ur_gif(tsb_view_bytes(&item), d->ask->scale, d->out, err);
}

static int
draw_sheet(struct drawing *d, enum qr_sheet_format format, struct tsb_err *err)
{
	bool svg = format == SHEET_SVG;
	const struct tsb_request *rq = &d->view.request;
	const struct flow_key *key;
	struct gap_sheet sheet = {
	    .request = &d->request,
	    .view = &d->view,
	    .codes = &d->codes,
	    .site = gap_site_name(d->f),
	    .now_ms = d->now_ms,
	};

	if (flow_request_key(d->f, NULL, rq, &key, err))
		return -1;
	if (key != NULL)
		sheet.rule = flow_request_rule(key, rq->kind);

	picture_is(d, svg ? "image/svg+xml" : "text/html; charset=utf-8", svg ? "svg" : "html",
	    true);
	d->picture->active = true;
	gap_sheet_format(&sheet, format, d->arena, d->out);
	return 0;
}

int
gap_picture_make(struct flow *f, const struct tsb_uuid *id, const struct gap_picture_ask *ask,
    struct arena *a, int64_t now_ms, struct gap_picture *picture, struct tsb_bytes *out,
    struct tsb_err *err)
{
	struct drawing d =
	    {.f = f, .ask = ask, .arena = a, .now_ms = now_ms, .picture = picture, .out = out};

	if (gap_carry_request(f, id, a, now_ms, &d.request, &d.view, err))
		return -1;
	if (ask->format != GAP_UR &&
	    gap_codes_make(&d.request, ask->ecc, ask->parts, ask->part, a, &d.codes, err))
		return -1;
	switch (ask->format) {
	case GAP_PNG:
		return draw_png(&d, err);
	case GAP_SVG:
		return draw_sheet(&d, SHEET_SVG, err);
	case GAP_HTML:
		return draw_sheet(&d, SHEET_HTML, err);
	case GAP_PDF_READY:
		return draw_sheet(&d, SHEET_PDF_READY, err);
	case GAP_UR:
		return draw_animation(&d, err);
	case GAP_FORMAT__MAX:
		break;
	}
	return tsb_fail(err, TSB_E_IMPL, "a picture of no format");
}
