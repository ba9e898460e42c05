/*
 * Roles of a caller. Secrets are kept as SHA-256 digests and every configured one is compared, in
 * constant time and without an early exit, so that the time tells nothing about which one is near.
 */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/web/internal.h"

#define DIGEST_PREFIX "sha256:"

#define ROLES_PROVEN                                                                               \
	(ROLE_KEY_MANAGEMENT | ROLE_KEY_OPERATION | ROLE_APPROVER | ROLE_SERVICE |                 \
	    ROLE_APPROVER_MANAGEMENT)

struct proof {
	unsigned char digest[CRYPTO_SHA256_SIZE];
	unsigned role;
};

struct proofs {
	struct proof *v;
	size_t n;
};

struct web_auth {
	bool enabled, approver_paths_open;
	bool plain_seen; /* a key stands in the settings file as it is */
	struct proofs keys, certs, users;
};

enum proof_kind { PROOF_KEY, PROOF_CERT, PROOF_USER };

/* The lists of the settings, and what their entries prove. */
static const struct {
	const char *name;
	size_t list;
	enum proof_kind kind;
	unsigned role;
} sources[] = {
/* clang-format off */
#define SOURCE(name, field, kind, role) { name, offsetof(struct web_auth_conf, field), kind, role }
    /* clang-format on */
    SOURCE("keyManagementToken", key_management, PROOF_KEY, ROLE_KEY_MANAGEMENT),
    SOURCE("keyOperationToken", key_operation, PROOF_KEY, ROLE_KEY_OPERATION),
    SOURCE("approverToken", approver, PROOF_KEY, ROLE_APPROVER),
    SOURCE("serviceToken", service, PROOF_KEY, ROLE_SERVICE),
    SOURCE("approverKeyManagementToken", approver_management, PROOF_KEY, ROLE_APPROVER_MANAGEMENT),
    SOURCE("keyManagementCertificate", key_management_cert, PROOF_CERT, ROLE_KEY_MANAGEMENT),
    SOURCE("keyOperationCertificate", key_operation_cert, PROOF_CERT, ROLE_KEY_OPERATION),
    SOURCE("approverCertificate", approver_cert, PROOF_CERT, ROLE_APPROVER),
    SOURCE("serviceCertificate", service_cert, PROOF_CERT, ROLE_SERVICE),
    SOURCE("approverKeyManagementCertificate", approver_management_cert, PROOF_CERT,
	ROLE_APPROVER_MANAGEMENT),
    SOURCE("keyManagementUser", key_management_user, PROOF_USER, ROLE_KEY_MANAGEMENT),
    SOURCE("keyOperationUser", key_operation_user, PROOF_USER, ROLE_KEY_OPERATION),
    SOURCE("approverUser", approver_user, PROOF_USER, ROLE_APPROVER),
    SOURCE("serviceUser", service_user, PROOF_USER, ROLE_SERVICE),
    SOURCE("approverKeyManagementUser", approver_management_user, PROOF_USER,
	ROLE_APPROVER_MANAGEMENT),
#undef SOURCE
};

static struct proof *
proofs_add(struct proofs *list, unsigned role)
{
	struct proof *v = reallocarray(list->v, list->n + 1, sizeof(*v));

	if (v == NULL)
		fatal("out of memory");
	list->v = v;
	v[list->n] = (struct proof){.role = role};
	return &v[list->n++];
}

/* "sha256:<64 hex>" into digest; false when text is something else. */
static bool
digest_parse(const char *text, unsigned char digest[CRYPTO_SHA256_SIZE])
{
	arena_auto a = {0};
	struct tsb_view bytes;

	if (strncmp(text, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) != 0 ||
	    !enc_hex_decode(tsb_view_str(text + strlen(DIGEST_PREFIX)), &a, &bytes) ||
	    bytes.n != CRYPTO_SHA256_SIZE)
		return false;
	memcpy(digest, bytes.p, CRYPTO_SHA256_SIZE);
	return true;
}

static int
entry_add(struct web_auth *auth, const char *text, enum proof_kind kind, unsigned role,
    const char *name, struct tsb_err *err)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	bool is_digest = !strncmp(text, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	struct proofs *list = kind == PROOF_KEY ? &auth->keys
	    : kind == PROOF_CERT                ? &auth->certs
						: &auth->users;

	if (!*text)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "apiAuthentication.%s is empty.",
		    name);
	if (kind != PROOF_USER && is_digest && !digest_parse(text, digest))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "apiAuthentication.%s: sha256: is not followed by 64 hex digits.", name);
	if (kind == PROOF_CERT && !is_digest)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "apiAuthentication.%s takes sha256:<fingerprint>.", name);
	if (kind == PROOF_USER || !is_digest)
		crypto_sha256(tsb_view_str(text), digest);
	if (kind == PROOF_KEY && strlen(text) > WEB_APIKEY_MAX)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "apiAuthentication.%s is longer than %d bytes.", name, WEB_APIKEY_MAX);
	if (kind == PROOF_KEY && !is_digest)
		auth->plain_seen = true;
	memcpy(proofs_add(list, role)->digest, digest, sizeof(digest));
	return 0;
}

