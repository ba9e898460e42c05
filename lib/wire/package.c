/*
 * Signed files that carry requests and results. We check the signature before we read the content;
 * until then we compare its hash and its first member only.
 */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/field.h"
#include "lib/wire/package.h"

#define MARK_STEM    "TSBPKG" /* of every version */
#define CONTENT_STEM "{\"tsbPackage\":"
#define CONTENT_HEAD CONTENT_STEM "1,"
#define HEX_SIZE     ((size_t)2 * TSB_SHA256)

static const char *const type_names[] = {
    [PACKAGE_REQUESTS] = "requests",
    [PACKAGE_RESULTS] = "results",
};

static bool
starts(struct tsb_view text, const char *head)
{
	return text.n >= strlen(head) && memcmp(text.p, head, strlen(head)) == 0;
}

static struct tsb_view
skip(struct tsb_view text, size_t n)
{
	return tsb_view_of(text.p + n, text.n - n);
}

bool
wire_is_package(struct tsb_view text)
{
	return starts(text, MARK_STEM);
}

/* ---- the line ---- */

struct line {
	struct tsb_view hash, signer; /* bytes */
	struct tsb_view signature;
	struct tsb_view content;
};

/* Takes the text up to the next space, which is taken, too. */
static int
next_word(struct tsb_view *rest, const char *what, struct tsb_view *word, struct tsb_err *err)
{
	const unsigned char *space = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);

	if (space == NULL)
		return tsb_fail(err, TSB_E_INPUT, "the package ends in its %s", what);
	*word = tsb_view_of(rest->p, (size_t)(space - rest->p));
	*rest = skip(*rest, word->n + 1);
	return 0;
}

/* Lower case only: a package has one form. */
static bool
hash_decode(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'F')
			return false;
	return text.n == HEX_SIZE && enc_hex_decode(text, a, out);
}

static int
next_hash(struct tsb_view *rest, const char *what, struct arena *a, struct tsb_view *hash,
    struct tsb_err *err)
{
	struct tsb_view word;

	if (next_word(rest, what, &word, err))
		return -1;
	if (!hash_decode(word, a, hash))
		return tsb_fail(err, TSB_E_INPUT,
		    "the package's %s must be %zu hex digits in lower case", what, HEX_SIZE);
	return 0;
}

static int
check_mark(struct tsb_view text, struct tsb_err *err)
{
	char quoted[FIELD_QUOTE];

	if (starts(text, PACKAGE_MARK))
		return 0;
	if (text.n > strlen(MARK_STEM) && wire_is_package(text)) {
		struct tsb_view version = skip(text, strlen(MARK_STEM));
		const unsigned char *space = memchr(version.p, ' ', version.n);

		if (space != NULL && space > version.p)
			return tsb_fail(err, TSB_E_INPUT,
			    "packages of version %s are not known here, only those of version %d",
			    field_quote(tsb_view_of(version.p, (size_t)(space - version.p)),
				quoted),
			    PACKAGE_VERSION);
	}
	return tsb_fail(err, TSB_E_INPUT, "not a package: it does not begin with " PACKAGE_MARK);
}

/* A file may end with one line end, as every text file does. */
static struct tsb_view
without_line_end(struct tsb_view text)
{
	if (text.n > 0 && text.p[text.n - 1] == '\n') {
		text.n--;
		if (text.n > 0 && text.p[text.n - 1] == '\r')
			text.n--;
	}
	return text;
}

static int
read_line(struct tsb_view text, struct arena *a, struct line *out, struct tsb_err *err)
{
	struct tsb_view rest, word;

	if (text.n > PACKAGE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "the package is longer than %d bytes",
		    PACKAGE_MAX);
	text = without_line_end(text);
	if (check_mark(text, err))
		return -1;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return tsb_fail(err, TSB_E_INPUT,
			    "byte %zu of the package is not printable ASCII", i);
	rest = skip(text, strlen(PACKAGE_MARK));
	if (next_hash(&rest, "SHA-256", a, &out->hash, err) ||
	    next_hash(&rest, "signer", a, &out->signer, err) ||
	    next_word(&rest, "signature", &word, err))
		return -1;
	if (word.n > 2 * FIELD_SIGNATURE_MAX || !enc_base64_decode(word, a, &out->signature))
		return tsb_fail(err, TSB_E_INPUT, "the package's signature must be base64");
	out->content = rest;
	return 0;
}

