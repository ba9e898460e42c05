#include "lib/first.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/program.h"
#include "lib/base/str.h"
#include "lib/conf/settings.h"

#define AT(member) offsetof(struct broker_conf, member)

const char *const broker_conf_default_path = TSB_SYSCONFDIR "/tsb.conf";

const struct conf_row broker_conf_rows[] = {
    {"general", "profile", CONF_STR, AT(profile), "online", 0, 0,
	"online: an HSM is reachable; air-gapped: people carry requests to one that is not"},
    {"general", "maxTimestampDiffApprovalClient", CONF_INT, AT(max_timestamp_age), "600", 1, 86400,
	"seconds: oldest timestamp that an approver may sign"},
    {"general", "maxFutureTimestampDiffApprovalClient", CONF_INT, AT(max_timestamp_future), "5", 0,
	3600, "seconds: how far an approver's clock may run ahead"},
    {"general", "allowedTimestampSigningCertificates", CONF_LIST, AT(timestamp_signers), NULL, 0, 0,
	"PEM files of certificates that may list and delete tasks of others"},
    {"general", "allowedRequestCertificates", CONF_LIST, AT(request_signers), NULL, 0, 0,
	"PEM files of certificates; if set, who asks for the use of a key signs with the key of one"},
    {"general", "approverRsaBits", CONF_INT, AT(approver_rsa_bits), "2048", 1024, 8192,
	"fewest bits of RSA keys of approvers in new policies"},
    {"general", "fetchResultOnce", CONF_BOOL, AT(fetch_result_once), "false", 0, 0,
	"erase a result when it has been fetched"},
    {"general", "publicUrl", CONF_STR, AT(public_url), NULL, 0, 0,
	"address of this broker in QR codes of one-time codes; unset = the one that was called"},
    {"general", "unknownMembers", CONF_STR, AT(unknown_members), "refuse", 0, 0,
	"members of bodies that the API does not know: refuse or ignore"},
    {"general", "secretKeyFile", CONF_STR, AT(secret_key_file), NULL, 0, 0,
	"file with 64 hex digits: the key that seals key passwords and containers of approvers"},
    {"general", "retainFinishedRequests", CONF_INT, AT(retain_days), "0", 0, 36500,
	"days until finished requests are deleted; 0 = never"},

    {"airGapped", "siteName", CONF_STR, AT(site_name), "online site", 0, 0,
	"name of this site in packages, for people"},
    {"airGapped", "siteKeyFile", CONF_STR, AT(site_key_file), NULL, 0, 0,
	"PEM private key that signs packages"},
    {"airGapped", "offlineSiteKeyFile", CONF_LIST, AT(offline_site_keys), NULL, 0, 0,
	"PEM public keys of offline sites: packages are for the first, results are believed from all"},
    {"airGapped", "attestationKeyFile", CONF_LIST, AT(attestation_keys), NULL, 0, 0,
	"PEM public keys or certificates of HSMs whose signed key attributes are believed"},
    {"airGapped", "approverFile", CONF_LIST, AT(offline_approvers), NULL, 0, 0,
	"PEM public keys or certificates: who gets the tasks of keys without imported attributes"},

    {"database", "enabled", CONF_BOOL, AT(db_enabled), "true", 0, 0,
	"false: no requests are kept, synchronous calls only"},
    {"database", "host", CONF_LIST, AT(db_hosts), NULL, 0, 0,
	"name, name:port or /socket of a server; the next one when it is away; unset = socket"},
    {"database", "port", CONF_INT, AT(db_port), "3306", 1, 65535, "TCP port of hosts without one"},
    {"database", "socket", CONF_STR, AT(db_socket), "/run/mysqld/mysqld.sock", 0, 0,
	"unix socket of the database server"},
    {"database", "name", CONF_STR, AT(db_name), "tsb", 0, 0, "name of the database"},
    {"database", "tlsCaFile", CONF_STR, AT(db_tls_ca), NULL, 0, 0,
	"demand TLS with a certificate from this CA"},
    {"database", "timeout", CONF_INT, AT(db_timeout), "10", 1, 300,
	"seconds for connecting and for one statement"},
    {"database", "apiUser", CONF_STR, AT(api_user), "tsb_api", 0, 0, "login of tsb-fcgi"},
    {"database", "apiPassword", CONF_SECRET, AT(api_password), NULL, 0, 0,
	"its password; better apiPasswordFile"},
    {"database", "dispatcherUser", CONF_STR, AT(dispatcher_user), "tsb_dispatcher", 0, 0,
	"login of tsb-dispatcher"},
    {"database", "dispatcherPassword", CONF_SECRET, AT(dispatcher_password), NULL, 0, 0,
	"its password; better dispatcherPasswordFile"},
    {"database", "adminUser", CONF_STR, AT(admin_user), NULL, 0, 0,
	"login of tsb-admin, which makes and upgrades the schema"},
    {"database", "adminPassword", CONF_SECRET, AT(admin_password), NULL, 0, 0,
	"its password; better adminPasswordFile"},

    {"hsm", "url", CONF_STR, AT(hsm_url), NULL, 0, 0,
	"endpoints: https://host, http://host, unix:/path or fcgi:/path; comma = any, "
	"semicolon = in this order"},
    {"hsm", "apiKey", CONF_SECRET, AT(hsm_api_key), NULL, 0, 0,
	"API key for all roles at the HSM; better apiKeyFile"},
    {"hsm", "keyManagementToken", CONF_SECRET, AT(hsm_role_key[TSB_ROLE_KEY_MANAGEMENT]), NULL, 0,
	0, "API key for key management there, instead of apiKey"},
    {"hsm", "keyOperationToken", CONF_SECRET, AT(hsm_role_key[TSB_ROLE_KEY_OPERATION]), NULL, 0, 0,
	"API key for key operations there, instead of apiKey"},
    {"hsm", "serviceToken", CONF_SECRET, AT(hsm_role_key[TSB_ROLE_SERVICE]), NULL, 0, 0,
	"API key for service calls there, instead of apiKey"},
    {"hsm", "bearerToken", CONF_SECRET, AT(hsm_bearer), NULL, 0, 0,
	"token of a hosted service there, instead of API keys; better bearerTokenFile"},
    {"hsm", "backupKeyName", CONF_STR, AT(hsm_backup_key), "approver-mgmt-backup-key-rsa-wrapping",
	0, 0, "key there that backups of approvers are encrypted for; made when missing"},
    {"hsm", "caFile", CONF_STR, AT(hsm_ca), NULL, 0, 0,
	"CA of its certificate; unset = the system's"},
    {"hsm", "certificateFile", CONF_STR, AT(hsm_cert), NULL, 0, 0, "client certificate, PEM"},
    {"hsm", "keyFile", CONF_STR, AT(hsm_key), NULL, 0, 0, "key of the client certificate, PEM"},
    {"hsm", "timeout", CONF_INT, AT(hsm_timeout), "30", 1, 600, "seconds for one call"},
    {"hsm", "keyTimeout", CONF_INT, AT(hsm_key_timeout), "120", 1, 3600,
	"seconds for making a key, which may take long"},
    {"hsm", "connectTimeout", CONF_INT, AT(hsm_connect_timeout), "3", 1, 60,
	"seconds for connecting to one endpoint"},

    {"fcgi", "listen", CONF_STR, AT(listen), "unix:" TSB_RUNDIR "/fcgi.sock", 0, 0,
	"unix:/path or host:port of the FastCGI socket"},
    {"fcgi", "socketMode", CONF_STR, AT(socket_mode), "0660", 0, 0,
	"permissions of the unix socket, octal"},
    {"fcgi", "workers", CONF_INT, AT(workers), "0", 0, 1024,
	"processes; 0 = four per core, at least eight"},
    {"fcgi", "requestsPerWorker", CONF_INT, AT(requests_per_worker), "100000", 0, 100000000,
	"requests after which a worker is replaced; 0 = never"},

    {"dispatcher", "name", CONF_STR, AT(dispatcher_name), NULL, 0, 0,
	"name in claims and audit; unset = host name and process id"},
    {"dispatcher", "listen", CONF_STR, AT(wake_listen), TSB_RUNDIR "-dispatcher/dispatcher.sock", 0,
	0, "datagram socket on which this dispatcher is woken"},
    {"dispatcher", "wake", CONF_LIST, AT(wake), NULL, 0, 0,
	"sockets that tsb-fcgi wakes; unset = dispatcher.listen"},
    {"dispatcher", "inFlight", CONF_INT, AT(in_flight), "32", 1, 1024,
	"calls to the HSM at the same time"},
    {"dispatcher", "lease", CONF_INT, AT(lease), "60", 2, 3600,
	"seconds after which another dispatcher takes over; must exceed hsm.timeout"},
    {"dispatcher", "pollInterval", CONF_INT, AT(poll_interval), "5000", 100, 3600000,
	"milliseconds between searches for due requests, in addition to being woken"},
    {"dispatcher", "cleanupInterval", CONF_INT, AT(cleanup_interval), "30000", 100, 3600000,
	"milliseconds between searches for overdue and for old finished requests"},
    {"dispatcher", "pauseMax", CONF_INT, AT(pause_max), "10", 1, 600,
	"seconds: longest pause between attempts while HSM or database are away"},

    {"automatedApproval", "service", CONF_LIST, AT(automated_services), NULL, 0, 0,
	"address of an execution service, and the PEM file of the approver in whose name it approves"},
    {"automatedApproval", "caFile", CONF_STR, AT(automated_ca), NULL, 0, 0,
	"CAs of their certificates; unset = the system's"},
    {"automatedApproval", "certificateFile", CONF_STR, AT(automated_cert), NULL, 0, 0,
	"client certificate, PEM"},
    {"automatedApproval", "keyFile", CONF_STR, AT(automated_key), NULL, 0, 0,
	"key of the client certificate, PEM"},
    {"automatedApproval", "timeout", CONF_INT, AT(automated_timeout), "30", 1, 600,
	"seconds that a service may take for a task"},
    {"automatedApproval", "inFlight", CONF_INT, AT(automated_in_flight), "8", 1, 64,
	"calls to one service at the same time"},
    {"automatedApproval", "pollInterval", CONF_INT, AT(automated_poll_interval), "1000", 100,
	3600000, "milliseconds between searches for tasks of these approvers"},
    {"automatedApproval", "retryMax", CONF_INT, AT(automated_retry_max), "600", 1, 86400,
	"seconds: longest pause before a service is asked again about what it did not approve"},

    {"log", "level", CONF_STR, AT(log_level), "info", 0, 0, "error, warn, info or debug"},
    {"log", "file", CONF_STR, AT(log_file), NULL, 0, 0, "file to append to; unset = stderr"},

    WEB_AUTH_ROWS(struct broker_conf, auth),
    {NULL, NULL, CONF_STR, 0, NULL, 0, 0, NULL},
};

