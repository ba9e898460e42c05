/*
 * The file that carries requests in and results out (docs/offline-formats.md): one line of
 * printable ASCII, which fits into files, mails and QR codes:
 *
 *	TSBPKG1 <SHA-256 of content, hex> <signer, hex> <signature, base64> <content>
 *
 * The signature is over content, compact JSON; signer is the SHA-256 of the SubjectPublicKeyInfo.
 */
#ifndef TSB_WIRE_PACKAGE_H
#define TSB_WIRE_PACKAGE_H

#include "lib/crypto/private.h"
#include "lib/wire/offline.h"

#define PACKAGE_MARK      "TSBPKG1 "
#define PACKAGE_VERSION   1
#define PACKAGE_MAX       (64 * 1024 * 1024)
#define PACKAGE_ITEMS_MAX 10000
#define PACKAGE_NAME_MAX  255

enum wire_package_type { PACKAGE_REQUESTS, PACKAGE_RESULTS };

struct wire_package {
	enum wire_package_type type;
	struct tsb_uuid id;
	int64_t created_ms;
	const char *from_name, *to_name; /* for people; "" = none */
	unsigned char from[TSB_SHA256]; /* key of the site that made it */
	unsigned char to[TSB_SHA256]; /* key of the site it is for */
	struct tsb_view *items; /* compact texts of requests or results */
	size_t nitems;
};

/* A site whose packages are believed. */
struct wire_package_peer {
	struct tsb_view spki;
};
/* Whether text begins like a package. */
bool wire_is_package(struct tsb_view text);
/* Signs with key; from is filled from it. Appends one line without line feed. */
int wire_package_format(const struct wire_package *, const struct crypto_private *key,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Reads and checks, in this order: the form; the hash (TSB_E_PAYLOAD: changed or damaged); the
 * version; a signer among the peers (TSB_E_NOT_ALLOWED, with its fingerprint); its signature
 * (TSB_E_INVALID_SIGNATURE); the type; that it is for own, the SubjectPublicKeyInfo of this site's
 * key (TSB_E_NOT_ALLOWED, with the name of the site it is for). *peer (may be NULL) tells whose it
 * is.
 */
int wire_package_parse(struct tsb_view text, enum wire_package_type type, struct tsb_view own,
    const struct wire_package_peer *peers, size_t npeers, struct arena *a, struct wire_package *out,
    size_t *peer, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The header of a package, for those who only pass it on: checks form, hash, version and items, but
 * neither signer nor addressee.
 */
int wire_package_peek(struct tsb_view text, struct arena *a, struct wire_package *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
