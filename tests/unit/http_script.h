/* Small HTTP and FastCGI servers on local sockets, each a process that plays a script. */
#ifndef TESTS_UNIT_HTTP_SCRIPT_H
#define TESTS_UNIT_HTTP_SCRIPT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * One letter a request, the last one again and again.
 * a: 200 with what was asked      d: drops the connection after the request    h: never answers
 * t: drops in the middle          l: an answer that is too long                2 3 4: 502 503 504
 * 5: 500 with a body              r: redirects                                 s: 200 after 200 ms
 * o: 503 of a program that has an outage                                       =: what
 * server_answering() was given
 */
struct server {
	pid_t pid;
	char url[128];
	volatile int *requests; /* shared with the process */
};

/* script NULL: nobody listens there. */
struct server *server_start(const char *script, bool is_unix);
/* The same by FastCGI: a shows parameters as lines, and every answer ends the connection. */
struct server *server_start_fcgi(const char *script);
/* On a unix socket; the same to every request: "<status> <body>". */
struct server *server_answering(const char *reply);
void servers_stop(void);
int servers_setup(void **state);
int servers_teardown(void **state);

#endif
