/* Settings of tsb-hsm (tsb-hsm.conf(5)). They have a file of their own. */
#ifndef TSB_HSM_SETTINGS_H
#define TSB_HSM_SETTINGS_H

#include "lib/base/conf.h"
#include "lib/base/log.h"
#include "lib/web/web.h"

struct hsm_settings {
	char *listen, *socket_mode_text;
	long socket_mode; /* from the text, which is octal */
	long workers, request_max;
	char *temporary_directory; /* of encrypted files on their way */
	char *user; /* to become when started as root */
	char *log_file, *log_level;
	char *unknown_members; /* "refuse" or "ignore" */
	char *directory; /* of the key store */
	char *master_key_file, *passphrase; /* exactly one is set */
	bool create; /* make a missing store at start */
	char *attestation_key, *timestamp_key;
	char *rfc_timestamp_key, *rfc_timestamp_policy; /* key NULL = none are made */
	bool list_system_keys;
	long approver_rsa_bits, rsa_bits;
	struct web_auth_conf auth;
};

extern const struct conf_row settings_rows[];

/* Reads and checks the file; TSB_E_CONFIG_* with a message that names the setting. */
int settings_load(const char *path, struct hsm_settings *out, struct tsb_err *err) TSB_MUSTCHECK;
void settings_free(struct hsm_settings *);
enum log_level settings_log_level(const struct hsm_settings *);

#endif
