#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/wire/package.h"
#include "lib/wire/wire.h"

#define KB       (size_t)1024
#define MB       (1024 * KB)
#define FILE_MAX (1026 * MB)

/* Roles of api-notes.md 2.1 */
#define KM ROLE_KEY_MANAGEMENT
#define KO ROLE_KEY_OPERATION
#define AP ROLE_APPROVER
#define SV ROLE_SERVICE
#define AM ROLE_APPROVER_MANAGEMENT
#define CT (KO | KM) /* certificates: clients differ in the key that they send */
#define TL (ROLE_APPROVER | ROLE_TIMESTAMP) /* task lists: the signed timestamp may be enough */

#define KIND_ROUTES 5

/* All but those of kinds, which come from their rows (lib/model/kind.c). */
static const struct web_route routes[] = {
    /* verb      path                                roles    body     serve                  arg */
    {VERB_GET, "/v1/request/{id}", KO, 0, api_request_get, 0},
    {VERB_DELETE, "/v1/request/{id}", KO, 0, api_request_cancel, 0},
    {VERB_POST, "/v1/filteredRequests", KO, 64 * KB, api_requests_list, 0},
    {VERB_POST, "/v1/filteredRequestDetails", KO, 64 * KB, api_requests_details, 0},

    {VERB_POST, "/v1/filteredAllApprovalTask", TL, 64 * KB, api_all_tasks, 0},
    {VERB_POST, "/v1/filteredApprovedRequests", AP, 64 * KB, api_requests_approved, 0},
    {VERB_POST, "/v1/approval", AP, 4 * MB, api_approval, 0},
    {VERB_PATCH, "/v1/task", AP, 64 * KB, api_task_reject, 0},
    {VERB_DELETE, "/v1/task", AP, 64 * KB, api_task_reject, 0},
    {VERB_POST, "/v1/task", AP, 64 * KB, api_task_reject, 0},

    {VERB_POST, "/v1/key", KM, 4 * MB, api_key_create, 0},
    {VERB_POST, "/v1/key/import/attributes", KM, 4 * MB, api_attributes_import, 0},
    {VERB_POST, "/v1/key/keyAttestation", KM, 64 * KB, api_key_attestation, 0},
    {VERB_GET, "/v1/attestation", KM, 0, api_attestations, 0},
    {VERB_GET, "/v1/attestation/{attestationKeyName}/certificateChain", KM, 0,
	api_attestation_chain, 0},
    {VERB_POST, "/v1/key/import/plain", KM, 4 * MB, api_key_import, 0},
    {VERB_POST, "/v1/importedKey", KM, 4 * MB, api_key_import, 0},
    {VERB_POST, "/v1/derivedKey", KM, 64 * KB, api_key_derive, 0},
    {VERB_POST, "/v1/derivedkey", KM, 64 * KB, api_key_derive, 0},
    {VERB_GET, "/v1/xpub/{keyName}", KM, 0, api_xpub, 0},
    {VERB_POST, "/v1/key/export/plain", KM, 64 * KB, api_key_export, 0},
    {VERB_GET, "/v1/key/{keyName}/export/plain", KM, 0, api_key_export_by_name, 0},
    {VERB_POST, "/v1/key/changePassword", KM, 64 * KB, api_key_password, 0},
    {VERB_POST, "/v1/dataObject", KM, 256 * KB, api_object_create, 0},
    {VERB_GET, "/v1/dataObject", KM, 0, api_object_list, 0},
    {VERB_GET, "/v1/dataObject/{name}", KM, 0, api_object_get, 0},
    {VERB_DELETE, "/v1/dataObject/{name}", KM, 0, api_object_delete, 0},
    {VERB_PATCH, "/v1/key/changeAttributes", KM, 64 * KB, api_key_change, 0},
    {VERB_GET, "/v1/key", KM, 0, api_key_list, 0},
    {VERB_POST, "/v1/key/attributes", KM, 64 * KB, api_key_attributes, 0},
    {VERB_GET, "/v1/key/{keyName}/attributes", KM, 0, api_key_attributes_by_name, 0},
    {VERB_POST, "/v1/key/address", KM, 64 * KB, api_key_address, 0},
    {VERB_GET, "/v1/key/{keyName}/address", KM, 0, api_key_address_by_name, 0},
    {VERB_POST, "/v1/key/deleteKey", KM, 64 * KB, api_key_delete, 0},
    {VERB_DELETE, "/v1/key/{keyName}", KM, 0, api_key_delete_by_name, 0},

    {VERB_POST, "/v1/encrypt", KO, 256 * KB, api_encrypt, 0},
    {VERB_POST, "/v1/fileEncrypt", KO, FILE_MAX, api_file, WIRE_FILE_ENCRYPT, .streams = true},
    {VERB_POST, "/v1/synchronousFileDecrypt", KO, FILE_MAX, api_file, WIRE_FILE_DECRYPT,
	.streams = true},
    {VERB_POST, "/v1/wrap", KO, 64 * KB, api_wrap, 0},
    {VERB_POST, "/v1/certificate/import/plain", CT, 128 * KB, api_certificate_import, 0},
    {VERB_GET, "/v1/certificate/{keyName}", CT, 0, api_certificate_get, 0},
    {VERB_DELETE, "/v1/certificate/{keyName}", CT, 0, api_certificate_delete, 0},

    {VERB_POST, "/v1/verify", KO, 4 * MB, api_verify, 0},
    {VERB_POST, "/v1/verifyHmac", KO, 256 * KB, api_hmac_verify, 0},
    {VERB_POST, "/v1/synchronousHmac", KO, 256 * KB, api_hmac, 0},
    {VERB_POST, "/v1/createRfcTimestamp", KO, 4 * MB, api_rfc_timestamp, 0},
    {VERB_GET, "/v1/generateRandom/{length}", KO | SV, 0, api_random, 0},

    {VERB_POST, "/v1/approverManagement/create", AM, 64 * KB, api_approver_create, 0},
    {VERB_PUT, "/v1/approverManagement/create", AM, 64 * KB, api_approver_create, 0},
    {VERB_POST, "/v1/approver/onboard", AP, 64 * KB, api_approver_onboard, 0},
    {VERB_POST, "/v1/approverManagement/onboard", AM, 64 * KB, api_approver_onboard, 0},
    {VERB_POST, "/v1/approverManagement/restoreFromBackup", AM, 64 * KB, api_approver_renew, 1},
    {VERB_POST, "/v1/approverManagement/renewOneTimeCode", AM, 64 * KB, api_approver_renew, 0},
    {VERB_POST, "/v1/approverManagement/renewOnetimePassword", AM, 64 * KB, api_approver_renew, 0},
    {VERB_GET, "/v1/approverManagement/onboarding/status", AM, 0, api_approver_status, 0},
    {VERB_POST, "/v1/approverManagement/onboarding/status", AM, 0, api_approver_status, 0},
    {VERB_POST, "/v1/approverManagement/changePassword", AM, 64 * KB, api_approver_change_password,
	0},
    {VERB_DELETE, "/v1/approverManagement/delete/{approverName}", AM, 0, api_approver_delete, 0},

    {VERB_GET, "/v1/request/qrCode/{id}", KO, 0, api_request_qr, 0},
    {VERB_GET, "/v1/request/{id}/package", KO, 0, api_request_package, 0},
    {VERB_POST, "/v1/package", KO, 1 * MB, api_package, 0},
    {VERB_PUT, "/v1/resultFromOfflineHsm", KO, PACKAGE_MAX, api_offline_result, 0},

    {VERB_GET, "/v1/versionInfo", SV, 0, api_version, 0},
    {VERB_GET, "/v1/licenseInfo", SV, 0, api_license, 0},
    {VERB_GET, "/v1/keystore/statistics", SV, 0, api_statistics, 0},
    {VERB_GET, "/v1/hsm/log", SV, 0, api_log, 0},
    {VERB_GET, "/v1/hsm/log/{lines}", SV, 0, api_log_lines, 0},
    {VERB_GET, NULL, 0, 0, NULL, 0},
};

