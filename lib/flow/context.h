/* Connections, pins and caches of one process: what every use case works with. */
#ifndef TSB_FLOW_CONTEXT_H
#define TSB_FLOW_CONTEXT_H

#include "lib/conf/settings.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/package.h"

struct flow_key_cache; /* keycache.h */
struct flow_rooms; /* rooms.h */

/* Made by flow_new() (flow.h). Rooms above read it too. */
struct flow {
	const struct broker_conf *conf;
	const struct flow_rooms *rooms;
	struct store *store;
	struct hsm *hsm;
	char *owner; /* names the process in claims and audit */
	bool has_secret;
	unsigned char secret[CRYPTO_BOX_KEY_SIZE]; /* seals key passwords */
	struct arena process; /* what lives as long as the process */
	struct tsb_view *signers; /* DER of allowed timestamp signers */
	size_t nsigners;
	struct tsb_view *request_signers; /* SubjectPublicKeyInfo of allowed callers */
	size_t nrequest_signers;
	int wake_fd;
	struct flow_key_cache *keys;
	/* profile air-gapped: hsm is NULL */
	bool air_gapped;
	struct tsb_view *attestation_keys; /* SubjectPublicKeyInfo of pinned HSMs */
	size_t nattestation_keys;
	struct tsb_view *offline_approvers; /* SubjectPublicKeyInfo, for keys not imported */
	size_t noffline_approvers;
	struct crypto_private *site_key; /* signs packages; NULL = none */
	struct wire_package_peer *offline_sites; /* pinned; the first is the one packages are for */
	size_t noffline_sites;
};

#endif