struct web_auth *
web_auth_new(const struct web_auth_conf *conf, struct tsb_err *err)
{
	struct web_auth *auth = calloc(1, sizeof(*auth));

	if (auth == NULL)
		fatal("out of memory");
	auth->enabled = conf->enabled;
	auth->approver_paths_open = conf->approver_paths_open;
	for (size_t i = 0; i < TSB_COUNT(sources); i++) {
		const struct conf_list *list = (const void *)((const char *)conf + sources[i].list);

		for (size_t k = 0; k < list->n; k++)
			if (entry_add(auth, list->v[k], sources[i].kind, sources[i].role,
				sources[i].name, err)) {
				web_auth_free(&auth);
				return NULL;
			}
	}
	if (!auth->enabled)
		log_warn("apiAuthentication.enabled is false: every caller has every role");
	if (auth->plain_seen)
		log_warn("an API key stands in the settings as it is; "
			 "sha256:<digest> does the same without showing it");
	return auth;
}

void
web_auth_free(struct web_auth **auth)
{
	if (*auth == NULL)
		return;
	free((*auth)->keys.v);
	free((*auth)->certs.v);
	free((*auth)->users.v);
	free(*auth);
	*auth = NULL;
}

static unsigned
proofs_roles_of(const struct proofs *list, const unsigned char digest[CRYPTO_SHA256_SIZE])
{
	unsigned roles = 0;

	for (size_t i = 0; i < list->n; i++) {
		bool same = tsb_view_eq_secret(tsb_view_of(list->v[i].digest, CRYPTO_SHA256_SIZE),
		    tsb_view_of(digest, CRYPTO_SHA256_SIZE));

		roles |= list->v[i].role & (0U - (unsigned)same);
	}
	return roles;
}

static unsigned
proofs_roles(const struct proofs *list, struct tsb_view shown)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	unsigned roles;

	crypto_sha256(shown, digest);
	roles = proofs_roles_of(list, digest);
	tsb_wipe(digest, sizeof(digest));
	return roles;
}

static unsigned
cert_roles(const struct web_auth *auth, const char *pem, struct arena *a)
{
	struct tsb_err err = {0};
	struct tsb_view der;

	if (crypto_pem_pick(tsb_view_str(pem), PEM_CERTIFICATE, a, &der, &err)) {
		log_failure(LOG_WARN, "TSB_CLIENT_CERT", &err);
		return 0;
	}
	return proofs_roles(&auth->certs, der);
}

unsigned
web_auth_roles(const struct web_auth *auth, const struct web_caller *caller, struct arena *a)
{
	unsigned roles = ROLE_ANYONE;

	if (auth == NULL)
		return roles;
	if (auth->approver_paths_open)
		roles |= ROLE_TIMESTAMP;
	if (!auth->enabled)
		return roles | ROLES_PROVEN;
	if (caller->apikey != NULL)
		roles |= proofs_roles(&auth->keys, tsb_view_str(caller->apikey));
	if (caller->user != NULL)
		roles |= proofs_roles(&auth->users, tsb_view_str(caller->user));
	if (caller->cert != NULL && auth->certs.n)
		roles |= cert_roles(auth, caller->cert, a);
	return roles;
}

/* ---- who it was ---- */

/* The first half of a fingerprint tells keys apart, and is found in the settings. */
static void
fingerprint_add(struct tsb_bytes *text, const char *what, const struct proofs *list,
    struct tsb_view shown, struct arena *a)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(shown, digest);
	tsb_bytes_addf(text, "%s%s%s:%s", text->n ? "+" : "",
	    proofs_roles_of(list, digest) ? "" : "unknown-", what,
	    enc_hex_str(a, tsb_view_of(digest, 8)));
	tsb_wipe(digest, sizeof(digest));
}

/* A name without what would let it look like other fields of a line. */
static void
name_add(struct tsb_bytes *text, const char *name)
{
	tsb_bytes_addf(text, "%suser:", text->n ? "+" : "");
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '"' || *p == '+' || *p == '%')
			tsb_bytes_addf(text, "%%%02X", *p);
		else
			tsb_bytes_add(text, p, 1);
}

const char *
web_auth_caller(const struct web_auth *auth, const struct web_caller *caller, struct arena *a)
{
	tsb_bytes_auto text = {0};
	struct tsb_err err = {0};
	struct tsb_view der;

	if (auth == NULL)
		return "";
	if (caller->apikey != NULL)
		fingerprint_add(&text, "key", &auth->keys, tsb_view_str(caller->apikey), a);
	if (caller->cert != NULL &&
	    crypto_pem_pick(tsb_view_str(caller->cert), PEM_CERTIFICATE, a, &der, &err) == 0)
		fingerprint_add(&text, "cert", &auth->certs, der, a);
	if (caller->user != NULL)
		name_add(&text, caller->user);
	return text.n ? arena_str(a, tsb_bytes_cstr(&text)) : "";
}

const char *
web_roles_proven(unsigned roles, struct arena *a)
{
	return roles & ROLES_PROVEN ? web_roles_text(roles & ROLES_PROVEN, a) : "";
}

const char *
web_roles_text(unsigned roles, struct arena *a)
{
	static const char *const names[] = {
	    [TSB_ROLE_KEY_MANAGEMENT] = "keyManagement",
	    [TSB_ROLE_KEY_OPERATION] = "keyOperation",
	    [TSB_ROLE_APPROVER] = "approver",
	    [TSB_ROLE_SERVICE] = "service",
	    [TSB_ROLE_APPROVER_MANAGEMENT] = "approverManagement",
	    [TSB_ROLE__MAX] = "anyone",
	    [TSB_ROLE__MAX + 1] = "timestamp",
	};
	tsb_bytes_auto text = {0};

	for (size_t i = 0; i < TSB_COUNT(names); i++)
		if (roles & 1U << i)
			tsb_bytes_addf(&text, "%s%s", text.n ? "+" : "", names[i]);
	return text.n ? arena_str(a, tsb_bytes_cstr(&text)) : "-";
}
