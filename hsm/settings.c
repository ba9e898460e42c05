#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/ska/token.h"

#include "hsm/key/rfctimestamp.h"
#include "hsm/settings.h"

/* clang-format off */
#define ROW(section, name, type, field, dflt, min, max, help) \
	{ section, name, type, offsetof(struct hsm_settings, field), dflt, min, max, help }
/* clang-format on */

const struct conf_row settings_rows[] = {ROW("server", "listen", CONF_STR, listen,
					     "unix:/run/tsb-hsm/tsb-hsm.sock", 0, 0,
					     "FastCGI socket: unix:/path or host:port"),
    ROW("server", "socketMode", CONF_STR, socket_mode_text, "0660", 0, 0,
	"permissions of the unix socket, octal"),
    ROW("server", "workers", CONF_INT, workers, "0", 0, 1024,
	"worker processes; 0 = 4 per core, at least 8"),
    ROW("server", "requestsPerWorker", CONF_INT, request_max, "100000", 0, 100000000,
	"requests after which a worker is replaced; 0 = never"),
    ROW("server", "temporaryDirectory", CONF_STR, temporary_directory, "/var/tmp", 0, 0,
	"where files of /v1/fileEncrypt and /v1/synchronousFileDecrypt pass, encrypted"),
    ROW("server", "user", CONF_STR, user, NULL, 0, 0, "user to become when started as root"),
    ROW("general", "unknownMembers", CONF_STR, unknown_members, "refuse", 0, 0,
	"members of bodies that the API does not know: refuse or ignore"),
    ROW("log", "level", CONF_STR, log_level, "info", 0, 0, "error, warn, info or debug"),
    ROW("log", "file", CONF_STR, log_file, NULL, 0, 0, "file to append to; unset = stderr"),
    ROW("keyStore", "directory", CONF_STR, directory, "/var/lib/tsb-hsm", 0, 0,
	"where keys are kept; owned by the user, mode 0700"),
    ROW("keyStore", "masterKeyFile", CONF_STR, master_key_file, NULL, 0, 0,
	"file of 32 bytes under which keys are encrypted"),
    ROW("keyStore", "passphrase", CONF_SECRET, passphrase, NULL, 0, 0,
	"passphrase from which the master key is derived; better as passphraseFile"),
    ROW("keyStore", "create", CONF_BOOL, create, "false", 0, 0,
	"make a missing key store and master key file at start"),
    ROW("keys", "attestationKeyName", CONF_STR, attestation_key, "attestation-key", 0, 0,
	"key that signs key attributes"),
    ROW("keys", "timestampKeyName", CONF_STR, timestamp_key, "timestamp-key", 0, 0,
	"key that signs timestamps"),
    ROW("keys", "rfcTimestampKeyName", CONF_STR, rfc_timestamp_key, NULL, 0, 0,
	"key that signs RFC 3161 timestamps; unset = none are made"),
    ROW("keys", "rfcTimestampPolicy", CONF_STR, rfc_timestamp_policy,
	"2.25.279752370941762943210285453817319556116", 0, 0,
	"dotted OID of the policy that RFC 3161 timestamps name"),
    ROW("keys", "approverRsaBits", CONF_INT, approver_rsa_bits, "2048", 1024, 8192,
	"fewest bits of RSA keys of approvers in new policies"),
    ROW("keys", "rsaBits", CONF_INT, rsa_bits, "2048", 1024, 8192,
	"fewest bits of new RSA keys; 1024 for what cannot be replaced yet"),
    ROW("keys", "listSystemKeys", CONF_BOOL, list_system_keys, "true", 0, 0,
	"name attestation and timestamp keys in the list of keys"),
    WEB_AUTH_ROWS(struct hsm_settings, auth), {NULL, NULL, CONF_STR, 0, NULL, 0, 0, NULL}};

static int
check_key_name(const char *setting, const char *name, struct tsb_err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > TOKEN_LABEL_MAX || strchr(name, '/') != NULL ||
	    !tsb_label_valid(tsb_view_str(name)))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "keys.%s must be 1 to %d bytes without '/' and control characters", setting,
		    TOKEN_LABEL_MAX);
	return 0;
}

static int
check_socket_mode(struct hsm_settings *s, struct tsb_err *err)
{
	const char *text = s->socket_mode_text;
	char *end;

	s->socket_mode = strtol(text, &end, 8);
	if (*text < '0' || *text > '7' || *end || s->socket_mode > 0777)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "server.socketMode must be octal permissions such as 0660");
	return 0;
}

static int
check_rfc_timestamps(const struct hsm_settings *s, struct tsb_err *err)
{
	const char *key = s->rfc_timestamp_key;

	if (!rfc_timestamp_policy_valid(s->rfc_timestamp_policy))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "keys.rfcTimestampPolicy must be an OID such as 1.2.3");
	if (key == NULL)
		return 0;
	if (check_key_name("rfcTimestampKeyName", key, err))
		return -1;
	if (tsb_streq(key, s->attestation_key) || tsb_streq(key, s->timestamp_key))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "keys.rfcTimestampKeyName must differ from the names of the other keys");
	return 0;
}

static int
check(struct hsm_settings *s, struct tsb_err *err)
{
	enum log_level level;

	if (!log_level_parse(s->log_level, &level))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "log.level must be error, warn, info or debug");
	if (!tsb_streq(s->unknown_members, "refuse") && !tsb_streq(s->unknown_members, "ignore"))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.unknownMembers must be refuse or ignore");
	if (check_socket_mode(s, err))
		return -1;
	if (s->directory[0] != '/')
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "keyStore.directory must be absolute");
	if ((s->master_key_file == NULL) == (s->passphrase == NULL))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "exactly one of keyStore.masterKeyFile and passphraseFile must be set");
	if (s->passphrase != NULL && strlen(s->passphrase) < 12)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "keyStore.passphrase must have at least 12 bytes");
	if (check_key_name("attestationKeyName", s->attestation_key, err) ||
	    check_key_name("timestampKeyName", s->timestamp_key, err))
		return -1;
	if (tsb_streq(s->attestation_key, s->timestamp_key))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "keys.attestationKeyName and keys.timestampKeyName must differ");
	if (check_rfc_timestamps(s, err))
		return -1;
	/* Whoever reaches the socket could otherwise use every key without a policy. */
	if (!s->auth.enabled)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "apiAuthentication.enabled must be true: an HSM serves no unknown callers");
	return 0;
}

int
settings_load(const char *path, struct hsm_settings *out, struct tsb_err *err)
{
	struct hsm_settings s = {0};

	if (conf_load(settings_rows, NULL, path, &s, err) || check(&s, err)) {
		settings_free(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void
settings_free(struct hsm_settings *s)
{
	conf_free(settings_rows, s);
}

enum log_level
settings_log_level(const struct hsm_settings *s)
{
	enum log_level level = LOG_INFO;

	(void)log_level_parse(s->log_level, &level);
	return level;
}
