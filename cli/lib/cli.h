/*
 * The command line: a table of commands, a table of options, and what every command gets.
 */
#ifndef TSB_CLI_LIB_CLI_H
#define TSB_CLI_LIB_CLI_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Exit codes, as tsb(1) documents them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_USAGE = 1, /* wrong use, or something on this computer is missing */
	CLI_REFUSED = 2, /* the server answered with an error */
	CLI_UNREACHED = 3, /* no answer */
	CLI_NOT_EXECUTED = 4, /* the request ended without being executed */
	CLI_TIMEOUT = 5, /* still open when the time to wait was over */
	CLI_WRONG = 6, /* a signature is wrong, or a task is not what its token says */
	CLI_OPENS = 7, /* rules would be open to everyone, and nobody confirmed that */
	CLI_INCOMPLETE = 8, /* parts of what was scanned are missing */
};

/* Each role has an API key of its own in the environment. */
enum cli_role {
	CLI_ROLE_NONE,
	CLI_ROLE_KEY_MANAGEMENT,
	CLI_ROLE_KEY_OPERATION,
	CLI_ROLE_APPROVER,
	CLI_ROLE_SERVICE,
	CLI_ROLE_APPROVER_MANAGEMENT,
	CLI_ROLE__MAX
};

/* Every option of every command: OPT(id, letter or 0, name, argument or NULL, help). */
#define CLI_OPTIONS(OPT)                                                                           \
	OPT(URL, 'u', "url", "URL", "the broker [$TSB_URL]")                                       \
	OPT(TOKEN, 0, "token", "KEY", "API key; better $TSB_..._TOKEN of the role")                \
	OPT(TOKEN_FILE, 0, "token-file", "FILE", "API key, first line of FILE")                    \
	OPT(JSON, 0, "json", NULL, "JSON instead of text")                                         \
	OPT(CA, 0, "ca", "FILE", "certificates to trust for TLS")                                  \
	OPT(CERT, 0, "cert", "FILE", "client certificate for TLS")                                 \
	OPT(KEY_FILE, 0, "key-file", "FILE", "key of the client certificate")                      \
	OPT(HELP, 'h', "help", NULL, "this text")                                                  \
	OPT(VERSION, 0, "version", NULL, "version of this program")                                \
	OPT(ALGORITHM, 'a', "algorithm", "NAME", "of the key (RSA, EC, ED) or of the signature")   \
	OPT(SIZE, 0, "size", "BITS", "size of an RSA key [3072]")                                  \
	OPT(CURVE, 0, "curve", "CURVE", "name or OID of the curve of an EC key [P-256]")           \
	OPT(ATTRIBUTES, 0, "attributes", "LIST",                                                   \
	    "comma list, each also as no-NAME [sign,modifiable,destroyable]")                      \
	OPT(PASSWORD_FILE, 0, "password-file", "FILE", "password of the key, first line of FILE")  \
	OPT(POLICY, 0, "policy", "FILE", "policy of the key as JSON")                              \
	OPT(APPROVERS, 0, "approvers", "FILES", "comma list of PEM public keys or certificates")   \
	OPT(QUORUM, 0, "quorum", "N", "approvals needed of --approvers [all]")                     \
	OPT(TIMELOCK, 0, "timelock", "SECONDS", "wait before an approved request runs [0]")        \
	OPT(TIMEOUT, 0, "timeout", "SECONDS",                                                      \
	    "policy: life of a request; wait: at most [0: none]")                                  \
	OPT(USE_ONLY, 0, "use-only", NULL, "guard use only; block, unblock, modify stay OPEN")     \
	OPT(YES_OPEN_RULES, 0, "yes-open-rules", NULL,                                             \
	    "do not ask about rules that everyone may use afterwards")                             \
	OPT(METHOD, 0, "method", "NAME", "how keys are wrapped, as RSA_WRAP_OAEP or AES_WRAP")     \
	OPT(WRAPPED_PASSWORD_FILE, 0, "wrapped-password-file", "FILE",                             \
	    "password of the key to be wrapped, first line of FILE")                               \
	OPT(IV, 0, "iv", "BASE64", "initialization vector, as `tsb encrypt` printed it")           \
	OPT(AAD, 0, "aad", "FILE", "additional authenticated data")                                \
	OPT(TAG_LENGTH, 0, "tag-length", "BITS", "of the authentication tag [AES_GCM: 128]")       \
	OPT(FETCH_ONCE, 0, "fetch-once", NULL, "take the result away: the broker erases it")       \
	OPT(SUBJECT, 0, "subject", "NAMES", "CN=name,O=...,OU=,C=,ST=,L=,email=; \\, is a comma")  \
	OPT(DAYS, 0, "days", "DAYS", "validity of the certificate [365]")                          \
	OPT(USAGE, 0, "usage", "LIST", "key usages, as digital_signature,server_auth; tsb(1)")     \
	OPT(AUTHORITY, 0, "authority", NULL, "the certificate may issue others (CA)")              \
	OPT(TYPE, 0, "type", "TYPE",                                                               \
	    "signature: DER, RAW, ETH; approver: rsa, p256, p384, p521, secp256k1, ed25519")       \
	OPT(PAYLOAD_TYPE, 0, "payload-type", "TYPE", "what approvers are told the payload is")     \
	OPT(META, 0, "meta", "TEXT", "note that approvers see")                                    \
	OPT(WAIT, 'w', "wait", NULL, "wait until the request has ended")                           \
	OPT(OUT, 'o', "out", "PATH", "write the result (new key pair: the folder) there")          \
	OPT(STATUS, 0, "status", "LIST", "comma list of states, as PENDING,APPROVED")              \
	OPT(KEY, 0, "key", "NAME", "only requests for this key")                                   \
	OPT(APPROVER, 'k', "approver", "FILE", "private key of the approver, PEM [$TSB_APPROVER]") \
	OPT(CERTIFICATE, 0, "certificate", "FILE",                                                 \
	    "send this certificate instead of the bare key")                                       \
	OPT(PASSPHRASE_FILE, 0, "passphrase-file", "FILE",                                         \
	    "passphrase of the key file, first line of FILE [$TSB_APPROVER_PASSPHRASE]")           \
	OPT(NO_PASSPHRASE, 0, "no-passphrase", NULL, "leave the key file unencrypted")             \
	OPT(REQUEST, 0, "request", "ID", "only tasks of it; run: the id that a QR code left out")  \
	OPT(TIMESTAMP_KEY, 0, "timestamp-key", "FILE", "check the HSM's timestamps with this key") \
	OPT(ATTESTATION_KEY, 0, "attestation-key", "FILE", "check key attributes with this key")   \
	OPT(ALL, 0, "all", NULL, "all open tasks")                                                 \
	OPT(CODE_FILE, 0, "code-file", "FILE", "one-time code, first line of FILE")                \
	OPT(NEW_PASSWORD_FILE, 0, "new-password-file", "FILE",                                     \
	    "the password from now on, first line of FILE")                                        \
	OPT(FORGOTTEN, 0, "forgotten", NULL,                                                       \
	    "the backup password is lost: ask for a new container")                                \
	OPT(YES, 'y', "yes", NULL, "do not ask")                                                   \
	OPT(ROOM, 0, "room", "DIR", "the offline room [$TSB_OFFLINE_ROOM, ~/.tsb-offline]")        \
	OPT(SITE, 0, "site", "NAME", "what the room or the site is called")                        \
	OPT(QR, 0, "qr", "DIR", "write QR codes as PNG files there")                               \
	OPT(SHEET, 0, "sheet", "FILE", "write a print sheet with QR codes")                        \
	OPT(FORMAT, 0, "format", "FORMAT", "of --sheet: svg, html, pdf-ready [as FILE ends]")      \
	OPT(TEXT, 0, "text", "FILE", "write the texts of the QR codes, one a line")                \
	OPT(ANIMATION, 0, "animation", "FILE", "write an animated GIF for screens and cameras")    \
	OPT(TO, 0, "to", "FILE", "public key of the site that gets the results")                   \
	OPT(DEVICE, 0, "device", "DEV", "camera, or FILE or - with scanned lines [/dev/video0]")   \
	OPT(CONFIG, 'f', "config", "FILE", "settings [" TSB_SYSCONFDIR "/tsb.conf]")               \
	OPT(DIR, 0, "dir", "DIR", "schema files [" TSB_DATADIR "/schema]")

