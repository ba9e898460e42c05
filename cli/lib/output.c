#include "lib/first.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/wire.h"

#include "cli/lib/output.h"

#define PREVIEW_TEXT 4096 /* characters of a payload shown as text */
#define PREVIEW_HEX  32 /* bytes of a payload shown in hex */
#define COLUMN       22 /* where values start */

void
doc_start(struct doc *t, bool json)
{
	*t = (struct doc){.json = json};
	if (json)
		tsb_bytes_add_str(&t->out, "{");
}

void
doc_clear(struct doc *t)
{
	tsb_bytes_clear(&t->out);
	tsb_bytes_clear(&t->warnings);
}

/* "key label" as keyLabel. */
static void
json_name(struct doc *t, const char *name)
{
	char word[64];
	size_t n = 0;

	for (; *name && n < sizeof(word) - 1; name++) {
		if (*name == ' ' && name[1]) {
			name++;
			word[n++] = (char)toupper((unsigned char)*name);
		} else {
			word[n++] = *name;
		}
	}
	wire_text_format(tsb_view_of(word, n), &t->out);
	tsb_bytes_add_str(&t->out, ":");
}

/* What stands before every value. */
static void
begin(struct doc *t, const char *name)
{
	if (!t->json) {
		tsb_bytes_addf(&t->out, "%*s%-*s ", 2 * t->indent, "",
		    COLUMN > 2 * t->indent ? COLUMN - 2 * t->indent : 0, name);
		return;
	}
	if (t->filled[t->depth])
		tsb_bytes_add_str(&t->out, ",");
	t->filled[t->depth] = true;
	if (!t->list[t->depth])
		json_name(t, name);
}

static void
descend(struct doc *t, const char *name, bool list)
{
	if (t->json) {
		begin(t, name);
		tsb_bytes_add_str(&t->out, list ? "[" : "{");
	} else if (!list) {
		tsb_bytes_addf(&t->out, "%*s%s\n", 2 * t->indent++, "", name);
	}
	if (++t->depth >= DOC_DEPTH)
		fatal("output is nested too deeply");
	t->list[t->depth] = list;
	t->filled[t->depth] = false;
}

void
doc_open(struct doc *t, const char *name)
{
	descend(t, name, false);
}

