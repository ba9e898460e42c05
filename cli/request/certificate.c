/* tsb certificate request, sign, selfsign, show. */
#include "lib/first.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/wire/names.h"

#include "cli/lib/body.h"
#include "cli/lib/certview.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/request.h"

#define DAYS_DEFAULT 365
#define DAYS_MAX     36525

/* ---- the subject: CN=name,O=... ---- */

static const struct {
	const char *letters, *member;
} attributes[] = {
    {"CN", "commonName"},
    {"C", "country"},
    {"ST", "stateOrProvinceName"},
    {"L", "locality"},
    {"O", "organizationName"},
    {"OU", "organizationUnitName"},
    {"OI", "organizationIdentifier"},
    {"E", "email"},
    {"T", "title"},
    {"SN", "surname"},
    {"GN", "givenName"},
    {"I", "initials"},
    {"P", "pseudonym"},
    {"GQ", "generationQualifier"},
};

struct subject {
	const char *value[TSB_COUNT(attributes)]; /* NULL = not given */
};

/* The next part up to a comma; "\" takes the following character as it is. NULL at the end. */
static char *
next_part(struct arena *a, const char **rest)
{
	const char *p = *rest;
	char *part, *end;

	if (!*p)
		return NULL;
	part = end = arena_alloc(a, strlen(p) + 1);
	for (; *p && *p != ','; p++) {
		if (*p == '\\' && p[1])
			p++;
		*end++ = *p;
	}
	*rest = *p ? p + 1 : p;
	return part;
}

static int
set_attribute(struct cli *c, struct subject *s, char *part)
{
	char *value = strchr(part, '=');
	size_t i;

	if (value == NULL || !value[1])
		return tsb_fail(&c->err, TSB_E_INPUT, "--subject: '%s' is not NAME=value", part);
	*value++ = '\0';
	part += strspn(part, " ");
	for (i = 0; i < TSB_COUNT(attributes); i++)
		if (strcasecmp(part, attributes[i].letters) == 0 ||
		    strcasecmp(part, attributes[i].member) == 0)
			break;
	if (i == TSB_COUNT(attributes))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--subject: there is no attribute '%s'; tsb(1) lists them", part);
	if (s->value[i] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "--subject: %s is given twice", part);
	s->value[i] = value;
	return 0;
}

static int
read_subject(struct cli *c, struct subject *s)
{
	const char *rest = c->opt[OPT_SUBJECT] != NULL ? c->opt[OPT_SUBJECT] : "";
	char *part;

	*s = (struct subject){0};
	while ((part = next_part(&c->arena, &rest)) != NULL)
		if (set_attribute(c, s, part))
			return -1;
	return 0;
}

static int
put_subject(struct cli *c, struct tsb_bytes *body)
{
	struct subject s;
	size_t i;

	if (read_subject(c, &s))
		return -1;
	if (s.value[0] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --subject, for example 'CN=pay.example.com,O=Example AG,C=CH'");
	body_open(body, "standardCertificateAttributes");
	for (i = 0; i < TSB_COUNT(attributes); i++)
		body_text(body, attributes[i].member, s.value[i]);
	body_close(body);
	return 0;
}

/* ---- members of all three ---- */

static bool
is_usage(const char *word, const char *name)
{
	for (; *word && *name; word++, name++)
		if (*name != (*word == '-' ? '_' : toupper((unsigned char)*word)))
			return false;
	return *word == *name;
}

static const char *
find_usage(const char *word, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_usage(word, names[i]))
			return names[i];
	return NULL;
}

static void
add_name(struct tsb_bytes *list, const char *name)
{
	tsb_bytes_addf(list, "%s\"%s\"", list->n > 0 ? "," : "[", name);
}

static void
put_list(struct tsb_bytes *body, const char *name, struct tsb_bytes *list)
{
	if (list->n == 0)
		return;
	tsb_bytes_add_str(list, "]");
	body_raw(body, name, tsb_view_bytes(list));
}

/* --usage names plain and extended ones alike: no two have the same name. */
static int
put_usages(struct cli *c, struct tsb_bytes *body)
{
	tsb_bytes_auto plain = {0}, extended = {0};
	char *rest = c->opt[OPT_USAGE] != NULL ? arena_str(&c->arena, c->opt[OPT_USAGE]) : NULL,
	     *word;
	const char *name;

	while ((word = strsep(&rest, ",")) != NULL) {
		if (!*word)
			continue;
		if ((name = find_usage(word, names_usage, TSB_COUNT(names_usage))) != NULL)
			add_name(&plain, name);
		else if ((name = find_usage(word, names_extended_usage,
			      TSB_COUNT(names_extended_usage))) != NULL)
			add_name(&extended, name);
		else
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--usage: there is no usage '%s'; tsb(1) lists them", word);
	}
	put_list(body, "keyUsage", &plain);
	put_list(body, "extendedKeyUsage", &extended);
	return 0;
}