/* Routes that are answered from what is here where there is no HSM. */
static const struct {
	web_serve_fn *online, *air_gapped;
} replacements[] = {
    {api_key_list, imported_key_list},
    {api_key_attributes, imported_key_attributes},
    {api_key_attributes_by_name, imported_key_attributes_by_name},
    {api_key_delete, imported_key_delete},
    {api_key_delete_by_name, imported_key_delete_by_name},
    {api_certificate_import, imported_certificate_import},
    {api_certificate_get, imported_certificate_get},
    {api_certificate_delete, imported_certificate_delete},
    {api_statistics, apart_statistics},
    {api_log, apart_log},
    {api_log_lines, apart_log},
};

/* Tasks of several kinds may be listed by one path. */
static bool
lists_first(enum tsb_kind kind)
{
	return tsb_kind_listed_as(kind) == kind;
}

/* A request without content holds little more than the name of the key. */
static size_t
body_max(const struct tsb_kind_row *k)
{
	return k->internal ? 64 * KB : k->content == CONTENT_NONE ? 256 * KB : 4 * MB;
}

/* Appends the routes of a kind, at most KIND_ROUTES; each carries the kind as its arg. */
static struct web_route *
kind_routes(enum tsb_kind kind, struct web_route *end)
{
	const struct tsb_kind_row *k = &tsb_kinds[kind];
	const struct web_route all[KIND_ROUTES] = {
	    {VERB_POST, k->path, k->askers, body_max(k),
		k->internal ? api_approver_forgot : api_request_create, (int)kind},
	    {VERB_POST, lists_first(kind) ? k->task_path : NULL, TL, 64 * KB, api_tasks, (int)kind},
	    {VERB_POST, k->at_once_path, k->askers, 4 * MB,
		tsb_kind_certifies(kind) ? api_certificate : api_synchronous, (int)kind},
	    {VERB_POST, k->at_once_alias, k->askers, 4 * MB, api_certificate, (int)kind},
	    {VERB_POST, k->download_path, k->askers, 4 * MB, api_certificate_file, (int)kind},
	};

	for (size_t i = 0; i < KIND_ROUTES; i++)
		if (all[i].pattern != NULL)
			*end++ = all[i];
	return end;
}

static struct web_route
route_of_profile(struct web_route route, bool air_gapped)
{
	for (size_t i = 0; air_gapped && i < TSB_COUNT(replacements); i++)
		if (route.serve == replacements[i].online) {
			route.serve = replacements[i].air_gapped;
			break;
		}
	return route;
}

const struct web_route *
fcgi_routes(bool air_gapped)
{
	static struct web_route own[TSB_COUNT(routes) + KIND__MAX * KIND_ROUTES];
	struct web_route *end = own;

	for (int k = 0; k < KIND__MAX; k++)
		end = kind_routes((enum tsb_kind)k, end);
	for (size_t i = 0; i < TSB_COUNT(routes); i++)
		*end++ = route_of_profile(routes[i], air_gapped);
	return own;
}