enum cli_option {
#define OPT(id, letter, name, arg, help) OPT_##id,
	CLI_OPTIONS(OPT)
#undef OPT
	    OPT__MAX
};
#define OPT_BIT(id) (1ULL << OPT_##id)
_Static_assert(OPT__MAX <= 64, "options of a command are a set of 64 bits");

struct cli {
	const struct cli_command *command;
	const char *opt[OPT__MAX]; /* NULL = not given; "" for those without argument */
	char **argv; /* operands, NULL-terminated */
	int argc;
	bool json;
	struct arena arena; /* lives until the program ends, then wiped */
	struct tsb_err err;
	struct session *session; /* NULL until the first call */
	enum cli_role role; /* of the last call */
	/* What the program ends with when the command returns -1, CLI_USAGE unless set. */
	enum cli_exit exit;
	/* The server's own number and reason, when it refused. */
	int refused_number;
	const char *refused_reason;
};

struct cli_command {
	const char *group, *name; /* "key" "create"; name NULL for commands of one word */
	const char *operands; /* for the synopsis */
	const char *help; /* one line */
	int (*run)(struct cli *); /* 0, or -1 with c->err */
	enum cli_role role;
	int min, max; /* operands */
	unsigned long long options;
};

/* Commands, by file. */
int cli_key_create(struct cli *);
int cli_key_list(struct cli *);
int cli_key_show(struct cli *);
int cli_key_delete(struct cli *);
int cli_key_block(struct cli *);
int cli_key_unblock(struct cli *);
int cli_key_modify(struct cli *);
int cli_sign(struct cli *);
int cli_verify(struct cli *);
int cli_encrypt(struct cli *);
int cli_decrypt(struct cli *);
int cli_wrap(struct cli *);
int cli_unwrap(struct cli *);
int cli_certificate_request(struct cli *);
int cli_certificate_sign(struct cli *);
int cli_certificate_selfsign(struct cli *);
int cli_certificate_show(struct cli *);
int cli_request_show(struct cli *);
int cli_request_wait(struct cli *);
int cli_request_list(struct cli *);
int cli_request_cancel(struct cli *);
int cli_approver_new(struct cli *);
int cli_approver_create(struct cli *);
int cli_approver_onboard(struct cli *);
int cli_approver_status(struct cli *);
int cli_approver_renew(struct cli *);
int cli_approver_restore(struct cli *);
int cli_approver_change_password(struct cli *);
int cli_approver_delete(struct cli *);
int cli_tasks(struct cli *);
int cli_approve(struct cli *);
int cli_reject(struct cli *);
int cli_token_decode(struct cli *);
int cli_schema_upgrade(struct cli *);
int cli_schema_status(struct cli *);
int cli_apikey_new(struct cli *);
int cli_key_attributes(struct cli *);
int cli_key_import(struct cli *);
int cli_offline_init(struct cli *);
int cli_offline_trust(struct cli *);
int cli_offline_export(struct cli *);
int cli_offline_import(struct cli *);
int cli_offline_show(struct cli *);
int cli_offline_run(struct cli *);
int cli_offline_scan(struct cli *);

