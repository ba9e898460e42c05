/* The table of options, and their reader. */
#ifndef TSB_CLI_LIB_OPTION_H
#define TSB_CLI_LIB_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/* Every option of every command: OPT(id, letter or 0, name, argument or NULL, help). */
#define CLI_OPTIONS(OPT)                                                                           \
	OPT(URL, 'u', "url", "URL", "the broker [$TSB_URL]")                                       \
	OPT(TOKEN, 0, "token", "KEY", "API key; better $TSB_..._TOKEN of the role")                \
	OPT(TOKEN_FILE, 0, "token-file", "FILE", "API key, first line of FILE")                    \
	OPT(CA, 0, "ca", "FILE", "certificates to trust for TLS")                                  \
	OPT(CERT, 0, "cert", "FILE", "client certificate for TLS")                                 \
	OPT(KEY_FILE, 0, "key-file", "FILE", "key of the client certificate")                      \
	OPT(JSON, 0, "json", NULL, "JSON instead of text")                                         \
	OPT(HELP, 'h', "help", NULL, "this text")                                                  \
	OPT(VERSION, 0, "version", NULL, "version of this program")                                \
	OPT(ALGORITHM, 'a', "algorithm", "NAME", "of the signature, see below")                    \
	OPT(SIZE, 0, "size", "BITS", "size of an RSA key [3072]")                                  \
	OPT(CURVE, 0, "curve", "CURVE", "name or OID of the curve of an EC key [P-256]")           \
	OPT(ATTRIBUTES, 0, "attributes", "LIST",                                                   \
	    "comma list, each also as no-NAME [its use,modifiable; no policy: destroyable]")       \
	OPT(ADDRESS, 0, "address", "FORMAT", "blockchain address of the key: BTC, ETH, XRP ...")   \
	OPT(NAME, 0, "name", "NAME", "what the key in the file is to be called in the HSM")        \
	OPT(SEED, 0, "seed", NULL, "the file holds a seed (BIP-32, SLIP-10)")                      \
	OPT(PASSWORD_FILE, 0, "password-file", "FILE", "password of the key, first line of FILE")  \
	OPT(POLICY, 0, "policy", "FILE", "policy of the key as JSON")                              \
	OPT(APPROVERS, 0, "approvers", "FILES", "comma list of PEM public keys or certificates")   \
	OPT(QUORUM, 0, "quorum", "N", "approvals needed of --approvers [all]")                     \
	OPT(TIMELOCK, 0, "timelock", "SECONDS", "wait before an approved request runs [0]")        \
	OPT(TIMEOUT, 0, "timeout", "SECONDS", "wait at most that long [0: for ever]")              \
	OPT(USE_ONLY, 0, "use-only", NULL, "guard use only; block, unblock, modify stay OPEN")     \
	OPT(YES_OPEN_RULES, 0, "yes-open-rules", NULL,                                             \
	    "do not ask about rules that become open to everyone")                                 \
	OPT(METHOD, 0, "method", "NAME", "how keys are wrapped, see below")                        \
	OPT(WRAPPED_PASSWORD_FILE, 0, "wrapped-password-file", "FILE",                             \
	    "password of the key to be wrapped, first line of FILE")                               \
	OPT(IV, 0, "iv", "BASE64", "initialization vector, as `tsb encrypt` printed it")           \
	OPT(AAD, 0, "aad", "FILE", "additional authenticated data")                                \
	OPT(TAG_LENGTH, 0, "tag-length", "BITS", "of the authentication tag [AES_GCM: 128]")       \
	OPT(VERIFY, 0, "verify", "FILE", "check the keyed hash in FILE instead of making one")     \
	OPT(FETCH_ONCE, 0, "fetch-once", NULL, "let the broker erase the result afterwards")       \
	OPT(SUBJECT, 0, "subject", "NAMES", "CN=name,O=...,OU=,C=,ST=,L=,email=; \\, is a comma")  \
	OPT(DAYS, 0, "days", "DAYS", "validity of the certificate [365]")                          \
	OPT(USAGE, 0, "usage", "LIST", "key usages, as digital_signature,server_auth; tsb(1)")     \
	OPT(AUTHORITY, 0, "authority", NULL, "the certificate may issue others (CA)")              \
	OPT(TYPE, 0, "type", "TYPE", "form of the signature: DER, RAW or ETH")                     \
	OPT(TAPROOT, 0, "taproot", "LIST", "for BIP-340, of hex digits: tweak= or root=, aux=")    \
	OPT(PAYLOAD_TYPE, 0, "payload-type", "TYPE", "as PDF, for approvers; HEX: of hex digits")  \
	OPT(CONTEXT, 0, "context", "TEXT", "context of an ML-DSA or SLH-DSA signature")            \
	OPT(META, 0, "meta", "TEXT", "note that approvers see")                                    \
	OPT(WAIT, 'w', "wait", NULL, "wait until the request has ended")                           \
	OPT(OUT, 'o', "out", "PATH", "write the result there")                                     \
	OPT(STATUS, 0, "status", "LIST", "comma list of states, as PENDING,APPROVED")              \
	OPT(SINCE, 0, "since", "TIME", "only those made since a date, time or age: 7d, 2h")        \
	OPT(KEY, 0, "key", "NAME", "requests: only of it; certificate: also keep it there")        \
	OPT(APPROVER, 'k', "approver", "FILE", "private key of the approver, PEM [$TSB_APPROVER]") \
	OPT(CERTIFICATE, 0, "certificate", "FILE",                                                 \
	    "send this certificate instead of the bare key")                                       \
	OPT(PASSPHRASE_FILE, 0, "passphrase-file", "FILE",                                         \
	    "passphrase of the key file, first line of FILE [$TSB_APPROVER_PASSPHRASE]")           \
	OPT(NO_PASSPHRASE, 0, "no-passphrase", NULL, "leave the key file unencrypted")             \
	OPT(REQUEST, 0, "request", "ID", "only tasks of this request")                             \
	OPT(TIMESTAMP_KEY, 0, "timestamp-key", "FILE", "check the HSM's timestamps with this key") \
	OPT(ATTESTATION_KEY, 0, "attestation-key", "FILE",                                         \
	    "check key attributes with this key [$TSB_ATTESTATION_KEY]")                           \
	OPT(ATTESTED_WITHIN, 0, "attested-within", "MINUTES",                                      \
	    "how old checked key attributes may be [changes of keys: 10, uses: 1440]")             \
	OPT(ALL, 0, "all", NULL, "all open tasks")                                                 \
	OPT(REASON, 0, "reason", "TEXT", "why, for the caller to see")                             \
	OPT(SAVE, 0, "save", "DIR", "write payloads of checked tasks there, as TASK.payload")      \
	OPT(CODE_FILE, 0, "code-file", "FILE", "one-time code, first line of FILE")                \
	OPT(NEW_PASSWORD_FILE, 0, "new-password-file", "FILE",                                     \
	    "the new password, first line of FILE")                                                \
	OPT(NO_PASSWORD, 0, "no-password", NULL, "take the password off")                          \
	OPT(FORGOTTEN, 0, "forgotten", NULL,                                                       \
	    "the backup password is lost: ask for a new container")                                \
	OPT(YES, 'y', "yes", NULL, "do not ask")                                                   \
	OPT(ROOM, 0, "room", "DIR", "the offline room [$TSB_OFFLINE_ROOM, ~/.tsb-offline]")        \
	OPT(SITE, 0, "site", "NAME", "what the room or the site is called")                        \
	OPT(QR, 0, "qr", "PATH", "write QR codes as PNG files to this folder")                     \
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

/*
 * In the order of the table: options of commands that talk to the broker, options of all commands,
 * and those that a command has of its own, which are a set of bits.
 */
#define OPT__COMMON OPT_JSON
#define OPT__OWN    OPT_ALGORITHM
#define OPT_BIT(id) (1ULL << (OPT_##id - OPT__OWN))
_Static_assert(OPT__MAX - OPT__OWN <= 64, "own options of commands are a set of 64 bits");

struct option_set {
	bool server, common;
	unsigned long long own;
};
bool option_in(const struct option_set *, int id);

struct option_row {
	int letter; /* 0 = none */
	const char *name, *arg, *help;
};
extern const struct option_row option_rows[OPT__MAX];

/*
 * Reads the options of the set into opt (NULL = not given, "" without argument) and moves the
 * operands to the end of argv; *operands is the index of the first. leading: only what stands
 * before the first operand; else options may stand between operands, and "--" ends them. Refuses
 * unknown, abbreviated and repeated options with TSB_E_INPUT.
 */
int option_read(const struct option_set *set, bool leading, int argc, char **argv,
    const char *opt[OPT__MAX], int *operands, struct tsb_err *err) TSB_MUSTCHECK;

#endif