void
doc_open_as(struct doc *t, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (t->json) {
		doc_open(t, name);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doc_text(t, name, text);
	t->indent++;
	t->list[++t->depth] = false;
}

void
doc_list(struct doc *t, const char *name)
{
	descend(t, name, true);
}

void
doc_close(struct doc *t)
{
	if (t->json)
		tsb_bytes_add_str(&t->out, t->list[t->depth] ? "]" : "}");
	else if (!t->list[t->depth])
		t->indent--;
	t->depth--;
}

/* Length of the well-formed UTF-8 character at p that is safe to print, or 0. */
static size_t
printable_at(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned c;

	if (len == 1)
		return (p[0] >= 0x20 && p[0] != 0x7f) || p[0] == '\n' || p[0] == '\t';
	if (len > n || !tsb_utf8_valid(tsb_view_of(p, len)))
		return 0;
	c = len == 2   ? (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU)
	    : len == 3 ? (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU)
		       : 0x10000;
	/* C1 controls; marks and embeddings that reorder or hide text; separators; BOM */
	if (c < 0xa0 || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	return len;
}

bool
output_printable(struct tsb_view v)
{
	size_t i, len;

	for (i = 0; i < v.n; i += len)
		if ((len = printable_at(v.p + i, v.n - i)) == 0)
			return false;
	return true;
}

/* The unprintable is escaped, line feeds become what is wanted for them. */
static void
add_lines(struct doc *t, struct tsb_view v, const char *line_feed)
{
	size_t i, len;

	for (i = 0; i < v.n; i += len) {
		len = printable_at(v.p + i, v.n - i);
		if (len == 0) {
			tsb_bytes_addf(&t->out, "\\x%02x", v.p[i]);
			len = 1;
		} else if (v.p[i] == '\n') {
			tsb_bytes_add_str(&t->out, line_feed);
		} else {
			tsb_bytes_add(&t->out, v.p + i, len);
		}
	}
}

/* For people: further lines stand below the first. */
static void
add_safe(struct doc *t, struct tsb_view v)
{
	add_lines(t, v, "\n                       ");
}

static void
end_line(struct doc *t)
{
	if (!t->json)
		tsb_bytes_add_str(&t->out, "\n");
}

void
doc_view(struct doc *t, const char *name, struct tsb_view text)
{
	begin(t, name);
	if (!t->json) {
		add_safe(t, text);
	} else if (tsb_utf8_valid(text)) {
		wire_text_format(text, &t->out);
	} else {
		tsb_bytes_add_str(&t->out, "null");
	}
	end_line(t);
}

void
doc_text(struct doc *t, const char *name, const char *text)
{
	if (text) {
		doc_view(t, name, tsb_view_str(text));
	} else if (t->json) {
		begin(t, name);
		tsb_bytes_add_str(&t->out, "null");
	}
}

void
doc_format(struct doc *t, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doc_text(t, name, text);
}

void
doc_time(struct doc *t, const char *name, uint64_t seconds)
{
	char text[CLOCK_ISO_SIZE];

	if (seconds > 253402300799ULL) /* the year 9999 */
		doc_format(t, name, "%llu s after 1970", (unsigned long long)seconds);
	else
		doc_text(t, name, clock_iso((int64_t)seconds, text));
}

void
doc_number(struct doc *t, const char *name, unsigned long long value)
{
	begin(t, name);
	tsb_bytes_addf(&t->out, "%llu", value);
	end_line(t);
}

void
doc_bool(struct doc *t, const char *name, bool value)
{
	begin(t, name);
	tsb_bytes_add_str(&t->out, t->json ? (value ? "true" : "false") : (value ? "yes" : "no"));
	end_line(t);
}

void
doc_base64(struct doc *t, const char *name, struct tsb_view bytes)
{
	begin(t, name);
	if (t->json)
		tsb_bytes_add_str(&t->out, "\"");
	enc_base64(bytes, &t->out);
	if (t->json)
		tsb_bytes_add_str(&t->out, "\"");
	end_line(t);
}

static void
add_sha256(struct doc *t, struct tsb_view bytes)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(bytes, digest);
	enc_hex(tsb_view_of(digest, sizeof(digest)), &t->out);
}

static void
payload_json(struct doc *t, const char *name, struct tsb_view bytes)
{
	doc_open(t, name);
	doc_number(t, "length", bytes.n);
	begin(t, "sha256");
	tsb_bytes_add_str(&t->out, "\"");
	add_sha256(t, bytes);
	tsb_bytes_add_str(&t->out, "\"");
	if (output_printable(bytes))
		doc_view(t, "text", bytes);
	doc_base64(t, "base64", bytes);
	doc_close(t);
}

void
doc_payload(struct doc *t, const char *name, struct tsb_view bytes)
{
	bool text = output_printable(bytes) && bytes.n <= PREVIEW_TEXT;

	if (t->json) {
		payload_json(t, name, bytes);
		return;
	}
	begin(t, name);
	if (text && bytes.n > 0) {
		tsb_bytes_add_str(&t->out, "\"");
		add_safe(t, bytes);
		tsb_bytes_add_str(&t->out, "\"");
	} else {
		enc_hex(tsb_view_of(bytes.p, bytes.n < PREVIEW_HEX ? bytes.n : PREVIEW_HEX),
		    &t->out);
		if (bytes.n > PREVIEW_HEX)
			tsb_bytes_add_str(&t->out, "...");
	}
	tsb_bytes_addf(&t->out, "\n%*s%zu bytes, SHA-256 ", COLUMN + 1, "", bytes.n);
	add_sha256(t, bytes);
	end_line(t);
}

void
doc_digest(struct doc *t, const char *name, struct tsb_view bytes)
{
	if (t->json) {
		payload_json(t, name, bytes);
		return;
	}
	begin(t, name);
	tsb_bytes_addf(&t->out, "%zu bytes, SHA-256 ", bytes.n);
	add_sha256(t, bytes);
	end_line(t);
}

const char *
output_fingerprint(struct arena *a, struct tsb_view spki)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(spki, digest);
	return arena_printf(a, "SHA256:%s", enc_hex_str(a, tsb_view_of(digest, 16)));
}