/* Sets the exit code and raises; for `return cli_end(c, CLI_TIMEOUT, TSB_E_..., "...")`. */
#define cli_end(c, code, row, ...) ((c)->exit = (code), tsb_fail(&(c)->err, (row), __VA_ARGS__))
/* A number option within [min, max]; dflt when it is not given. */
int cli_number(struct cli *, enum cli_option, long min, long max, long dflt, long *out)
    TSB_MUSTCHECK;

/* option.c */
struct cli_option_row {
	int letter; /* 0 = none */
	const char *name, *arg, *help;
};
extern const struct cli_option_row cli_option_rows[OPT__MAX];
#define CLI_OPTIONS_COMMON (OPT_BIT(HELP) | OPT_BIT(VERSION) | OPT_BIT(JSON))
#define CLI_OPTIONS_SERVER                                                                         \
	(OPT_BIT(URL) | OPT_BIT(TOKEN) | OPT_BIT(TOKEN_FILE) | OPT_BIT(CA) | OPT_BIT(CERT) |       \
	    OPT_BIT(KEY_FILE))
/* The set of options that the command takes, with the common ones. */
unsigned long long cli_option_set(const struct cli_command *);
/*
 * Reads options of the set into c->opt and what follows into c->argv: leading, up to the first
 * operand; else between all operands ("--" ends them). Refuses unknown and repeated options.
 */
int cli_options_read(struct cli *, unsigned long long set, bool leading, int argc, char **argv)
    TSB_MUSTCHECK;

#endif
