/* Attributes of keys that an offline HSM signed: its signature alone makes them believed. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/gap/attestation.h"
#include "lib/gap/imported.h"

#define ACTOR_IMPORT "keyManagement"
#define AHEAD_MAX    86400 /* seconds that the HSM's clock may be ahead */

static int
need_profile(const struct flow *f, struct tsb_err *err)
{
	if (f->air_gapped)
		return 0;
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "this broker has the profile online: its HSM describes its keys itself");
}

/* ---- believing ---- */

static int
signature_check(const struct flow *f, const struct tsb_key_attributes *in, struct tsb_err *err)
{
	const char *name = in->attestation_key_name;
	struct tsb_err why;

	if (f->files.nattestation_keys == 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "no attributes can be imported: airGapped.attestationKeyFile is missing");
	for (size_t i = 0; i < f->files.nattestation_keys; i++)
		if (crypto_verify_attestation(f->files.attestation_keys[i], in->xml,
			in->xml_signature, &why) == 0)
			return 0;
	return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
	    "xmlSignature: no key of airGapped.attestationKeyFile has signed this xml (the HSM calls "
	    "its key '%.100s')",
	    name == NULL ? "" : name);
}

int
gap_attributes_accept(struct flow *f, struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *out, struct tsb_err *err)
{
	char when[CLOCK_ISO_SIZE];
	struct keyattr k;

	if (need_profile(f, err) || signature_check(f, in, err) ||
	    keyattr_parse(in->xml, a, &k, err))
		return -1;
	if (k.attest_time <= 0)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "xml: without attest_time nobody can tell newer attributes from older ones");
	if (k.attest_time > clock_now_ms() / 1000 + AHEAD_MAX)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "xml: attest_time %s lies more than a day ahead, and nothing older could be imported "
		    "later: set the clock of the HSM right, or of this broker",
		    clock_iso(k.attest_time, when));
	if (k.has_policy &&
	    ska_policy_resolve(&k.policy, a, crypto_cert_spki, crypto_spki_check, err))
		return -1;
	crypto_sha256(in->xml, in->digest);
	in->key_name = k.label;
	if (in->attestation_key_name == NULL)
		in->attestation_key_name = "";
	*out = k;
	return 0;
}

/* ---- keeping ---- */

/* Documents say the same if they differ only in members that change by themselves. */
static bool
same_content(struct tsb_view a, struct tsb_view b)
{
	tsb_bytes_auto left = {0};
	tsb_bytes_auto right = {0};

	keyattr_stable_text(a, &left);
	keyattr_stable_text(b, &right);
	return tsb_view_eq(tsb_view_bytes(&left), tsb_view_bytes(&right));
}

static int
outdated(const struct tsb_imported_key *have, const struct keyattr *k, struct tsb_err *err)
{
	char here[CLOCK_ISO_SIZE], there[CLOCK_ISO_SIZE];

	return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
	    "attributes of key '%s' attested at %s %s, these are of %s: they must be newer",
	    have->key_name, clock_iso(have->attest_time, here),
	    gap_imported_forgotten(have) ? "were deleted" : "are in force",
	    clock_iso(k->attest_time, there));
}

static int
keep_first(struct store_tx *tx, const struct tsb_imported_key *row, struct tsb_err *err)
{
	bool fresh;

	if (store_imported_insert(tx, row, &fresh, err))
		return -1;
	return fresh ? 0 : store_run_again(tx, err);
}

/* A certificate goes with the public key that it is of. */
static int
keep_newer(struct store_tx *tx, struct tsb_imported_key *row, const struct tsb_imported_key *have,
    const struct flow_key *before, const struct keyattr *k, struct tsb_err *err)
{
	bool renewed;

	if (before != NULL && tsb_view_eq(before->parsed.public_key, k->public_key))
		row->certificate = have->certificate;
	if (store_imported_renew(tx, row, have->attributes_digest, &renewed, err))
		return -1;
	return renewed ? 0 : store_run_again(tx, err);
}

static int
keep(struct flow *f, struct store_tx *tx, struct tsb_imported_key *row, const struct keyattr *k,
    struct tsb_view xml, bool *fresh, bool *behind, struct tsb_err *err)
{
	arena_auto a = {0};
	struct tsb_imported_key have;
	const struct flow_key *before = NULL;
	bool found;

	*fresh = true;
	if (store_imported_find(tx, row->key_name, true, &a, &have, &found, err))
		return -1;
	if (!found)
		return keep_first(tx, row, err);
	if (!gap_imported_forgotten(&have) && gap_imported_load(f, tx, &have, &before, err))
		return -1;
	*fresh = k->attest_time > have.attest_time;
	if (*fresh)
		return keep_newer(tx, row, &have, before, k, err);
	if (before != NULL && k->attest_time == have.attest_time &&
	    same_content(xml, before->attributes.xml))
		return 0;
	if (behind == NULL)
		return outdated(&have, k, err);
	*behind = true;
	return 0;
}

int
gap_attributes_keep(struct flow *f, struct store_tx *tx, const struct tsb_key_attributes *in,
    const struct keyattr *k, const char *actor, int64_t now_ms, bool *fresh, bool *behind,
    struct tsb_err *err)
{
	struct tsb_key_attributes document = *in;
	struct tsb_imported_key row = {.key_name = in->key_name,
	    .attest_time = k->attest_time,
	    .imported_ms = now_ms};
	struct store_audit audit = {.action = "import attributes",
	    .actor = actor,
	    .key_name = in->key_name,
	    .detail = in->key_name};

	document.fetched_ms = now_ms;
	memcpy(row.attributes_digest, in->digest, TSB_SHA256);
	if (keep(f, tx, &row, k, in->xml, fresh, behind, err))
		return -1;
	if (!*fresh)
		return 0;
	return store_key_attributes_insert(tx, &document, err) ||
		store_audit_insert(tx, &audit, err)
	    ? -1
	    : 0;
}

struct import {
	struct flow *f;
	const struct tsb_key_attributes *in;
	const struct keyattr *key;
	int64_t now_ms;
	bool fresh;
};

static int
import_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct import *i = ctx;

	return gap_attributes_keep(i->f, tx, i->in, i->key, ACTOR_IMPORT, i->now_ms, &i->fresh,
	    NULL, err);
}

int
gap_attributes_import(struct flow *f, const struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *k, struct tsb_key_attributes *stored, struct tsb_err *err)
{
	struct tsb_key_attributes document = *in;
	struct keyattr key;
	struct import i = {.f = f, .in = &document, .key = &key, .now_ms = clock_now_ms()};

	if (gap_attributes_accept(f, &document, a, &key, err) ||
	    store_transact(f->store, "attributes_import", import_body, &i, err) ||
	    gap_imported_plan(f, key.label, err))
		return -1;
	/* imported again: the first document stays in force */
	if (!i.fresh)
		return gap_imported_attributes(f, key.label, a, k, stored, err);
	document.fetched_ms = i.now_ms;
	*k = key;
	if (stored != NULL)
		*stored = document;
	return 0;
}
