/* tsb.conf: the settings of tsb-fcgi, tsb-dispatcher and tsb-admin (man page tsb.conf(5)). */
#ifndef TSB_CONF_SETTINGS_H
#define TSB_CONF_SETTINGS_H

#include "lib/base/conf.h"
#include "lib/base/log.h"
#include "lib/hsm/hsm.h"
#include "lib/store/store.h"
#include "lib/web/web.h"

struct broker_conf {
	enum store_login login; /* set before loading: the other logins' passwords are not read */
	/* [general] */
	char *profile;
	long max_timestamp_age, max_timestamp_future; /* seconds */
	struct conf_list timestamp_signers; /* certificate files */
	struct conf_list request_signers; /* certificate files */
	long approver_rsa_bits;
	bool fetch_result_once;
	char *public_url; /* of the broker, as approvers reach it; NULL = as the caller did */
	char *unknown_members; /* "refuse" or "ignore" */
	char *secret_key_file;
	long retain_days;
	/* [airGapped] */
	char *site_name, *site_key_file;
	struct conf_list offline_site_keys, attestation_keys, offline_approvers; /* PEM files */
	/* [database] */
	bool db_enabled;
	struct conf_list db_hosts;
	char *db_socket, *db_name, *db_tls_ca;
	long db_port, db_timeout;
	char *api_user, *api_password, *dispatcher_user, *dispatcher_password, *admin_user,
	    *admin_password;
	/* [hsm] */
	char *hsm_backup_key;
	char *hsm_url, *hsm_api_key, *hsm_role_key[TSB_ROLE__MAX], *hsm_bearer;
	char *hsm_ca, *hsm_cert, *hsm_key;
	long hsm_timeout, hsm_key_timeout, hsm_connect_timeout;
	/* [fcgi] */
	char *listen;
	char *socket_mode;
	long workers, requests_per_worker;
	/* [dispatcher] */
	char *dispatcher_name;
	char *wake_listen; /* socket that this dispatcher listens on */
	struct conf_list wake; /* sockets that tsb-fcgi wakes */
	long in_flight, lease, poll_interval, cleanup_interval, pause_max; /* s; intervals in ms */
	/* [automatedApproval] */
	struct conf_list automated_services; /* "ADDRESS FILE" */
	char *automated_ca, *automated_cert, *automated_key;
	long automated_timeout, automated_in_flight,
	    automated_retry_max; /* seconds, number, seconds */
	long automated_poll_interval; /* ms */
	/* [log] */
	char *log_level, *log_file;
	/* [apiAuthentication] */
	struct web_auth_conf auth;
};

bool broker_air_gapped(const struct broker_conf *conf);
/* Logs what an air-gapped site refuses or takes on trust because a key is not pinned. */
void broker_warn_pins(const struct broker_conf *conf);

extern const struct conf_row broker_conf_rows[];
extern const char *const broker_conf_default_path; /* TSB_SYSCONFDIR/tsb.conf */

/*
 * Reads and checks the settings for the program of conf->login; names the first that is wrong.
 * Freed with broker_conf_free().
 */
int broker_conf_load(const char *path, struct broker_conf *conf, struct tsb_err *err) TSB_MUSTCHECK;
void broker_conf_free(struct broker_conf *conf);

/*
 * The first step of a broker's program: options, settings, protected memory, log. Returns -1 to go
 * on, or the status to exit with. check gets the settings when -n asks what starting would refuse;
 * advise gets conf with -n, and may be NULL (lib/base/program.h).
 */
int broker_start(const char *name, const char *about, int (*check)(void *conf, struct tsb_err *),
    int argc, char **argv, void (*advise)(const void *conf), struct broker_conf *conf);

/* Views of the settings, valid as long as conf. */
struct store_conf broker_store_conf(const struct broker_conf *conf, enum store_login login);
struct hsm_conf broker_hsm_conf(const struct broker_conf *conf);
enum log_level broker_log_level(const struct broker_conf *conf);
/* Permission bits of the FastCGI socket. */
long broker_socket_mode(const struct broker_conf *conf);

#endif