/* ---- checks before any of the content counts ---- */

static int
check_hash(const struct line *line, struct tsb_err *err)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	crypto_sha256(line->content, hash);
	if (!tsb_view_eq(tsb_view_of(hash, sizeof(hash)), line->hash))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "the package is damaged or was changed: its content has another SHA-256");
	return 0;
}

/* The version stands first, so that it can be told before anything else is read. */
static int
check_version(struct tsb_view content, struct tsb_err *err)
{
	struct tsb_view version;
	size_t n = 0;

	if (starts(content, CONTENT_HEAD))
		return 0;
	if (!starts(content, CONTENT_STEM))
		return tsb_fail(err, TSB_E_INPUT,
		    "the package's content does not begin with " CONTENT_STEM);
	version = skip(content, strlen(CONTENT_STEM));
	while (n < version.n && n < 20 && version.p[n] >= '0' && version.p[n] <= '9')
		n++;
	if (n == 0)
		return tsb_fail(err, TSB_E_INPUT, "tsbPackage must be a number");
	return tsb_fail(err, TSB_E_INPUT, "tsbPackage %.*s is not known here, only %d", (int)n,
	    (const char *)version.p, PACKAGE_VERSION);
}

static int
find_peer(const struct line *line, const struct wire_package_peer *peers, size_t npeers,
    struct arena *a, size_t *peer, struct tsb_err *err)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < npeers; i++) {
		crypto_sha256(peers[i].spki, hash);
		if (tsb_view_eq(tsb_view_of(hash, sizeof(hash)), line->signer)) {
			*peer = i;
			return 0;
		}
	}
	return tsb_fail(err, TSB_E_NOT_ALLOWED,
	    "the package was signed by the key %s, which is not trusted here",
	    enc_hex_str(a, line->signer));
}

static int
check_signature(const struct line *line, struct tsb_view spki, struct tsb_err *err)
{
	enum ska_digest digest;

	if (crypto_spki_digest(spki, &digest, err))
		return -1;
	if (crypto_verify(spki, digest, line->content, line->signature, err))
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "the package's signature is not one of the key that it names over its content");
	return 0;
}

/* ---- the content ---- */

struct site {
	const char *name, *key;
};

struct header {
	struct wire_package p;
	const char *created;
	struct site from, to;
};

#define SITE(m) AT(struct site, m)
static const struct field site_fields[] = {
    {"name", FIELD_NAME, .max = PACKAGE_NAME_MAX, SITE(name)},
    {"key", FIELD_TEXT, REQUIRED, .max = (long)HEX_SIZE, SITE(key)},
    {NULL},
};
static const struct field_object site_object = {site_fields};

#define HEADER(m) AT(struct header, m)
static const struct field header_fields[] = {
    {"tsbPackage", FIELD_INT, REQUIRED, .min = PACKAGE_VERSION, .max = PACKAGE_VERSION},
    {"type", FIELD_INDEX, REQUIRED, NAMES(type_names), HEADER(p.type)},
    {"id", FIELD_UUID, REQUIRED, HEADER(p.id)},
    {"created", FIELD_TEXT, REQUIRED, .max = 64, HEADER(created)},
    {"from", FIELD_OBJECT, REQUIRED, .object = &site_object,
	.offset = offsetof(struct header, from)},
    {"to", FIELD_OBJECT, REQUIRED, .object = &site_object, .offset = offsetof(struct header, to)},
    {"items", FIELD_IGNORED, REQUIRED},
    {NULL},
};
static const struct field_object header_object = {header_fields};

/*
 * The members without the items, which are read one by one: a tree of all of them could be large.
 * *header keeps malformed text as it is, for the reader to find.
 */
