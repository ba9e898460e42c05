/* tsb-fcgi: the REST API as a FastCGI responder. */
#ifndef TSB_FCGI_H
#define TSB_FCGI_H

#include "lib/base/uuid.h"
#include "lib/web/web.h"

/*
 * The routes of a profile; they end with pattern NULL. Where there is no HSM, some are answered
 * from what was imported of its keys; the others that need one are TSB_E_UNSUPPORTED_OPERATION.
 */
const struct web_route *fcgi_routes(bool air_gapped);

/* {id} of the path; TSB_E_INVALID_UUID. */
int fcgi_path_id(const struct web_request *rq, struct tsb_uuid *id, struct tsb_err *err)
    TSB_MUSTCHECK;
/* {keyName} of the path, in rq; TSB_E_KEY_NAME when it cannot be a label. */
int fcgi_path_key(const struct web_request *rq, const char **label, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * -1. A certificate that is not there is the caller's mistake: the status is 404, whatever the row
 * of the error says (api-notes.md 9.4).
 */
int fcgi_not_there(struct web_reply *reply, const struct tsb_err *err);

/* Handlers of the table in routes.c; the app of a worker is its struct flow. */
web_serve_fn api_request_create; /* arg: enum tsb_kind */
web_serve_fn api_request_get;
web_serve_fn api_request_cancel;
web_serve_fn api_requests_list;
web_serve_fn api_requests_details;
web_serve_fn api_tasks; /* arg: enum tsb_kind, whose tasks are asked for */
web_serve_fn api_all_tasks;
web_serve_fn api_requests_approved;
web_serve_fn api_approval;
web_serve_fn api_task_reject;
web_serve_fn api_key_create;
web_serve_fn api_key_attestation;
web_serve_fn api_attestations;
web_serve_fn api_attestation_chain, api_key_derive, api_xpub;
web_serve_fn api_key_import;
web_serve_fn api_key_export;
web_serve_fn api_key_export_by_name;
web_serve_fn api_key_password;
web_serve_fn api_key_change;
web_serve_fn api_object_create;
web_serve_fn api_object_list;
web_serve_fn api_object_get;
web_serve_fn api_object_delete;
web_serve_fn api_key_list;
web_serve_fn api_key_attributes;
web_serve_fn api_key_attributes_by_name;
web_serve_fn api_key_address;
web_serve_fn api_key_address_by_name;
web_serve_fn api_key_delete;
web_serve_fn api_key_delete_by_name;
web_serve_fn api_synchronous; /* arg: enum tsb_kind */
web_serve_fn api_encrypt;
web_serve_fn api_wrap;
web_serve_fn api_certificate_import;
web_serve_fn api_certificate_get;
web_serve_fn api_certificate_delete;
web_serve_fn api_certificate; /* arg: enum tsb_kind */
web_serve_fn api_certificate_file; /* arg: enum tsb_kind */
/* The same without an HSM (imported.c). */
web_serve_fn imported_key_list;
web_serve_fn imported_key_attributes;
web_serve_fn imported_key_attributes_by_name;
web_serve_fn imported_key_delete;
web_serve_fn imported_key_delete_by_name;
web_serve_fn imported_certificate_import;
web_serve_fn imported_certificate_get;
web_serve_fn imported_certificate_delete;
web_serve_fn api_attributes_import;
web_serve_fn apart_statistics;
web_serve_fn apart_log;
web_serve_fn api_verify;
web_serve_fn api_hmac;
web_serve_fn api_hmac_verify;
web_serve_fn api_random;
web_serve_fn api_rfc_timestamp;
web_serve_fn api_file; /* arg: enum wire_file_call; it streams */
web_serve_fn api_approver_create;
web_serve_fn api_approver_onboard;
web_serve_fn api_approver_renew; /* arg: whether also for an onboarded approver */
web_serve_fn api_approver_forgot;
web_serve_fn api_approver_change_password;
web_serve_fn api_approver_status;
web_serve_fn api_approver_delete;
web_serve_fn api_request_qr;
web_serve_fn api_request_package;
web_serve_fn api_package;
web_serve_fn api_offline_result;
web_serve_fn api_version;
web_serve_fn api_license;
web_serve_fn api_statistics;
web_serve_fn api_log;
web_serve_fn api_log_lines;

#endif
