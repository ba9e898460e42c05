/* Connections, keys and caches of one process: every use case works with them. */
#ifndef TSB_FLOW_CONTEXT_H
#define TSB_FLOW_CONTEXT_H

#include "lib/conf/files.h"

struct flow_key_cache; /* keycache.h */
struct flow_rooms; /* rooms.h */

/* Made by flow_new() (flow.h). Rooms above read it too. */
struct flow {
	const struct broker_conf *conf;
	const struct flow_rooms *rooms;
	struct store *store;
	struct hsm *hsm;
	char *owner; /* names the process in claims and audit */
	struct broker_files files; /* keys and certificates that the settings name */
	int wake_fd;
	struct flow_key_cache *keys;
	bool air_gapped; /* the profile; then hsm is NULL */
};

#endif
