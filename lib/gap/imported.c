/* Keys of an offline HSM whose attributes were imported (profile air-gapped). */
#include "lib/first.h"

#include <string.h>

#include "lib/flow/ending.h"
#include "lib/flow/plan.h"
#include "lib/gap/imported.h"

#define ACTOR "keyManagement"

static int
never_imported(const char *label, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT,
	    "key '%s' is not known here: import the attributes that its HSM has signed "
	    "(POST /v1/key/import/attributes)",
	    label);
}

/* ---- attributes ---- */

static int
document_missing(const struct tsb_imported_key *row, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
	    "the imported attributes of key '%s' are not in the database", row->key_name);
}

int
gap_imported_load(struct flow *f, struct store_tx *tx, const struct tsb_imported_key *row,
    const struct flow_key **key, struct tsb_err *err)
{
	if (flow_key_load(f, tx, row->attributes_digest, key, err))
		return -1;
	return *key == NULL ? document_missing(row, err) : 0;
}

struct lookup {
	struct flow *f;
	const char *label;
	struct arena *arena;
	struct tsb_imported_key row;
	bool found;
	const struct flow_key *key;
	struct tsb_key_attributes document;
	const char **labels;
	size_t n;
};

bool
gap_imported_forgotten(const struct tsb_imported_key *row)
{
	static const unsigned char none[TSB_SHA256];

	return memcmp(row->attributes_digest, none, sizeof(none)) == 0;
}

static int
row_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct lookup *l = ctx;

	if (store_imported_find(tx, l->label, false, l->arena, &l->row, &l->found, err))
		return -1;
	l->found = l->found && !gap_imported_forgotten(&l->row);
	return 0;
}

static int
key_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct lookup *l = ctx;

	l->key = NULL;
	if (row_body(tx, l, err))
		return -1;
	return l->found ? gap_imported_load(l->f, tx, &l->row, &l->key, err) : 0;
}

int
gap_imported_key(struct flow *f, struct store_tx *tx, const char *label,
    const struct flow_key **key, struct tsb_err *err)
{
	arena_auto a = {0};
	struct lookup l = {.f = f, .label = label, .arena = &a};

	if (tx != NULL ? key_body(tx, &l, err)
		       : store_read(f->store, "imported_key", key_body, &l, err))
		return -1;
	*key = l.key;
	return 0;
}

int
gap_imported_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
{
	arena_auto a = {0};
	struct lookup l = {.label = label, .arena = &a};

	if (store_read(f->store, "imported_exists", row_body, &l, err))
		return -1;
	*exists = l.found;
	return 0;
}

int
gap_imported_forgotten_at(struct flow *f, const char *label, int64_t *attest_time,
    struct tsb_err *err)
{
	arena_auto a = {0};
	struct lookup l = {.label = label, .arena = &a};

	if (store_read(f->store, "imported_forgotten", row_body, &l, err))
		return -1;
	*attest_time = gap_imported_forgotten(&l.row) ? l.row.attest_time : 0;
	return 0;
}

static int
document_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct lookup *l = ctx;
	bool found;

	if (row_body(tx, l, err))
		return -1;
	if (!l->found)
		return never_imported(l->label, err);
	if (store_key_attributes_load(tx, l->row.attributes_digest, l->arena, &l->document, &found,
		err))
		return -1;
	return found ? 0 : document_missing(&l->row, err);
}

int
gap_imported_attributes(struct flow *f, const char *label, struct arena *a, struct keyattr *k,
    struct tsb_key_attributes *stored, struct tsb_err *err)
{
	struct lookup l = {.label = label, .arena = a};

	if (store_read(f->store, "attributes_imported", document_body, &l, err) ||
	    keyattr_parse(l.document.xml, a, k, err))
		return -1;
	if (stored != NULL)
		*stored = l.document;
	return 0;
}

int
gap_imported_plan(struct flow *f, const char *label, struct tsb_err *err)
{
	const struct flow_key *key;

	if (gap_imported_key(f, NULL, label, &key, err))
		return -1;
	return key == NULL ? 0 : flow_requests_plan_anew(f, label, key, err);
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct lookup *l = ctx;

	return store_imported_list(tx, l->arena, &l->labels, &l->n, err);
}

int
gap_imported_list(struct flow *f, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err)
{
	struct lookup l = {.arena = a};

	if (store_read(f->store, "attributes_list", list_body, &l, err))
		return -1;
	*labels = l.labels;
	*n = l.n;
	return 0;
}

static int
forget_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct lookup *l = ctx;
	struct store_audit audit = {.action = "forget attributes",
	    .actor = ACTOR,
	    .key_name = l->label,
	    .detail = l->label};
	bool changed;

	if (row_body(tx, l, err))
		return -1;
	if (!l->found)
		return never_imported(l->label, err);
	if (store_imported_forget(tx, &l->row, &changed, err))
		return -1;
	return changed ? store_audit_insert(tx, &audit, err) : store_run_again(tx, err);
}

int
gap_imported_forget(struct flow *f, const char *label, struct arena *a, struct tsb_err *err)
{
	struct lookup l = {.label = label, .arena = a};

	if (store_transact(f->store, "attributes_forget", forget_body, &l, err))
		return -1;
	return flow_requests_cancel_of_key(f, label, a, err);
}

/* ---- certificates ---- */

int
gap_certificate_keep(struct flow *f, struct store_tx *tx, const char *label, struct tsb_view der,
    const char *actor, struct tsb_err *err)
{
	arena_auto a = {0};
	struct lookup l = {.f = f, .label = label, .arena = &a};
	struct store_audit audit = {
	    .action = der.n > 0 ? "import certificate" : "delete certificate",
	    .actor = actor,
	    .key_name = label,
	    .detail = label,
	};
	bool changed;

	if (key_body(tx, &l, err))
		return -1;
	if (!l.found)
		return never_imported(label, err);
	if (der.n == 0 && l.row.certificate.n == 0)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "key '%s' has no certificate", label);
	if (der.n > 0 && crypto_cert_check_key(der, l.key->parsed.public_key, err))
		return -1;
	if (tsb_view_eq(der, l.row.certificate))
		return 0;
	if (store_imported_certify(tx, &l.row, der, &changed, err))
		return -1;
	return changed ? store_audit_insert(tx, &audit, err) : store_run_again(tx, err);
}

struct certifying {
	struct flow *f;
	const char *label;
	struct tsb_view der;
};

static int
certify_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct certifying *c = ctx;

	return gap_certificate_keep(c->f, tx, c->label, c->der, ACTOR, err);
}

int
gap_certificate_import(struct flow *f, const char *label, struct tsb_view der, struct tsb_err *err)
{
	struct certifying c = {f, label, der};

	return store_transact(f->store, "certificate_import", certify_body, &c, err);
}

int
gap_certificate_delete(struct flow *f, const char *label, struct tsb_err *err)
{
	return gap_certificate_import(f, label, tsb_view_of(NULL, 0), err);
}

int
gap_certificate_get(struct flow *f, const char *label, struct arena *a, struct tsb_view *der,
    struct tsb_err *err)
{
	struct lookup l = {.label = label, .arena = a};

	if (store_read(f->store, "certificate_imported", row_body, &l, err))
		return -1;
	if (!l.found)
		return never_imported(label, err);
	if (l.row.certificate.n == 0)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "key '%s' has no certificate", label);
	*der = l.row.certificate;
	return 0;
}
