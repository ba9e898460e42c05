#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/wire/package.h"

#define KB (size_t)1024
#define MB (1024 * KB)

/* Roles of api-notes.md 2.1 */
#define KM ROLE_KEY_MANAGEMENT
#define KO ROLE_KEY_OPERATION
#define AP ROLE_APPROVER
#define SV ROLE_SERVICE
#define AM ROLE_APPROVER_MANAGEMENT
#define CT (KO | KM) /* certificates: clients differ in the key that they send */
#define TL (ROLE_APPROVER | ROLE_TIMESTAMP) /* task lists: the signed timestamp may be enough */

#define ALL_KINDS ((1 << KIND__MAX) - 1)

static const struct web_route routes[] = {
    /* verb      path                                roles    body     serve                  arg */
    {VERB_POST, "/v1/sign", KO, 4 * MB, api_request_create, KIND_SIGN},
    {VERB_POST, "/v1/decrypt", KO, 4 * MB, api_request_create, KIND_DECRYPT},
    {VERB_POST, "/v1/unwrap", KO, 4 * MB, api_request_create, KIND_UNWRAP},
    {VERB_POST, "/v1/block", KO, 256 * KB, api_request_create, KIND_BLOCK},
    {VERB_POST, "/v1/unblock", KO, 256 * KB, api_request_create, KIND_UNBLOCK},
    {VERB_POST, "/v1/modify", KM, 4 * MB, api_request_create, KIND_MODIFY},
    {VERB_GET, "/v1/request/{id}", KO, 0, api_request_get, 0},
    {VERB_DELETE, "/v1/request/{id}", KO, 0, api_request_cancel, 0},
    {VERB_POST, "/v1/filteredRequests", KO, 64 * KB, api_requests_list, 0},

    {VERB_POST, "/v1/filteredSignApprovalTask", TL, 64 * KB, api_tasks, 1 << KIND_SIGN},
    {VERB_POST, "/v1/filteredDecryptApprovalTask", TL, 64 * KB, api_tasks, 1 << KIND_DECRYPT},
    {VERB_POST, "/v1/filteredUnwrapKeyApprovalTask", TL, 64 * KB, api_tasks,
	1 << KIND_UNWRAP | 1 << KIND_RESTORE_APPROVER},
    {VERB_POST, "/v1/filteredBlockKeyApprovalTask", TL, 64 * KB, api_tasks, 1 << KIND_BLOCK},
    {VERB_POST, "/v1/filteredUnblockKeyApprovalTask", TL, 64 * KB, api_tasks, 1 << KIND_UNBLOCK},
    {VERB_POST, "/v1/filteredModifyKeyApprovalTask", TL, 64 * KB, api_tasks, 1 << KIND_MODIFY},
    {VERB_POST, "/v1/filteredCertificateRequestApprovalTask", TL, 64 * KB, api_tasks,
	1 << KIND_CERTIFICATE_REQUEST},
    {VERB_POST, "/v1/filteredSignCertificateApprovalTask", TL, 64 * KB, api_tasks,
	1 << KIND_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/filteredSelfSignCertificateApprovalTask", TL, 64 * KB, api_tasks,
	1 << KIND_SELF_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/filteredAllApprovalTask", TL, 64 * KB, api_tasks, ALL_KINDS},
    {VERB_POST, "/v1/filteredApprovedRequests", AP, 64 * KB, api_requests_approved, 0},
    {VERB_POST, "/v1/approval", AP, 4 * MB, api_approval, 0},
    {VERB_PATCH, "/v1/task", AP, 64 * KB, api_task_reject, 0},
    {VERB_DELETE, "/v1/task", AP, 64 * KB, api_task_reject, 0},
    {VERB_POST, "/v1/task", AP, 64 * KB, api_task_reject, 0},

    {VERB_POST, "/v1/key", KM, 4 * MB, api_key_create, 0},
    {VERB_POST, "/v1/key/import/attributes", KM, 4 * MB, api_attributes_import, 0},
    {VERB_GET, "/v1/key", KM, 0, api_key_list, 0},
    {VERB_POST, "/v1/key/attributes", KM, 64 * KB, api_key_attributes, 0},
    {VERB_GET, "/v1/key/{keyName}/attributes", KM, 0, api_key_attributes_by_name, 0},
    {VERB_POST, "/v1/key/deleteKey", KM, 64 * KB, api_key_delete, 0},
    {VERB_DELETE, "/v1/key/{keyName}", KM, 0, api_key_delete_by_name, 0},

    {VERB_POST, "/v1/synchronousSign", KO, 4 * MB, api_synchronous, KIND_SIGN},
    {VERB_POST, "/v1/synchronousDecrypt", KO, 4 * MB, api_synchronous, KIND_DECRYPT},
    {VERB_POST, "/v1/synchronousUnwrap", KO, 4 * MB, api_synchronous, KIND_UNWRAP},
    {VERB_POST, "/v1/synchronousBlock", KO, 4 * MB, api_synchronous, KIND_BLOCK},
    {VERB_POST, "/v1/synchronousUnblock", KO, 4 * MB, api_synchronous, KIND_UNBLOCK},
    {VERB_POST, "/v1/synchronousModify", KM, 4 * MB, api_synchronous, KIND_MODIFY},
    {VERB_POST, "/v1/encrypt", KO, 256 * KB, api_encrypt, 0},
    {VERB_POST, "/v1/wrap", KO, 64 * KB, api_wrap, 0},
    {VERB_POST, "/v1/certificate/import/plain", CT, 128 * KB, api_certificate_import, 0},
    {VERB_GET, "/v1/certificate/{keyName}", CT, 0, api_certificate_get, 0},
    {VERB_DELETE, "/v1/certificate/{keyName}", CT, 0, api_certificate_delete, 0},
    {VERB_POST, "/v1/certificate/request", CT, 4 * MB, api_request_create,
	KIND_CERTIFICATE_REQUEST},
    {VERB_POST, "/v1/certificate/sign", CT, 4 * MB, api_request_create, KIND_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/certificate/selfsign", CT, 4 * MB, api_request_create,
	KIND_SELF_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/certificate/synchronous/request", CT, 4 * MB, api_certificate,
	KIND_CERTIFICATE_REQUEST},
    {VERB_POST, "/v1/certificate/synchronous/request/download", CT, 4 * MB, api_certificate_file,
	KIND_CERTIFICATE_REQUEST},
    {VERB_POST, "/v1/certificate/synchronous/sign", CT, 4 * MB, api_certificate,
	KIND_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/certificate/synchronous/selfsign", CT, 4 * MB, api_certificate,
	KIND_SELF_SIGN_CERTIFICATE},
    {VERB_POST, "/v1/certificate/synchronous/create/selfSigned", CT, 4 * MB, api_certificate,
	KIND_SELF_SIGN_CERTIFICATE},

    {VERB_POST, "/v1/verify", KO, 4 * MB, api_verify, 0},
    {VERB_GET, "/v1/generateRandom/{length}", KO | SV, 0, api_random, 0},

    {VERB_POST, "/v1/approverManagement/create", AM, 64 * KB, api_approver_create, 0},
    {VERB_PUT, "/v1/approverManagement/create", AM, 64 * KB, api_approver_create, 0},
    {VERB_POST, "/v1/approver/onboard", AP, 64 * KB, api_approver_onboard, 0},
    {VERB_POST, "/v1/approverManagement/onboard", AM, 64 * KB, api_approver_onboard, 0},
    {VERB_POST, "/v1/approverManagement/restoreFromBackup", AM, 64 * KB, api_approver_renew, 1},
    {VERB_POST, "/v1/approverManagement/restoreFromBackup/forgotPassword", AM, 64 * KB,
	api_approver_forgot, 0},
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
    {VERB_GET, NULL, 0, 0, NULL, 0},
};

/* What is known of keys without asking an HSM. */
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
};

const struct web_route *
fcgi_routes(bool air_gapped)
{
	static struct web_route own[TSB_COUNT(routes)];

	if (!air_gapped)
		return routes;
	for (size_t i = 0; i < TSB_COUNT(routes); i++) {
		own[i] = routes[i];
		for (size_t r = 0; r < TSB_COUNT(replacements); r++)
			if (routes[i].serve == replacements[r].online)
				own[i].serve = replacements[r].air_gapped;
	}
	return own;
}
