/*
 * tsb: the command line of applications, approvers, operators and the offline room. Runs as the
 * person who types it, with that person's API key and approver key; holds no rights of its own.
 */
#include "lib/first.h"

#include "cli/admin/commands.h"
#include "cli/approve/commands.h"
#include "cli/key/commands.h"
#include "cli/lib/command.h"
#include "cli/offline/commands.h"
#include "cli/request/commands.h"

#define O(id)    OPT_BIT(id)
#define O_SIGNER (O(APPROVER) | O(PASSPHRASE_FILE) | O(CERTIFICATE))
#define O_CHECK  (O(TIMESTAMP_KEY) | O(ATTESTATION_KEY))
#define O_RULES  (O(POLICY) | O(APPROVERS) | O(QUORUM) | O(TIMELOCK) | O(TIMEOUT) | O(USE_ONLY))
#define O_ASK    (O(PASSWORD_FILE) | O(META) | O(WAIT) | O(FETCH_ONCE))
#define KM       TSB_ROLE_KEY_MANAGEMENT
#define KO       TSB_ROLE_KEY_OPERATION
#define AM       TSB_ROLE_APPROVER_MANAGEMENT

static const struct cli_command commands[] = {
    {"key", "create", "NAME", "create a key in the HSM, with or without a policy", cli_key_create,
	KM, 1, 1,
	O(ALGORITHM) | O(SIZE) | O(CURVE) | O(ATTRIBUTES) | O(ADDRESS) | O(PASSWORD_FILE) |
	    O_RULES},
    {"key", "list", "", "list the names of all keys", cli_key_list, KM, 0, 0, 0},
    {"key", "show", "NAME", "show attributes and policy of a key", cli_key_show, KM, 1, 1,
	O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"key", "delete", "NAME", "destroy a key and cancel its requests", cli_key_delete, KM, 1, 1,
	O(PASSWORD_FILE) | O(YES)},
    {"key", "block", "NAME", "ask to block a key: nobody may use it until it is unblocked",
	cli_key_ask, KO, 1, 1, O(PASSWORD_FILE) | O(META) | O(WAIT) | O(TIMEOUT),
	.kind = KIND_BLOCK},
    {"key", "unblock", "NAME", "ask to unblock a key", cli_key_ask, KO, 1, 1,
	O(PASSWORD_FILE) | O(META) | O(WAIT) | O(TIMEOUT), .kind = KIND_UNBLOCK},
    {"key", "modify", "NAME", "show the changes of a new policy and ask for it", cli_key_modify, KM,
	1, 1,
	O(PASSWORD_FILE) | O(META) | O(WAIT) | O(ATTESTATION_KEY) | O(YES_OPEN_RULES) | O_RULES,
	.kind = KIND_MODIFY},
    {"key", "password", "NAME", "change the password of a key", cli_key_password, KM, 1, 1,
	O(PASSWORD_FILE) | O(NEW_PASSWORD_FILE) | O(NO_PASSWORD)},
    {"key", "rename", "NAME NEWNAME", "give a key another name", cli_key_rename, KM, 2, 2,
	O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"key", "restrict", "NAME", "take attributes from a key, for ever", cli_key_restrict, KM, 1, 1,
	O(ATTRIBUTES) | O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"key", "derive", "MASTER PATH", "derive a key and keep it, as MASTER/PATH", cli_key_derive, KM,
	2, 2, O(ATTRIBUTES) | O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"key", "xpub", "NAME", "print the extended public key of a master", cli_key_xpub, KM, 1, 1, 0},
    {"key", "address", "NAME", "show the blockchain address of a key", cli_key_address, KM, 1, 1,
	O(PASSWORD_FILE)},
    {"key", "export", "NAME", "write an extractable key to an encrypted file", cli_key_export, KM,
	1, 1, O(OUT) | O(PASSWORD_FILE) | O(PASSPHRASE_FILE) | O(NO_PASSPHRASE)},
    {"key", "import", "FILE...", "with --name a key; else attributes of an offline HSM",
	cli_key_import, KM, 1, 10000,
	O(NAME) | O(ALGORITHM) | O(SEED) | O(CURVE) | O(ATTRIBUTES) | O(ADDRESS) |
	    O(PASSWORD_FILE) | O(PASSPHRASE_FILE) | O(ATTESTATION_KEY) | O_RULES},
    {"key", "attest", "NAME", "write an attestation of a key, a zip file that openssl verifies",
	cli_key_attest, KM, 1, 1, O(OUT) | O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"key", "attributes", "NAME", "write the attributes that the HSM signs to a file",
	cli_key_attributes, KM, 1, 1, O(OUT) | O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"data", "put", "NAME [FILE|-]", "keep a small file beside the keys", cli_data_put, KM, 1, 2,
	O(ATTRIBUTES)},
    {"data", "get", "NAME", "print it as base64, or write it with --out", cli_data_get, KM, 1, 1,
	O(OUT)},
    {"data", "list", "", "list the names of what is kept", cli_data_list, KM, 0, 0, 0},
    {"data", "delete", "NAME", "delete it", cli_data_delete, KM, 1, 1, O(YES)},
    {"sign", NULL, "KEY [FILE|-]", "ask for a signature over a file", cli_sign, KO, 1, 2,
	O(ALGORITHM) | O(TYPE) | O(TAPROOT) | O(CONTEXT) | O(PAYLOAD_TYPE) | O(TIMEOUT) | O(OUT) |
	    O_ASK,
	.kind = KIND_SIGN},
    {"verify", NULL, "KEY FILE SIGNATURE", "check a signature with a key of the HSM", cli_verify,
	KO, 3, 3, O(ALGORITHM) | O(TAPROOT) | O(CONTEXT) | O(PAYLOAD_TYPE) | O(PASSWORD_FILE)},
    {"encrypt", NULL, "KEY [FILE|-]", "encrypt a file with a key of the HSM", cli_encrypt, KO, 1, 2,
	O(ALGORITHM) | O(AAD) | O(TAG_LENGTH) | O(PASSWORD_FILE) | O(OUT)},
    {"decrypt", NULL, "KEY [FILE|-]", "ask for the decryption of a file", cli_decrypt, KO, 1, 2,
	O(ALGORITHM) | O(IV) | O(AAD) | O(TAG_LENGTH) | O(TIMEOUT) | O(OUT) | O_ASK,
	.kind = KIND_DECRYPT},
    {"hmac", NULL, "KEY [FILE|-]", "make or check the keyed hash of a file", cli_hmac, KO, 1, 2,
	O(VERIFY) | O(PASSWORD_FILE) | O(OUT)},
    {"wrap", NULL, "KEY OTHER", "encrypt the key OTHER under KEY", cli_wrap, KO, 2, 2,
	O(METHOD) | O(PASSWORD_FILE) | O(WRAPPED_PASSWORD_FILE) | O(OUT)},
    {"unwrap", NULL, "KEY FILE NEWNAME", "ask the HSM to unwrap a key and keep it", cli_unwrap, KO,
	3, 3, O(METHOD) | O(ATTRIBUTES) | O(PASSWORD_FILE) | O(META) | O(WAIT) | O(TIMEOUT),
	.kind = KIND_UNWRAP},
    {"file", "encrypt", "KEY FILE|-", "encrypt a file of up to 1 GiB", cli_file_encrypt, KO, 2, 2,
	O(PASSWORD_FILE) | O(OUT)},
    {"file", "decrypt", "KEY FILE|-", "decrypt such a file", cli_file_decrypt, KO, 2, 2,
	O(PASSWORD_FILE) | O(OUT)},
    {"timestamp", NULL, "FILE|-", "print a timestamp token (RFC 3161) for a file", cli_timestamp,
	KO, 1, 1, O(ALGORITHM) | O(OUT)},
    {"certificate", "request", "KEY", "ask for a certificate request (CSR) of a key",
	cli_certificate_request, KO, 1, 1,
	O(ALGORITHM) | O(SUBJECT) | O(DAYS) | O(USAGE) | O(TIMEOUT) | O(OUT) | O_ASK,
	.kind = KIND_CERTIFICATE_REQUEST},
    {"certificate", "sign", "KEY CSR", "ask for a certificate for somebody's request",
	cli_certificate_sign, KO, 2, 2,
	O(ALGORITHM) | O(SUBJECT) | O(DAYS) | O(USAGE) | O(AUTHORITY) | O(KEY) | O(TIMEOUT) |
	    O(OUT) | O_ASK,
	.kind = KIND_SIGN_CERTIFICATE},
    {"certificate", "selfsign", "KEY", "ask for a certificate of a key by itself",
	cli_certificate_selfsign, KO, 1, 1,
	O(ALGORITHM) | O(SUBJECT) | O(DAYS) | O(USAGE) | O(AUTHORITY) | O(TIMEOUT) | O(OUT) | O_ASK,
	.kind = KIND_SELF_SIGN_CERTIFICATE},
    {"certificate", "show", "KEY", "show the certificate stored with a key", cli_certificate_show,
	KO, 1, 1, O(OUT)},
    {"request", "show", "ID", "show what a request is about, its state and its approvers",
	cli_request_show, KO, 1, 1, O(FETCH_ONCE)},
    {"request", "wait", "ID", "wait until a request has ended and print its result",
	cli_request_wait, KO, 1, 1, O(TIMEOUT) | O(OUT) | O(FETCH_ONCE)},
    {"request", "list", "", "list requests, newest first, a line each", cli_request_list, KO, 0, 0,
	O(STATUS) | O(KEY) | O(SINCE)},
    {"request", "cancel", "ID", "cancel an open request", cli_request_cancel, KO, 1, 1, 0},
    {"approver", "new", "NAME", "make a key pair here and print the public key", cli_approver_new,
	TSB_ROLE_NONE, 1, 1, O(TYPE) | O(OUT) | O(PASSPHRASE_FILE) | O(NO_PASSPHRASE)},
    {"approver", "create", "NAME", "let the broker create an approver's key, print the code",
	cli_approver_create, AM, 1, 1, O(SIZE) | O(DAYS) | O(PASSWORD_FILE) | O(QR)},
    {"approver", "onboard", "NAME", "fetch the new key with the one-time code",
	cli_approver_onboard, TSB_ROLE_APPROVER, 1, 1, O(CODE_FILE) | O(OUT)},
    {"approver", "status", "", "list approvers whose keys the broker made", cli_approver_status, AM,
	0, 0, 0},
    {"approver", "renew", "NAME", "print a new code for a pending approver", cli_approver_renew, AM,
	1, 1, 0},
    {"approver", "restore", "NAME", "print a new code for a lost key", cli_approver_restore, AM, 1,
	1, O(FORGOTTEN) | O(NEW_PASSWORD_FILE)},
    {"approver", "change-password", "NAME", "change the backup password",
	cli_approver_change_password, AM, 1, 1, O(PASSWORD_FILE) | O(NEW_PASSWORD_FILE)},
    {"approver", "delete", "NAME", "delete an approver and the backup of the key",
	cli_approver_delete, AM, 1, 1, O(YES)},
    {"tasks", NULL, "", "show the tasks of this approver", cli_tasks, TSB_ROLE_APPROVER, 0, 0,
	O_SIGNER | O_CHECK | O(ATTESTED_WITHIN) | O(REQUEST) | O(ALL) | O(SAVE)},
    {"approve", NULL, "TASK...|--all", "check, show and sign tasks", cli_approve, TSB_ROLE_APPROVER,
	0, 100,
	O_SIGNER | O_CHECK | O(ATTESTED_WITHIN) | O(REQUEST) | O(ALL) | O(YES) | O(YES_OPEN_RULES)},
    {"reject", NULL, "TASK...|--all", "reject tasks", cli_reject, TSB_ROLE_APPROVER, 0, 100,
	O_SIGNER | O(REQUEST) | O(ALL) | O(REASON) | O(YES)},
    {"token", "decode", "[FILE|-|BASE64]", "print a token, policy or attributes in readable form",
	cli_token_decode, TSB_ROLE_NONE, 0, 1, O_CHECK},
    {"offline", "export", "[ID...]", "write requests for an offline HSM: package, QR codes, sheet",
	cli_offline_export, KO, 0, 10000, O(OUT) | O(QR) | O(SHEET) | O(FORMAT) | O(ANIMATION)},
    {"offline", "import", "FILE...", "give results of an offline HSM to the broker",
	cli_offline_import, KO, 1, 10000, 0},
    {"offline", "init", "DIR", "create an offline room with a key of its own", cli_offline_init,
	TSB_ROLE_NONE, 1, 1, O(SITE)},
    {"offline", "trust", "FILE", "trust packages of the site with this public key",
	cli_offline_trust, TSB_ROLE_NONE, 1, 1, O(ROOM) | O(SITE) | O(YES)},
    {"offline", "scan", "", "read QR codes with a camera until all parts are there",
	cli_offline_scan, TSB_ROLE_NONE, 0, 0, O(DEVICE) | O(OUT)},
    {"offline", "show", "FILE...", "check and show requests from the online site", cli_offline_show,
	KM, 1, 10000, O(ROOM) | O(REQUEST) | O(PASSWORD_FILE) | O(ATTESTATION_KEY)},
    {"offline", "run", "FILE...", "check, show and execute them, write the results",
	cli_offline_run, KO, 1, 10000,
	O(ROOM) | O(REQUEST) | O(PASSWORD_FILE) | O(ATTESTATION_KEY) | O(YES) | O(YES_OPEN_RULES) |
	    O(OUT) | O(QR) | O(TEXT) | O(ANIMATION) | O(TO)},
    {"apikey", "new", "", "make an API key and its line for the settings", cli_apikey_new,
	TSB_ROLE_NONE, 0, 0, 0},
};

static const struct cli_moved moved[] = {
    {"schema", "tsb-admin schema"},
};

static const struct cli_program program = {
    .name = "tsb",
    .manual = "tsb(1)",
    .commands = commands,
    .ncommands = TSB_COUNT(commands),
    .moved = moved,
    .nmoved = TSB_COUNT(moved),
    .leading = {.server = true, .common = true},
    .unreached = "check TSB_URL or --url, and that the broker runs",
};

int
main(int argc, char **argv)
{
	return command_main(&program, argc, argv);
}