static int
put_common(struct cli *c, struct tsb_bytes *body)
{
	long days;

	if (c->opt[OPT_ALGORITHM] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --algorithm, for example SHA256_WITH_ECDSA or SHA256_WITH_RSA");
	if (cli_number(c, OPT_DAYS, 1, DAYS_MAX, DAYS_DEFAULT, &days))
		return -1;
	body_text(body, "signatureAlgorithm", c->opt[OPT_ALGORITHM]);
	body_number(body, "validity", days);
	return put_usages(c, body);
}

/* ---- commands ---- */

int
cli_certificate_request(struct cli *c)
{
	tsb_bytes_auto body = {0};

	if (request_open(c, &body) || put_common(c, &body) || put_subject(c, &body))
		return -1;
	return request_create(c, &body);
}

int
cli_certificate_selfsign(struct cli *c)
{
	tsb_bytes_auto body = {0};

	if (request_open(c, &body) || put_common(c, &body) || put_subject(c, &body))
		return -1;
	body_bool(&body, "certificateAuthority", c->opt[OPT_AUTHORITY] != NULL);
	return request_create(c, &body);
}

static int
read_csr(struct cli *c, const char *path, struct tsb_view *der, struct certview *csr)
{
	struct tsb_err why;

	if (file_read_csr(path, &c->arena, der, &why))
		return tsb_fail(&c->err,
		    why.code == TSB_E_READING_PEM ? TSB_E_CSR_FORMAT : why.code, "%s", why.msg);
	if (!certview_open(*der, csr) || csr->kind != CERTVIEW_REQUEST)
		return tsb_fail(&c->err, TSB_E_CSR_FORMAT, "%s holds no certificate request", path);
	return 0;
}

/* The request's own name, with the common name of --subject; or --subject is the whole name. */
static int
put_name(struct cli *c, const struct certview *csr, struct tsb_bytes *body)
{
	const char *name;
	struct subject s;
	size_t i;

	if (read_subject(c, &s))
		return -1;
	for (i = 1; i < TSB_COUNT(attributes); i++)
		if (s.value[i] != NULL)
			return put_subject(c, body);
	name = s.value[0] != NULL ? s.value[0] : certview_common_name(csr, &c->arena);
	if (name == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "the request has no common name; give --subject CN=...");
	body_text(body, "commonName", name);
	return 0;
}

int
cli_certificate_sign(struct cli *c)
{
	tsb_bytes_auto body = {0};
	certview_auto csr = {0};
	struct tsb_view der;

	if (read_csr(c, c->argv[1], &der, &csr) || request_open(c, &body) || put_common(c, &body) ||
	    put_name(c, &csr, &body))
		return -1;
	body_text(&body, "keyName", c->opt[OPT_KEY]);
	body_bool(&body, "certificateAuthority", c->opt[OPT_AUTHORITY] != NULL);
	body_base64(&body, "certificateSigningRequest", der);
	return request_create(c, &body);
}

int
cli_certificate_show(struct cli *c)
{
	const char *path =
	    arena_printf(&c->arena, "/v1/certificate/%s", enc_percent_str(&c->arena, c->argv[0]));
	tsb_bytes_auto answer = {0};
	certview_auto v = {0};
	struct tsb_view der;
	const char *pem;
	doc_auto t = {0};

	if (session_call(c, "GET", path, tsb_view_of(NULL, 0), &answer))
		return -1;
	if (wire_client_text_parse(tsb_view_bytes(&answer), "certificate", &c->arena, &pem,
		&c->err))
		return session_misread(c);
	if (pem == NULL ||
	    crypto_pem_pick(tsb_view_str(pem), PEM_CERTIFICATE, &c->arena, &der, &c->err) ||
	    !certview_open(der, &v) || v.kind != CERTVIEW_CERTIFICATE) {
		tsb_fail(&c->err, TSB_E_IO, "certificate is missing or not understood");
		return session_misread(c);
	}
	if (c->opt[OPT_OUT] != NULL &&
	    file_write(c->opt[OPT_OUT], FILE_PUBLIC, tsb_view_str(pem), &c->err))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	doc_start(&t, false);
	certview_show(&t, &v);
	doc_print(&t);
	return 0;
}