bool
broker_air_gapped(const struct broker_conf *c)
{
	return tsb_streq(c->profile, "air-gapped");
}

void
broker_warn_pins(const struct broker_conf *c)
{
	const struct {
		bool missing;
		const char *text;
	} pins[] = {
	    {c->site_key_file == NULL,
		"airGapped.siteKeyFile is not set: requests leave as JSON and QR codes, not as packages"},
	    {c->offline_site_keys.n == 0,
		"airGapped.offlineSiteKeyFile is not set: packages are neither made nor read, and "
		"results of decrypt and unwrap, as well as failures, are believed unsigned"},
	    {c->attestation_keys.n == 0,
		"airGapped.attestationKeyFile is not set: key attributes cannot be imported, and "
		"results of block, unblock and modify are believed without proof"},
	    {c->attestation_keys.n == 0 && c->offline_approvers.n == 0,
		"airGapped.approverFile is not set either: no key is known, every request is refused"},
	};

	for (size_t i = 0; broker_air_gapped(c) && i < TSB_COUNT(pins); i++)
		if (pins[i].missing)
			log_warn("%s", pins[i].text);
}

static bool
octal_mode(const char *text, long *mode)
{
	char *end;

	*mode = strtol(text, &end, 8);
	return *text != '\0' && *end == '\0' && *mode > 0 && *mode <= 0777;
}