static int
split(struct tsb_view content, struct tsb_bytes *header, struct tsb_view *items,
    struct tsb_err *err)
{
	struct tsb_view rest = content;
	struct jsontext_member m;

	*items = tsb_view_of(NULL, 0);
	while (jsontext_next(&rest, &m)) {
		bool is_items = tsb_view_eq(m.name, tsb_view_str("items"));

		tsb_bytes_add_str(header, header->n == 0 ? "{\"" : ",\"");
		tsb_bytes_add_view(header, m.name);
		tsb_bytes_add_str(header, "\":");
		tsb_bytes_add_view(header, is_items ? tsb_view_str("[]") : m.value);
		if (is_items)
			*items = m.value;
	}
	tsb_bytes_add_str(header, "}");
	if (!tsb_view_eq(rest, tsb_view_str("}")))
		return tsb_fail(err, TSB_E_INPUT, "the package's content is not one JSON object");
	return 0;
}

static int
take_site(const struct site *site, const char *member, struct arena *a, const char **name,
    unsigned char key[TSB_SHA256], struct tsb_err *err)
{
	struct tsb_view hash;

	if (!hash_decode(tsb_view_str(site->key), a, &hash))
		return tsb_fail(err, TSB_E_INPUT, "%s.key must be %zu hex digits in lower case",
		    member, HEX_SIZE);
	memcpy(key, hash.p, TSB_SHA256);
	*name = site->name != NULL ? site->name : "";
	return 0;
}

static int
read_header(const struct line *line, struct arena *a, struct wire_package *out,
    struct tsb_view *items, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct header h = {0};
	struct tsb_view compact;

	if (split(line->content, &text, items, err) ||
	    field_read(tsb_view_bytes(&text), &header_object, a, &h, &compact, err))
		return -1;
	if (!tsb_view_eq(tsb_view_bytes(&text), compact))
		return tsb_fail(err, TSB_E_INPUT, "the package's content is not compact JSON");
	if (items->n == 0 || items->p[0] != '[')
		return tsb_fail(err, TSB_E_INPUT, "items must be a list");
	if (!clock_iso_parse(h.created, &h.p.created_ms))
		return tsb_fail(err, TSB_E_INPUT,
		    "created must be a date and time with seconds "
		    "and zone, as in 2024-01-31T12:00:00Z");
	if (take_site(&h.from, "from", a, &h.p.from_name, h.p.from, err) ||
	    take_site(&h.to, "to", a, &h.p.to_name, h.p.to, err))
		return -1;
	if (!tsb_view_eq(tsb_view_of(h.p.from, TSB_SHA256), line->signer))
		return tsb_fail(err, TSB_E_INPUT,
		    "from.key is not the key that signed the package");
	*out = h.p;
	return 0;
}

static int
check_purpose(const struct wire_package *p, enum wire_package_type type, struct tsb_view own,
    struct arena *a, struct tsb_err *err)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	if (p->type != type)
		return tsb_fail(err, TSB_E_INPUT,
		    "the package holds %s, and this is the place for %s", type_names[p->type],
		    type_names[type]);
	crypto_sha256(own, hash);
	if (memcmp(hash, p->to, sizeof(hash)) != 0)
		return tsb_fail(err, TSB_E_NOT_ALLOWED,
		    "the package is for %s with the key %s, this site has the key %s",
		    *p->to_name ? arena_printf(a, "the site '%s'", p->to_name) : "another site",
		    enc_hex_str(a, tsb_view_of(p->to, TSB_SHA256)),
		    enc_hex_str(a, tsb_view_of(hash, sizeof(hash))));
	return 0;
}

/* ---- items ---- */

/* The subject of an item: no two items of a package have the same. */
struct subject {
	unsigned char b[1 + TSB_SHA256]; /* first byte: id or token */
	size_t index;
};

static int
read_request_item(struct tsb_view item, struct arena *scratch, struct subject *s,
    struct tsb_err *err)
{
	struct wire_offline_request r;
	struct tsb_view kind;

