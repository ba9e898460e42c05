/* Keys and certificates that the settings name by file: read once, when a process starts. */
#ifndef TSB_CONF_FILES_H
#define TSB_CONF_FILES_H

#include "lib/conf/settings.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/package.h"

/* A service that approves by a program, in the name of an approver (docs/approvers.md). */
struct broker_service {
	const char *url;
	struct tsb_view spki; /* the approver's key */
	struct tsb_view certificate; /* DER; empty = the settings name the key itself */
};

struct broker_files {
	struct arena arena; /* of all that follows */
	bool has_secret;
	unsigned char secret[CRYPTO_BOX_KEY_SIZE]; /* seals key passwords */
	struct tsb_view *signers; /* DER of allowed timestamp signers */
	size_t nsigners;
	struct tsb_view *request_signers; /* SubjectPublicKeyInfo of allowed callers */
	size_t nrequest_signers;
	struct broker_service *services; /* of the dispatcher alone */
	size_t nservices;
	/* profile air-gapped, of the API alone: */
	struct tsb_view *attestation_keys; /* SubjectPublicKeyInfo of pinned HSMs */
	size_t nattestation_keys;
	struct tsb_view *offline_approvers; /* SubjectPublicKeyInfo, for keys not imported */
	size_t noffline_approvers;
	struct crypto_private *site_key; /* signs packages; NULL = none */
	struct wire_package_peer *offline_sites; /* pinned; packages are for the first */
	size_t noffline_sites;
};

/*
 * Reads the files that a program with this login uses; f is zeroed. The error names the setting or
 * the file. Cleared with broker_files_clear(), also after -1.
 */
int broker_files_load(const struct broker_conf *conf, enum store_login login,
    struct broker_files *f, struct tsb_err *err) TSB_MUSTCHECK;
/* Wipes the secret and frees the rest. */
void broker_files_clear(struct broker_files *f);

#endif
