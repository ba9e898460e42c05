#include "lib/first.h"

#include <string.h>

#include "lib/crypto/keypair.h"
#include "lib/custody/keep.h"

#define ACTOR "approverKeyManagement"

int
custody_need_secret(const struct flow *f, struct tsb_err *err)
{
	if (f->files.has_secret)
		return 0;
	return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
	    "approvers cannot be kept: the broker has no general.secretKeyFile");
}

/* Binds a box to its column, its approver and its certificate. */
static void
place_of(const char *column, const struct tsb_approver *row, struct tsb_bytes *place)
{
	tsb_bytes_add(place, column, strlen(column) + 1);
	tsb_bytes_add(place, row->name, strlen(row->name) + 1);
	tsb_bytes_add_view(place, row->certificate);
}

int
custody_container_seal(struct flow *f, struct tsb_approver *row, struct tsb_view private_key,
    struct tsb_view password, struct arena *a, struct tsb_err *err)
{
	tsb_bytes_auto container = {0};
	tsb_bytes_auto place = {0};
	tsb_bytes_auto box = {0};

	if (crypto_pkcs12_seal(private_key, row->certificate, row->name, password, &container, err))
		return -1;
	place_of("container", row, &place);
	crypto_box_seal(f->files.secret, tsb_view_bytes(&place), tsb_view_bytes(&container), &box);
	row->container = arena_view(a, tsb_view_bytes(&box));
	return 0;
}

int
custody_container_open(struct flow *f, const struct tsb_approver *row, struct tsb_bytes *container,
    struct tsb_err *err)
{
	tsb_bytes_auto place = {0};

	place_of("container", row, &place);
	if (crypto_box_open(f->files.secret, tsb_view_bytes(&place), row->container, container,
		err) == 0)
		return 0;
	/* not the caller's password: the row was changed, or general.secretKeyFile is another */
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
	    "the container of '%.255s' does not open with general.secretKeyFile", row->name);
}

int
custody_backup_seal(struct tsb_approver *row, struct tsb_view private_key, struct tsb_view spki,
    struct arena *a, struct tsb_err *err)
{
	unsigned char key[CRYPTO_BOX_KEY_SIZE];
	tsb_bytes_auto wrapped = {0};
	tsb_bytes_auto place = {0};
	tsb_bytes_auto box = {0};
	int rc;

	crypto_random(key, sizeof(key));
	place_of("backup", row, &place);
	crypto_box_seal(key, tsb_view_bytes(&place), private_key, &box);
	rc = crypto_rsa_oaep_seal(spki, tsb_view_of(key, sizeof(key)), &wrapped, err);
	tsb_wipe(key, sizeof(key));
	if (rc != 0)
		return -1;
	row->backup = arena_view(a, tsb_view_bytes(&box));
	row->wrapped_key = arena_view(a, tsb_view_bytes(&wrapped));
	crypto_sha256(spki, row->backup_key);
	return 0;
}

int
custody_backup_open(const struct tsb_approver *row, struct tsb_view key,
    struct tsb_bytes *private_key, struct tsb_err *err)
{
	tsb_bytes_auto place = {0};

	if (key.n != CRYPTO_BOX_KEY_SIZE)
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the wrapped key has a wrong length");
	place_of("backup", row, &place);
	return crypto_box_open(key.p, tsb_view_bytes(&place), row->backup, private_key, err);
}

struct store_audit
custody_audit(const char *action, const struct tsb_approver *before,
    const struct tsb_approver *after)
{
	return (struct store_audit){
	    .action = action,
	    .actor = ACTOR,
	    .from = before == NULL  ? NULL
		: before->onboarded ? "ONBOARDED"
				    : "PENDING",
	    .to = after == NULL    ? NULL
		: after->onboarded ? "ONBOARDED"
				   : "PENDING",
	    .detail = before != NULL ? before->name : after->name,
	};
}
