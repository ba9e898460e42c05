/* Servers of one database: where they are, and which of them the connection goes to. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/store/internal.h"

/* While another server serves, the first one is tried again after this, and later each time. */
#define HOME_MS     (10 * 1000)
#define HOME_MAX_MS (5 * 60 * 1000)

/* ---- settings ---- */

static int
host_fail(const char *text, const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "database.host = %s: %s", text, why);
}

static int
port_parse(const char *text, const char *digits, unsigned *port, struct tsb_err *err)
{
	char *end;
	long n = strtol(digits, &end, 10);

	if (*digits < '0' || *digits > '9' || *end != '\0' || n < 1 || n > 65535)
		return host_fail(text, "the port is no number from 1 to 65535", err);
	*port = (unsigned)n;
	return 0;
}

/* "name", "name:port", "[v6 address]" or "[v6 address]:port". */
static int
address_parse(const char *text, struct db_host *h, struct tsb_err *err)
{
	const char *name = text, *end = text + strcspn(text, ":"), *behind = end;

	if (*text == '[') {
		name = text + 1;
		end = strchr(text, ']');
		if (end == NULL)
			return host_fail(text, "] is missing", err);
		behind = end + 1;
	}
	if (end == name)
		return host_fail(text, "the name is missing", err);
	if (strchr(text, ',') != NULL || strchr(text, ';') != NULL || strchr(text, ' ') != NULL)
		return host_fail(text, "one host a line, repeat the setting for others", err);
	if (*behind != ':' && *behind != '\0')
		return host_fail(text, "behind ] there may be a colon and the port only", err);
	if (*text != '[' && *behind == ':' && strchr(behind + 1, ':') != NULL)
		return host_fail(text, "an IPv6 address needs brackets: [::1]:3306", err);
	if (*behind == ':' && port_parse(text, behind + 1, &h->port, err))
		return -1;
	h->name = tsb_strndup(name, (size_t)(end - name));
	return 0;
}

static int
host_parse(const char *text, unsigned port, struct db_host *h, struct tsb_err *err)
{
	*h = (struct db_host){.port = port};
	if (*text != '/')
		return address_parse(text, h, err);
	h->socket = tsb_strdup(text);
	return 0;
}

static void
host_clear(struct db_host *h)
{
	free(h->name);
	free(h->socket);
	*h = (struct db_host){0};
}

int
store_hosts_check(const struct conf_list *hosts, struct tsb_err *err)
{
	struct db_host h;

	if (hosts->n > STORE_HOSTS)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "database.host: at most %d hosts",
		    STORE_HOSTS);
	for (size_t i = 0; i < hosts->n; i++) {
		if (host_parse(hosts->v[i], 1, &h, err))
			return -1;
		host_clear(&h);
	}
	return 0;
}

void
hosts_init(struct db_hosts *hosts, const struct store_conf *conf)
{
	struct tsb_err err;

	*hosts = (struct db_hosts){0};
	for (; hosts->n < conf->hosts.n; hosts->n++)
		if (hosts->n == STORE_HOSTS ||
		    host_parse(conf->hosts.v[hosts->n], (unsigned)conf->port, &hosts->v[hosts->n],
			&err))
			fatal("hosts of the database that nobody has checked");
	if (hosts->n > 0)
		return;
	hosts->n = 1;
	if (conf->socket != NULL && *conf->socket != '\0')
		hosts->v[0].socket = tsb_strdup(conf->socket);
}

void
hosts_clear(struct db_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		host_clear(&hosts->v[i]);
	*hosts = (struct db_hosts){0};
}

/* ---- which one ---- */

void
hosts_next(struct db_hosts *hosts)
{
	hosts->at = (hosts->at + 1) % hosts->n;
}

void
hosts_connected(struct db_hosts *hosts)
{
	if (hosts->at == 0) {
		hosts->home_pause = 0;
		return;
	}
	hosts->home_pause = hosts->home_pause == 0 ? HOME_MS : hosts->home_pause * 2;
	if (hosts->home_pause > HOME_MAX_MS)
		hosts->home_pause = HOME_MAX_MS;
	hosts->home_at = clock_monotonic_ms() + hosts->home_pause;
}

bool
hosts_home_due(const struct db_hosts *hosts)
{
	return hosts->at != 0 && clock_monotonic_ms() >= hosts->home_at;
}

const char *
host_name(const struct db_host *h)
{
	return h->name != NULL ? h->name : h->socket != NULL ? h->socket : "localhost";
}