static bool
has_api_key(const struct broker_conf *c)
{
	bool has = c->hsm_api_key != NULL;

	for (int role = 0; role < TSB_ROLE__MAX; role++)
		has |= c->hsm_role_key[role] != NULL;
	return has;
}

/* With a name of an approver it fits a QR code. */
#define PUBLIC_URL_MAX 1024

static bool
public_url_valid(const char *url)
{
	return (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
	    strlen(url) <= PUBLIC_URL_MAX && tsb_label_valid(tsb_view_str(url));
}

static int
automated_check(const struct broker_conf *c, struct tsb_err *err)
{
	if (c->automated_services.n > 0 && broker_air_gapped(c))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "automatedApproval.service is set, but with general.profile = air-gapped people approve");
	if ((c->automated_cert == NULL) != (c->automated_key == NULL))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "automatedApproval.certificateFile and automatedApproval.keyFile come together");
	return 0;
}

static int
check(const struct broker_conf *c, struct tsb_err *err)
{
	enum log_level level;
	long mode;

	if (!tsb_streq(c->profile, "online") && !broker_air_gapped(c))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.profile must be online or air-gapped");
	if (broker_air_gapped(c) && c->hsm_url != NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "hsm.url is set, but general.profile = air-gapped has no HSM");
	if (broker_air_gapped(c) && !c->db_enabled)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "database.enabled = false, but general.profile = air-gapped keeps its requests there");
	if (!broker_air_gapped(c) && c->hsm_url == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT, "hsm.url is missing");
	if (c->lease <= c->hsm_timeout)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "dispatcher.lease (%ld s) must exceed hsm.timeout (%ld s)", c->lease,
		    c->hsm_timeout);
	if (c->public_url != NULL && !public_url_valid(c->public_url))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.publicUrl must begin with https:// or http:// and have at most %d bytes",
		    PUBLIC_URL_MAX);
	if (!tsb_streq(c->unknown_members, "refuse") && !tsb_streq(c->unknown_members, "ignore"))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.unknownMembers must be refuse or ignore");
	if (c->hsm_bearer != NULL && has_api_key(c))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "hsm.bearerToken stands in the place of API keys of the HSM: set one of them");
	if ((c->hsm_cert == NULL) != (c->hsm_key == NULL))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "hsm.certificateFile and hsm.keyFile come together");
	if (!log_level_parse(c->log_level, &level))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "log.level must be error, warn, info or debug");
	if (!octal_mode(c->socket_mode, &mode))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "fcgi.socketMode must be an octal mode such as 0660");
	if (store_hosts_check(&c->db_hosts, err))
		return -1;
	return automated_check(c, err);
}

