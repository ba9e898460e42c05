/*
 * The offline room: a folder beside an HSM without a network. It has the key that signs the
 * results, the public keys of the online sites that are believed, and what has been executed.
 *
 *	site.key	private key, for nobody else to read
 *	site.pub	its public half, for the online sites
 *	name		what the room is called, one line
 *	peers/NAME.pub	online sites
 *	done/		what was executed (journal.h)
 */
#ifndef TSB_CLI_OFFLINE_ROOM_H
#define TSB_CLI_OFFLINE_ROOM_H

#include "lib/wire/package.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

struct room_peer {
	const char *name;
	struct tsb_view spki;
};

struct room {
	const char *dir, *name;
	struct crypto_private *key;
	struct room_peer *peers; /* in the order of their names */
	size_t npeers;
	int lock; /* of those who execute; 0 = not held */
};
#define room_auto struct room __attribute__((cleanup(room_clear)))

/* --room, $TSB_OFFLINE_ROOM or ~/.tsb-offline. */
int room_open(struct cli *, struct room *out) TSB_MUSTCHECK;
/* Keeps others from executing in this room until room_clear(). */
int room_lock(struct room *, struct tsb_err *err) TSB_MUSTCHECK;
void room_clear(struct room *);
const char *room_file(struct arena *, const struct room *, const char *name);
/* What package readers want to know about the peers. */
struct wire_package_peer *room_package_peers(const struct room *, struct arena *);
/* The name of the peer with this key, NULL = none. */
const char *room_peer_name(const struct room *, struct tsb_view spki);

/* A digest for people: hex, and words to be read aloud. name: "fingerprint", "digest". */
void room_show_digest(struct doc *, const char *name, const unsigned char digest[TSB_SHA256]);
void room_show_fingerprint(struct doc *, struct tsb_view spki);

#endif