	if (!wire_member_text(item, "kind", &kind))
		return tsb_fail(err, TSB_E_INPUT, "kind is missing");
	if (wire_offline_request_parse(item, scratch, &r, err))
		return -1;
	memcpy(s->b + 1, r.id.b, sizeof(r.id.b));
	return 0;
}

static int
read_result_item(struct tsb_view item, struct arena *scratch, struct subject *s,
    struct tsb_err *err)
{
	struct wire_offline_result r;

	if (wire_offline_result_parse(item, scratch, &r, err))
		return -1;
	s->b[0] = !r.has_id;
	if (r.has_id)
		memcpy(s->b + 1, r.id.b, sizeof(r.id.b));
	else
		memcpy(s->b + 1, r.token, sizeof(r.token));
	return 0;
}

static int
read_item(struct tsb_view item, enum wire_package_type type, struct subject *s, struct tsb_err *err)
{
	arena_auto scratch = {0};
	struct tsb_view compact;

	if (wire_compact(item, &scratch, &compact, err))
		return -1;
	if (!tsb_view_eq(item, compact))
		return tsb_fail(err, TSB_E_INPUT, "it is not compact JSON");
	return type == PACKAGE_REQUESTS ? read_request_item(item, &scratch, s, err)
					: read_result_item(item, &scratch, s, err);
}

static int
fail_item(size_t index, struct tsb_err *err)
{
	struct tsb_err why = *err;

	return tsb_fail(err, why.code, "items[%zu]: %s", index, why.msg);
}

static int
compare_subjects(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;
	int order = memcmp(x->b, y->b, sizeof(x->b));

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int
check_once(struct subject *subjects, size_t n, struct tsb_err *err)
{
	qsort(subjects, n, sizeof(*subjects), compare_subjects);
	for (size_t i = 1; i < n; i++)
		if (memcmp(subjects[i - 1].b, subjects[i].b, sizeof(subjects[i].b)) == 0)
			return tsb_fail(err, TSB_E_INPUT, "items[%zu]: %s is that of items[%zu]",
			    subjects[i].index, subjects[i].b[0] == 0 ? "id" : "token",
			    subjects[i - 1].index);
	return 0;
}

static int
count_items(struct tsb_view items, size_t *n, struct tsb_err *err)
{
	struct tsb_view item;

	for (*n = 0; *n <= PACKAGE_ITEMS_MAX && jsontext_next_element(&items, &item); ++*n)
		;
	if (*n > PACKAGE_ITEMS_MAX)
		return tsb_fail(err, TSB_E_INPUT, "items has more than %d elements",
		    PACKAGE_ITEMS_MAX);
	if (*n == 0)
		return tsb_fail(err, TSB_E_INPUT, "items must not be empty");
	if (!tsb_view_eq(items, tsb_view_str("]")))
		return tsb_fail(err, TSB_E_INPUT, "items[%zu] is not a value", *n);
	return 0;
}

static int
read_items(struct tsb_view items, struct arena *a, struct wire_package *out, struct tsb_err *err)
{
	struct subject *subjects;
	size_t n;

	if (count_items(items, &n, err))
		return -1;
	subjects = arena_array(a, n, sizeof(*subjects));
	out->items = arena_array(a, n, sizeof(*out->items));
	out->nitems = n;
	for (size_t i = 0; i < n; i++) {
		if (!jsontext_next_element(&items, &out->items[i]))
			fatal("items of a package were counted wrong");
		subjects[i].index = i;
		if (read_item(out->items[i], out->type, &subjects[i], err))
			return fail_item(i, err);
	}
	return check_once(subjects, n, err);
}

/* ---- interface ---- */

int
wire_package_parse(struct tsb_view text, enum wire_package_type type, struct tsb_view own,
    const struct wire_package_peer *peers, size_t npeers, struct arena *a, struct wire_package *out,
    size_t *peer, struct tsb_err *err)
{
	struct wire_package p;
	struct tsb_view items;
	struct line line;
	size_t who;

	if (read_line(text, a, &line, err) || check_hash(&line, err) ||
	    check_version(line.content, err) || find_peer(&line, peers, npeers, a, &who, err) ||
	    check_signature(&line, peers[who].spki, err))
		return -1;
	line.content = arena_view(a, line.content);
	if (read_header(&line, a, &p, &items, err) || check_purpose(&p, type, own, a, err) ||
	    read_items(items, a, &p, err))
		return -1;
	*out = p;
	if (peer != NULL)
		*peer = who;
	return 0;
}

int
wire_package_peek(struct tsb_view text, struct arena *a, struct wire_package *out,
    struct tsb_err *err)
{
	struct wire_package p;
	struct tsb_view items;
	struct line line;

	if (read_line(text, a, &line, err) || check_hash(&line, err) ||
	    check_version(line.content, err))
		return -1;
	line.content = arena_view(a, line.content);
	if (read_header(&line, a, &p, &items, err) || read_items(items, a, &p, err))
		return -1;
	*out = p;
	return 0;
}

static void
site_format(const char *member, const char *name, const unsigned char key[TSB_SHA256],
    struct tsb_bytes *out)
{
	tsb_bytes_auto hex = {0};

	enc_hex(tsb_view_of(key, TSB_SHA256), &hex);
	emit_open(out, member, '{');
	emit_text(out, "name", name);
	emit_view(out, "key", tsb_view_bytes(&hex));
	emit_close(out, '}');
}

static void
content_format(const struct wire_package *p, const unsigned char from[TSB_SHA256],
    struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0};

	tsb_bytes_add(&text, "{", 1);
	emit_uint(&text, "tsbPackage", PACKAGE_VERSION);
	emit_text(&text, "type", type_names[p->type]);
	emit_uuid(&text, "id", &p->id);
	emit_time(&text, "created", p->created_ms / 1000);
	site_format("from", p->from_name, from, &text);
	site_format("to", p->to_name, p->to, &text);
	emit_open(&text, "items", '[');
	for (size_t i = 0; i < p->nitems; i++)
		emit_raw(&text, NULL, p->items[i]);
	emit_close(&text, ']');
	emit_close(&text, '}');
	wire_ascii(tsb_view_bytes(&text), out);
}