/* What only the others' users may read. */
static const char *const *
foreign_secrets(enum store_login login)
{
	static const char *const of_api[] = {"database.dispatcherPassword",
	    "database.adminPassword", NULL};
	static const char *const of_dispatcher[] = {"database.apiPassword",
	    "database.adminPassword", NULL};
	static const char *const of_admin[] = {"database.apiPassword",
	    "database.dispatcherPassword", NULL};

	switch (login) {
	case LOGIN_API:
		return of_api;
	case LOGIN_DISPATCHER:
		return of_dispatcher;
	case LOGIN_ADMIN:
		return of_admin;
	}
	return NULL;
}

int
broker_conf_load(const char *path, struct broker_conf *conf, struct tsb_err *err)
{
	*conf = (struct broker_conf){.login = conf->login};
	if (conf_load(broker_conf_rows, foreign_secrets(conf->login), path, conf, err) ||
	    check(conf, err)) {
		conf_free(broker_conf_rows, conf);
		return -1;
	}
	return 0;
}

static int
load(const char *path, void *settings, struct tsb_err *err)
{
	return broker_conf_load(path, settings, err);
}

int
broker_start(const char *name, const char *about, int (*try_out)(void *, struct tsb_err *),
    int argc, char **argv, void (*advise)(const void *conf), struct broker_conf *conf)
{
	const struct program program = {
	    .name = name,
	    .about = about,
	    .settings_path = broker_conf_default_path,
	    .rows = broker_conf_rows,
	    .load = load,
	    .settings = conf,
	    .check = try_out,
	    .advise = advise,
	};
	struct tsb_err err = {0};
	int status = program_options(&program, argc, argv);

	if (status >= 0) {
		broker_conf_free(conf);
		return status;
	}
	program_protect_memory();
	if (log_open(name, conf->log_file, broker_log_level(conf), &err) == 0)
		return -1;
	fprintf(stderr, "%s: %s\n", name, err.msg);
	broker_conf_free(conf);
	return 1;
}

void
broker_conf_free(struct broker_conf *conf)
{
	conf_free(broker_conf_rows, conf);
}

struct store_conf
broker_store_conf(const struct broker_conf *c, enum store_login login)
{
	struct store_conf s = {
	    .disabled = !c->db_enabled,
	    .hosts = c->db_hosts,
	    .socket = c->db_socket,
	    .port = c->db_port,
	    .name = c->db_name,
	    .tls_ca = c->db_tls_ca,
	    .timeout = c->db_timeout,
	};

	switch (login) {
	case LOGIN_API:
		s.user = c->api_user;
		s.password = c->api_password;
		break;
	case LOGIN_DISPATCHER:
		s.user = c->dispatcher_user;
		s.password = c->dispatcher_password;
		break;
	case LOGIN_ADMIN:
		s.user = c->admin_user;
		s.password = c->admin_password;
		break;
	}
	return s;
}

struct hsm_conf
broker_hsm_conf(const struct broker_conf *c)
{
	struct hsm_conf h = {
	    .url = c->hsm_url,
	    .ca_file = c->hsm_ca,
	    .cert_file = c->hsm_cert,
	    .key_file = c->hsm_key,
	    .timeout = c->hsm_timeout,
	    .key_timeout = c->hsm_key_timeout,
	    .bearer = c->hsm_bearer,
	    .connect_timeout = c->hsm_connect_timeout,
	};

	for (int role = 0; role < TSB_ROLE__MAX; role++)
		h.api_key[role] =
		    c->hsm_role_key[role] != NULL ? c->hsm_role_key[role] : c->hsm_api_key;
	return h;
}

enum log_level
broker_log_level(const struct broker_conf *c)
{
	enum log_level level = LOG_INFO;

	log_level_parse(c->log_level, &level);
	return level;
}

long
broker_socket_mode(const struct broker_conf *c)
{
	long mode = 0660;

	octal_mode(c->socket_mode, &mode);
	return mode;
}