static const char *
key_type_name(struct tsb_view spki)
{
	static const char *const names[KEYTYPE__MAX] = {
	    [KEYTYPE_RSA] = "RSA",
	    [KEYTYPE_EC] = "EC",
	    [KEYTYPE_DSA] = "DSA",
	    [KEYTYPE_ED25519] = "Ed25519",
	};
	struct tsb_err ignored;
	enum ska_key_type type;

	return crypto_spki_type(spki, &type, &ignored) ? "unusable" : names[type];
}

const char *
output_key(struct arena *a, struct tsb_view spki)
{
	return arena_printf(a, "%s %s", key_type_name(spki), output_fingerprint(a, spki));
}

void
doc_key(struct doc *t, const char *name, struct tsb_view spki)
{
	arena_auto a = {0};

	if (!t->json) {
		doc_text(t, name, output_key(&a, spki));
		return;
	}
	doc_open(t, name);
	doc_text(t, "kind", key_type_name(spki));
	doc_text(t, "fingerprint", output_fingerprint(&a, spki));
	doc_base64(t, "value", spki);
	doc_close(t);
}

void
doc_warn(struct doc *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->json) {
		if (t->warnings.n > 0)
			tsb_bytes_add_str(&t->warnings, ",");
		wire_text_format(tsb_view_str(text), &t->warnings);
		return;
	}
	tsb_bytes_addf(&t->out, "%*s!!! ", 2 * t->indent, "");
	add_safe(t, tsb_view_str(text));
	tsb_bytes_add_str(&t->out, "\n");
}

void
doc_print_to(struct doc *t, FILE *to)
{
	if (t->json && t->warnings.n > 0) {
		begin(t, "warnings");
		tsb_bytes_add_str(&t->out, "[");
		tsb_bytes_add_view(&t->out, tsb_view_bytes(&t->warnings));
		tsb_bytes_add_str(&t->out, "]");
	}
	if (t->json)
		tsb_bytes_add_str(&t->out, "}\n");
	if (t->out.n > 0) /* a document without a line has no bytes at all */
		fwrite(t->out.p, 1, t->out.n, to);
}

void
doc_print(struct doc *t)
{
	doc_print_to(t, stdout);
}

void
output_body(struct tsb_view body)
{
	fwrite(body.p, 1, body.n, stdout);
	putchar('\n');
}

void
output_line(const char *text)
{
	doc_auto t = {0};

	add_lines(&t, tsb_view_str(text), "\n");
	tsb_bytes_add_str(&t.out, "\n");
	fwrite(t.out.p, 1, t.out.n, stdout);
}

