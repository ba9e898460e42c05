/* What a worker of tsb-hsm works with, and its routes. */
#ifndef TSB_HSM_APP_H
#define TSB_HSM_APP_H

#include "lib/web/web.h"

#include "hsm/settings.h"
#include "hsm/store/keystore.h"
#include "hsm/token.h"

struct hsm_app {
	const struct hsm_settings *conf;
	struct tokens tokens;
	struct keystore *ks; /* close it first: its keys may hold what tokens opened */
};

extern const struct web_route hsm_routes[]; /* ends with pattern NULL */

/* Those of synchronous endpoints have a kind as their arg. */
web_serve_fn serve_key_create, serve_key_list, serve_key_attributes, serve_key_attributes_by_name,
    serve_key_address, serve_key_address_by_name, serve_key_delete, serve_key_delete_by_name,
    serve_sign, serve_verify, serve_random, serve_timestamp, serve_decrypt, serve_encrypt,
    serve_unwrap, serve_wrap, serve_change, serve_certificate_import, serve_certificate_get,
    serve_certificate_delete, serve_version, serve_license, serve_statistics, serve_log,
    serve_log_lines, serve_key_import, serve_key_export, serve_key_export_by_name,
    serve_key_password, serve_object_create, serve_object_get, serve_object_list,
    serve_object_delete, serve_key_change, serve_key_attestation, serve_attestation_list,
    serve_attestation_chain;
web_serve_fn serve_key_derive, serve_xpub, serve_hmac, serve_hmac_verify;
web_serve_fn serve_rfc_timestamp, serve_file_encrypt, serve_file_decrypt;

#endif