static int
check_name(const char *name, const char *member, struct tsb_err *err)
{
	if (!tsb_label_valid(tsb_view_str(name)) || strlen(name) > PACKAGE_NAME_MAX)
		return tsb_fail(err, TSB_E_INPUT,
		    "%s.name must have at most %d bytes and no control characters", member,
		    PACKAGE_NAME_MAX);
	return 0;
}

int
wire_package_format(const struct wire_package *p, const struct crypto_private *key,
    struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char from[CRYPTO_SHA256_SIZE], hash[CRYPTO_SHA256_SIZE];
	tsb_bytes_auto content = {0}, signature = {0};

	if (p->nitems == 0 || p->nitems > PACKAGE_ITEMS_MAX)
		return tsb_fail(err, TSB_E_INPUT, "a package has 1 to %d items", PACKAGE_ITEMS_MAX);
	if (check_name(p->from_name, "from", err) || check_name(p->to_name, "to", err))
		return -1;
	crypto_sha256(crypto_private_spki(key), from);
	content_format(p, from, &content);
	if (crypto_private_sign(key, tsb_view_bytes(&content), &signature, err))
		return -1;
	if (content.n + 2 * signature.n + 4 * HEX_SIZE > PACKAGE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "the package is longer than %d bytes",
		    PACKAGE_MAX);
	crypto_sha256(tsb_view_bytes(&content), hash);
	tsb_bytes_add_str(out, PACKAGE_MARK);
	enc_hex(tsb_view_of(hash, sizeof(hash)), out);
	tsb_bytes_add_str(out, " ");
	enc_hex(tsb_view_of(from, sizeof(from)), out);
	tsb_bytes_add_str(out, " ");
	enc_base64(tsb_view_bytes(&signature), out);
	tsb_bytes_add_str(out, " ");
	tsb_bytes_add_view(out, tsb_view_bytes(&content));
	return 0;
}
