#include "lib/first.h"

#include "lib/model/kind.h"

#include "hsm/app.h"

#define KB       ((size_t)1024)
#define MB       (1024 * KB)
#define FILE_MAX (1026 * MB)

/* Roles of api-notes.md 2.1 */
#define KM ROLE_KEY_MANAGEMENT
#define KO ROLE_KEY_OPERATION
#define SV ROLE_SERVICE

/* A signature request has the payload twice in each of its approvals, hence its limit. */
const struct web_route hsm_routes[] = {
    /* verb       path                              role     body     serve  arg */
    {VERB_POST, "/v1/key", KM, 4 * MB, serve_key_create, 0},
    {VERB_POST, "/v1/key/import/plain", KM, 4 * MB, serve_key_import, 0},
    {VERB_POST, "/v1/importedKey", KM, 4 * MB, serve_key_import, 0},
    {VERB_POST, "/v1/derivedKey", KM, 64 * KB, serve_key_derive, 0},
    {VERB_POST, "/v1/derivedkey", KM, 64 * KB, serve_key_derive, 0},
    {VERB_GET, "/v1/xpub/{keyName}", KM, 0, serve_xpub, 0},
    {VERB_POST, "/v1/key/export/plain", KM, 64 * KB, serve_key_export, 0},
    {VERB_GET, "/v1/key/{keyName}/export/plain", KM, 0, serve_key_export_by_name, 0},
    {VERB_POST, "/v1/key/changePassword", KM, 64 * KB, serve_key_password, 0},
    {VERB_POST, "/v1/dataObject", KM, 256 * KB, serve_object_create, 0},
    {VERB_GET, "/v1/dataObject", KM, 0, serve_object_list, 0},
    {VERB_GET, "/v1/dataObject/{name}", KM, 0, serve_object_get, 0},
    {VERB_DELETE, "/v1/dataObject/{name}", KM, 0, serve_object_delete, 0},
    {VERB_PATCH, "/v1/key/changeAttributes", KM, 64 * KB, serve_key_change, 0},
    {VERB_POST, "/v1/key/keyAttestation", KM, 64 * KB, serve_key_attestation, 0},
    {VERB_GET, "/v1/attestation", KM, 0, serve_attestation_list, 0},
    {VERB_GET, "/v1/attestation/{attestationKeyName}/certificateChain", KM, 0,
	serve_attestation_chain, 0},
    {VERB_GET, "/v1/key", KM, 0, serve_key_list, 0},
    {VERB_POST, "/v1/key/attributes", KM, 64 * KB, serve_key_attributes, 0},
    {VERB_GET, "/v1/key/{keyName}/attributes", KM, 0, serve_key_attributes_by_name, 0},
    {VERB_POST, "/v1/key/address", KM, 64 * KB, serve_key_address, 0},
    {VERB_GET, "/v1/key/{keyName}/address", KM, 0, serve_key_address_by_name, 0},
    {VERB_POST, "/v1/key/deleteKey", KM, 64 * KB, serve_key_delete, 0},
    {VERB_DELETE, "/v1/key/{keyName}", KM, 0, serve_key_delete_by_name, 0},

    {VERB_POST, "/v1/synchronousSign", KO, 16 * MB, serve_sign, KIND_SIGN},
    {VERB_POST, "/v1/synchronousDecrypt", KO, 16 * MB, serve_decrypt, KIND_DECRYPT},
    {VERB_POST, "/v1/synchronousUnwrap", KO, 16 * MB, serve_unwrap, KIND_UNWRAP},
    {VERB_POST, "/v1/synchronousBlock", KO, 16 * MB, serve_change, KIND_BLOCK},
    {VERB_POST, "/v1/synchronousUnblock", KO, 16 * MB, serve_change, KIND_UNBLOCK},
    {VERB_POST, "/v1/synchronousModify", KM, 16 * MB, serve_change, KIND_MODIFY},
    {VERB_POST, "/v1/encrypt", KO, 4 * MB, serve_encrypt, 0},
    {VERB_POST, "/v1/fileEncrypt", KO, FILE_MAX, serve_file_encrypt, 0, .streams = true},
    {VERB_POST, "/v1/synchronousFileDecrypt", KO, FILE_MAX, serve_file_decrypt, KIND_DECRYPT,
	.streams = true},
    {VERB_POST, "/v1/wrap", KO, 64 * KB, serve_wrap, 0},
    {VERB_POST, "/v1/verify", KO, 4 * MB, serve_verify, 0},
    {VERB_POST, "/v1/verifyHmac", KO, 4 * MB, serve_hmac_verify, 0},
    {VERB_POST, "/v1/synchronousHmac", KO, 4 * MB, serve_hmac, 0},
    {VERB_GET, "/v1/generateRandom/{length}", KO | SV, 0, serve_random, 0},
    {VERB_POST, "/v1/timestamp", KO, 4 * MB, serve_timestamp, 0},
    {VERB_POST, "/v1/createRfcTimestamp", KO, 4 * MB, serve_rfc_timestamp, 0},

    {VERB_POST, "/v1/certificate/import/plain", KO | KM, 128 * KB, serve_certificate_import, 0},
    {VERB_GET, "/v1/certificate/{keyName}", KO | KM, 0, serve_certificate_get, 0},
    {VERB_DELETE, "/v1/certificate/{keyName}", KO | KM, 0, serve_certificate_delete, 0},

    {VERB_GET, "/v1/versionInfo", SV, 0, serve_version, 0},
    {VERB_GET, "/v1/licenseInfo", SV, 0, serve_license, 0},
    {VERB_GET, "/v1/keystore/statistics", SV, 0, serve_statistics, 0},
    {VERB_GET, "/v1/hsm/log", SV, 0, serve_log, 0},
    {VERB_GET, "/v1/hsm/log/{lines}", SV, 0, serve_log_lines, 0}, {0}};
