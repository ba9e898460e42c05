/* A minimal FastCGI client, with all the ways to behave badly. */
#ifndef TESTS_UNIT_FCGI_CLIENT_H
#define TESTS_UNIT_FCGI_CLIENT_H

#include "lib/base/bytes.h"

/* Waits up to 3 s for a listener. */
int client_connect(const char *socket_path);
/* A whole request of so many zero bytes as body; flags 1 = keep the connection. */
void add_request(struct tsb_bytes *out, const char *method, const char *uri, size_t body,
    int flags);
bool send_bytes(int fd, const struct tsb_bytes *b);
/* All bytes of stdout; false when the connection ended before the request did. */
bool receive(int fd, struct tsb_bytes *out);
void pause_ms(long ms);

#endif
