/* The home of libcurl's options: what may be spoken, to whom, how much, how long. */
#include "lib/first.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/http/transfer.h"

/* A kept connection older than this may be closed at the other end while we write into it. */
#define IDLE_MAX_S 30L

static void
global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("libcurl does not start");
}

static void
set_ok(CURLcode rc, const char *what)
{
	if (rc != CURLE_OK)
		fatal("libcurl: %s: %s", what, curl_easy_strerror(rc));
}

/* A setting that does not take hold would weaken the connection silently. */
#define SET(easy, option, value) set_ok(curl_easy_setopt((easy), (option), (value)), #option)

static bool
succeeds(struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

static bool
begin(struct transfer *t)
{
	curl_off_t size = -1;

	if (t->begun)
		return true;
	t->begun = true;
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
	return t->stream->begin(t->stream->ctx, (int64_t)size) == 0;
}

static size_t
on_reply(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	if (t->stream != NULL && succeeds(t)) {
		t->broken_off = !begin(t) || t->stream->write(t->stream->ctx, p, n * size) != 0;
		return t->broken_off ? 0 : n * size;
	}
	if (n > t->reply_max / size || t->reply.n > t->reply_max - n * size) {
		t->too_long = true;
		return 0;
	}
	tsb_bytes_add(&t->reply, p, n * size);
	return n * size;
}

/*
 * Runs when a connection stands and the request is about to be sent; what fails before never left.
 * libcurl itself repeats a request, POST too, when a kept connection breaks before the first byte
 * of the answer. The server may have executed it by then: only what is repeatable goes out twice.
 */
static int
on_send(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
	struct transfer *t = ctx;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	t->broken = t->sent && !t->repeatable;
	t->too_late = t->not_after_ms != 0 && clock_now_ms() >= t->not_after_ms;
	if (t->broken || t->too_late)
		return CURL_PREREQFUNC_ABORT;
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	ssize_t got = t->stream->read(t->stream->ctx, p, n * size);

	t->broken_off = got < 0;
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static void
set_limits(struct transfer *t, const struct rest_options *o)
{
	SET(t->easy, CURLOPT_NOSIGNAL, 1L);
	SET(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* One request per connection at a time, so that on_send() sees each. */
	SET(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(t->easy, CURLOPT_CONNECTTIMEOUT_MS, o->connect_timeout_ms);
	SET(t->easy, CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
	SET(t->easy, CURLOPT_USERAGENT, "tsb/" TSB_VERSION);
	SET(t->easy, CURLOPT_ERRORBUFFER, t->text);
	SET(t->easy, CURLOPT_WRITEFUNCTION, on_reply);
	SET(t->easy, CURLOPT_WRITEDATA, t);
	SET(t->easy, CURLOPT_PREREQFUNCTION, on_send);
	SET(t->easy, CURLOPT_PREREQDATA, t);
	if (!o->use_proxy)
		SET(t->easy, CURLOPT_PROXY, "");
}

static void
set_tls(struct transfer *t, const struct rest_options *o)
{
	SET(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca_file != NULL) {
		SET(t->easy, CURLOPT_CAINFO, o->ca_file);
		SET(t->easy, CURLOPT_CAPATH, NULL);
	}
	if (o->cert_file != NULL)
		SET(t->easy, CURLOPT_SSLCERT, o->cert_file);
	if (o->key_file != NULL)
		SET(t->easy, CURLOPT_SSLKEY, o->key_file);
}

void
transfer_init(struct transfer *t, const struct rest_options *o)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, global_init);
	*t = (struct transfer){.easy = curl_easy_init(),
	    .reply_max = o->reply_max,
	    .timeout_ms = o->timeout_ms};
	if (t->easy == NULL)
		fatal("libcurl: no handle");
	set_limits(t, o);
	set_tls(t, o);
}

static void
headers_clear(struct transfer *t)
{
	for (struct curl_slist *h = t->headers; h != NULL; h = h->next)
		tsb_wipe(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	t->headers = NULL;
}

void
transfer_clear(struct transfer *t)
{
	if (t->easy != NULL)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	headers_clear(t);
	tsb_bytes_clear(&t->reply);
}

static void
header_add(struct transfer *t, const char *name, const char *value)
{
	struct tsb_bytes line = {0};
	struct curl_slist *list;

	/* A line break in a value would be another header of our caller's choice. */
	if (strpbrk(value, "\r\n") != NULL)
		fatal("libcurl: line break in the header %s", name);
	tsb_bytes_addf(&line, "%s: %s", name, value);
	list = curl_slist_append(t->headers, tsb_bytes_cstr(&line));
	tsb_bytes_clear(&line);
	if (list == NULL)
		fatal("out of memory");
	t->headers = list;
}

static void
bearer_add(struct transfer *t, const char *token)
{
	tsb_bytes_auto value = {0};

	tsb_bytes_addf(&value, "Bearer %s", token);
	header_add(t, "Authorization", tsb_bytes_cstr(&value));
}

static void
set_method(struct transfer *t, const struct rest_call *call)
{
	bool has_body = call->body.n > 0 || tsb_streq(call->method, "POST");

	SET(t->easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (call->stream != NULL) {
		SET(t->easy, CURLOPT_POST, 1L);
		SET(t->easy, CURLOPT_POSTFIELDS, NULL);
		SET(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
		SET(t->easy, CURLOPT_READFUNCTION, on_body);
		SET(t->easy, CURLOPT_READDATA, t);
	} else if (has_body) {
		SET(t->easy, CURLOPT_POST, 1L);
		SET(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		SET(t->easy, CURLOPT_POSTFIELDS,
		    call->body.n > 0 ? (const char *)call->body.p : "");
	} else {
		SET(t->easy, CURLOPT_HTTPGET, 1L);
	}
	SET(t->easy, CURLOPT_CUSTOMREQUEST, call->method);
}

/* A stream may take any time, as long as bytes pass. */
static void
set_time(struct transfer *t, long ms)
{
	bool streams = t->stream != NULL;

	SET(t->easy, CURLOPT_TIMEOUT_MS, streams ? 0L : ms);
	SET(t->easy, CURLOPT_LOW_SPEED_LIMIT, streams ? 1L : 0L);
	SET(t->easy, CURLOPT_LOW_SPEED_TIME, streams ? (ms + 999) / 1000 : 0L);
}

void
transfer_start(struct transfer *t, const struct rest_call *call)
{
	struct tsb_bytes url = {0};

	t->sent = t->too_long = t->too_late = t->broken = false;
	t->not_after_ms = call->not_after_ms;
	t->repeatable = call->repeatable;
	t->stream = call->stream;
	t->begun = t->broken_off = false;
	t->text[0] = '\0';
	tsb_bytes_reset(&t->reply);
	headers_clear(t);
	header_add(t, "Accept", call->accept != NULL ? call->accept : "application/json");
	if (call->stream != NULL)
		header_add(t, "Transfer-Encoding", "chunked");
	if (call->body.n > 0 || call->stream != NULL)
		header_add(t, "Content-Type",
		    call->content_type != NULL ? call->content_type : "application/json");
	if (call->apikey != NULL)
		header_add(t, "X-API-KEY", call->apikey);
	if (call->bearer != NULL)
		bearer_add(t, call->bearer);
	set_time(t, call->timeout_ms != 0 ? call->timeout_ms : t->timeout_ms);
	/* No pause for a 100 Continue that many servers never send. */
	t->headers = curl_slist_append(t->headers, "Expect:");
	SET(t->easy, CURLOPT_HTTPHEADER, t->headers);
	tsb_bytes_addf(&url, "%s%s", call->to->base, call->path);
	SET(t->easy, CURLOPT_URL, tsb_bytes_cstr(&url));
	tsb_bytes_clear(&url);
	SET(t->easy, CURLOPT_PATH_AS_IS, 1L);
	SET(t->easy, CURLOPT_UNIX_SOCKET_PATH, call->to->unix_path);
	set_method(t, call);
}

static void
take_reply(struct transfer *t, struct rest_reply *reply)
{
	struct curl_header *warning, *retry;
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	*reply = (struct rest_reply){.status = (int)status, .body = t->reply};
	snprintf(reply->content_type, sizeof(reply->content_type), "%s", type != NULL ? type : "");
	if (curl_easy_header(t->easy, "X-TSB-Warning", 0, CURLH_HEADER, -1, &warning) == CURLHE_OK)
		snprintf(reply->warning, sizeof(reply->warning), "%s", warning->value);
	reply->retry =
	    curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry) == CURLHE_OK;
	t->reply = (struct tsb_bytes){0};
}

/*
 * libcurl hands on OpenSSL's X509_V_ERR_..., whose header is at home in lib/crypto. A wrong name it
 * finds itself and leaves its first value, UNSPECIFIED.
 */
#define VERIFY_UNSPECIFIED   1
#define VERIFY_NOT_YET_VALID 9
#define VERIFY_HAS_EXPIRED   10

static enum rest_tls
tls_fault(struct transfer *t, CURLcode rc)
{
	long verified = 0;

	if (rc == CURLE_SSL_CERTPROBLEM || rc == CURLE_SSL_CACERT_BADFILE)
		return REST_TLS_FILE;
	if (rc == CURLE_SSL_CONNECT_ERROR)
		return REST_TLS_NONE;
	if (rc != CURLE_PEER_FAILED_VERIFICATION)
		return REST_TLS_FINE;
	(void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	return verified <= VERIFY_UNSPECIFIED  ? REST_TLS_NAME
	    : verified == VERIFY_HAS_EXPIRED   ? REST_TLS_EXPIRED
	    : verified == VERIFY_NOT_YET_VALID ? REST_TLS_TOO_EARLY
					       : REST_TLS_UNTRUSTED;
}

enum rest_outcome
transfer_end(struct transfer *t, CURLcode rc, struct rest_reply *reply, char why[REST_WHY_SIZE])
{
	headers_clear(t);
	SET(t->easy, CURLOPT_HTTPHEADER, NULL);
	/* an empty answer begins at its end */
	if (rc == CURLE_OK && t->stream != NULL && succeeds(t) && !begin(t)) {
		t->broken_off = true;
		rc = CURLE_WRITE_ERROR;
	}
	if (rc == CURLE_OK) {
		take_reply(t, reply);
		return REST_ANSWERED;
	}
	t->tls = tls_fault(t, rc);
	snprintf(why, REST_WHY_SIZE, "%s",
	    t->too_long         ? "the answer is too long"
		: t->broken_off ? "a stream broke off on this side"
		: t->broken     ? "the connection broke before the answer"
		: t->too_late   ? "the time to send this is over"
		: t->text[0]    ? t->text
				: curl_easy_strerror(rc));
	tsb_bytes_reset(&t->reply);
	return t->too_long || t->broken_off ? REST_GIVEN_UP
	    : t->sent                       ? REST_UNKNOWN
					    : REST_NOT_SENT;
}
