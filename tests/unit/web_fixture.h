/* The web layer with memory instead of sockets, and handlers that tell what they were given. */
#ifndef TESTS_UNIT_WEB_FIXTURE_H
#define TESTS_UNIT_WEB_FIXTURE_H

#include "lib/web/internal.h"

#define KO     ROLE_KEY_OPERATION
#define KM     ROLE_KEY_MANAGEMENT
#define KO_KEY "HTTP_X_API_KEY=operate-1"
#define KM_KEY "HTTP_X_API_KEY=manage"

/* A self-signed certificate; its fingerprint stands in web_setup(). */
#define CERT_BASE64                                                                                \
	"MIIBeDCCAR+gAwIBAgIUdT/q0GdWwkAXhukg8B67vd3xtFgwCgYIKoZIzj0EAwIwETEPMA0GA1UE"             \
	"AwwGY2xpZW50MCAXDTI2MTEyMjAzNTUwNFoYDzIxMjYxMDI5MDM1NTA0WjARMQ8wDQYDVQQDDAZj"             \
	"bGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQixKJCQGfhLpWvtDYd/gqliSBSIen/Tthb"             \
	"1TztloooZ10/LeTXn9TMSli9AqpaS1xRvW6zwpcqFrKwss756RqNo1MwUTAdBgNVHQ4EFgQU6GDr"             \
	"jRt87v+DIELkKIbQIx7RbGMwHwYDVR0jBBgwFoAU6GDrjRt87v+DIELkKIbQIx7RbGMwDwYDVR0T"             \
	"AQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAMUcmN4q0Msw+pKlkfu7hBlEuFWsXjAcQeUVlz"             \
	"iPmvYAIgVr7iMrasAzDKopBWc+J1kAeBfLhA+7lREfXMqbhoDvs%3D"
#define CERT_LINES                                                                                 \
	"-----BEGIN CERTIFICATE-----\n"                                                            \
	"MIIBeDCCAR+gAwIBAgIUdT/q0GdWwkAXhukg8B67vd3xtFgwCgYIKoZIzj0EAwIw\n"                       \
	"ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyMjAzNTUwNFoYDzIxMjYxMDI5MDM1\n"                       \
	"NTA0WjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"                       \
	"AAQixKJCQGfhLpWvtDYd/gqliSBSIen/Tthb1TztloooZ10/LeTXn9TMSli9Aqpa\n"                       \
	"S1xRvW6zwpcqFrKwss756RqNo1MwUTAdBgNVHQ4EFgQU6GDrjRt87v+DIELkKIbQ\n"                       \
	"Ix7RbGMwHwYDVR0jBBgwFoAU6GDrjRt87v+DIELkKIbQIx7RbGMwDwYDVR0TAQH/\n"                       \
	"BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAMUcmN4q0Msw+pKlkfu7hBlEuFWsXj\n"                       \
	"AcQeUVlziPmvYAIgVr7iMrasAzDKopBWc+J1kAeBfLhA+7lREfXMqbhoDvs=\n"                           \
	"-----END CERTIFICATE-----\n"
#define CERT_FINGERPRINT "sha256:8d9be2a1efd0336f30a181b43c398a0fd0b4b6dfe73e8e715ced6ece0bc32a80"

/* The peer: what it sends, how, and what it got. */
struct memory {
	const char *in;
	size_t in_n, in_at;
	size_t chunk; /* bytes per read, 0 = all */
	bool in_breaks; /* the peer goes away instead of ending */
	bool out_breaks;
	struct tsb_bytes out;
};

extern struct memory peer;
extern int answer_rc; /* of web_exchange() */
extern struct web_server server;
extern struct web_auth *auth;

int web_setup(void **state);
int web_teardown(void **state);
/* A handler: "arg|param|...|body". */
web_serve_fn serve_echo;
/* Status of the answer to a request of these variables; the body is set in peer. */
int ask_env(const char *const *env);
/* The same with extra variables, which end with NULL. body NULL = none, no CONTENT_LENGTH. */
int ask(const char *method, const char *uri, const char *body, ...);
const char *answer_body(void);
bool answer_has(const char *text);

#endif