void
output_note(const char *fmt, ...)
{
	char text[512];
	doc_auto t = {0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_lines(&t, tsb_view_str(text), " ");
	tsb_bytes_add_str(&t.out, "\n");
	fwrite(t.out.p, 1, t.out.n, stderr);
}

/* What carried files and signed attributes mean by numbers that others use, too. */
static const struct {
	const char *group; /* of the command */
	int number;
	const char *hint;
} group_hints[] = {
    {"offline", 400,
	"sites trust each other by `tsb offline trust` in the room and "
	"airGapped.offlineSiteKeyFile online"},
    {"offline", 403, "copy it again; if that does not help, have it made again where it came from"},
    {"offline", 612,
	"copy or scan it again; if that does not help, have it made again where it "
	"came from"},
    {"key", 403, "attributes are believed that a key of airGapped.attestationKeyFile has signed"},
};

/* What to do next, by catalogue number. */
static const struct {
	int number;
	const char *hint;
} hints[] = {
    {102, "the broker may be older than this program, or --url leads elsewhere"},
    {400, "this approver does not belong to the task: check --approver"},
    {401, "the key needs approvals: ask with `tsb sign` instead of the synchronous call"},
    {402,
	"renew the certificate, or use the one that the policy names; a key that signs "
	"certificates needs one itself: `tsb certificate selfsign`"},
    {403, "the signature was not made with this key: check --approver"},
    {404, "check this computer's clock (timedatectl); the server compares it with its own"},
    {411, "the request does not prove that its sender has the key: have it made anew"},
    {413, "the policy names an approver that the broker does not know"},
    {415, "this broker wants requests signed by a listed certificate"},
    {600, "the message names the member; tsb COMMAND --help shows what may be given"},
    {601, "approver keys are RSA, EC, Ed25519 or DSA; `tsb approver new` makes one"},
    {603, "choose another --size"},
    {606,
	"of a new key: see --attributes, with a policy it can never be extractable; of an imported "
	"one: `tsb key attributes` fetches newer ones where the key is"},
    {607, "`tsb key show NAME` tells what the key is; choose another --algorithm"},
    {608, "choose another name, or `tsb key delete` the old key"},
    {609, "an id looks like 0191f3a2-0000-7000-8000-000000000000"},
    {611, "this broker or this request does not allow it now; `tsb request show` tells its state"},
    {612, "fetch the task again with `tsb tasks`; for pre-hashed algorithms give the digest"},
    {613, "only keys that were made with a policy have one"},
    {614, "an attribute forbids it or the key is blocked: `tsb key show NAME`"},
    {620, "give the key's password with --password-file"},
    {624, "--tag-length is one of 64, 96, 104, 112, 120, 128"},
    {631, NULL}, /* by role, below */
    {650, "`tsb key list` prints the names"},
    {651, "`tsb request list` prints the ids"},
    {652, "it is finished, answered already, or not yours: `tsb tasks` lists what is open"},
    {700, "the broker's database failed; try again, then look at its log"},
    {701,
	"the HSM refused: the approvals did not satisfy the policy, or the key does not allow it"},
};

static const char *
hint_of(const struct cli *c, int number)
{
	static const char *const api_key[CLI_ROLE__MAX] = {
	    [CLI_ROLE_KEY_MANAGEMENT] = "set TSB_KEY_MANAGEMENT_TOKEN (or --token-file)",
	    [CLI_ROLE_KEY_OPERATION] = "set TSB_KEY_OPERATION_TOKEN (or --token-file)",
	    [CLI_ROLE_APPROVER] = "set TSB_APPROVER_TOKEN (or --token-file)",
	    [CLI_ROLE_SERVICE] = "set TSB_SERVICE_TOKEN (or --token-file)",
	};
	size_t i;

	if (c->exit == CLI_UNREACHED)
		return "check TSB_URL or --url, and that the broker runs";
	if (c->exit != CLI_REFUSED)
		return NULL;
	if (number == 631 || number == 416)
		return api_key[c->role];
	for (i = 0; i < TSB_COUNT(group_hints); i++)
		if (group_hints[i].number == number &&
		    tsb_streq(group_hints[i].group, c->command->group))
			return group_hints[i].hint;
	for (i = 0; i < TSB_COUNT(hints); i++)
		if (hints[i].number == number)
			return hints[i].hint;
	return NULL;
}

static void
failure_json(const struct cli *c, int number, const char *reason, const char *hint)
{
	tsb_bytes_auto out = {0};

	tsb_bytes_addf(&out, "{\"errorCode\":%d,\"reason\":", number);
	wire_text_format(tsb_view_str(reason), &out);
	tsb_bytes_add_str(&out, ",\"message\":");
	wire_text_format(tsb_view_str(c->err.msg), &out);
	tsb_bytes_add_str(&out, ",\"hint\":");
	if (hint)
		wire_text_format(tsb_view_str(hint), &out);
	else
		tsb_bytes_add_str(&out, "null");
	tsb_bytes_addf(&out, ",\"exit\":%d}\n", (int)c->exit);
	fwrite(out.p, 1, out.n, stderr);
}

void
output_failure(const struct cli *c)
{
	bool refused = c->exit == CLI_REFUSED;
	int number = refused ? c->refused_number : tsb_err_number(c->err.code);
	const char *reason = refused ? c->refused_reason : tsb_err_reason(c->err.code);
	const char *hint = hint_of(c, number);
	doc_auto t = {0};

	fflush(stdout);
	if (c->json) {
		failure_json(c, number, reason, hint);
		return;
	}
	doc_start(&t, false);
	tsb_bytes_add_str(&t.out, refused ? "tsb: refused: " : "tsb: ");
	add_safe(&t, tsb_view_str(c->err.msg));
	if (refused) {
		tsb_bytes_addf(&t.out, " (%d ", number);
		add_safe(&t, tsb_view_str(reason));
		tsb_bytes_add_str(&t.out, ")");
	}
	if (hint)
		tsb_bytes_addf(&t.out, "\ntsb: next: %s", hint);
	tsb_bytes_add_str(&t.out, "\n");
	fwrite(t.out.p, 1, t.out.n, stderr);
}
