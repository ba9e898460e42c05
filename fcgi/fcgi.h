/* tsb-fcgi: the REST API as a FastCGI responder. */
#ifndef TSB_FCGI_H
#define TSB_FCGI_H

#include "lib/flow/flow.h"
#include "lib/web/web.h"

extern const struct web_route fcgi_routes[]; /* ends with pattern NULL */

/* Handlers of the table in routes.c; the app of a worker is its struct flow. */
web_serve_fn serve_request_create;   /* arg: enum tsb_kind */
web_serve_fn serve_request_get;
web_serve_fn serve_request_cancel;
web_serve_fn serve_requests_list;
web_serve_fn serve_tasks;	     /* arg: bits of 1 << enum tsb_kind */
web_serve_fn serve_requests_approved;
web_serve_fn serve_approval;
web_serve_fn serve_task_reject;
web_serve_fn serve_key_create;
web_serve_fn serve_key_list;
web_serve_fn serve_key_attributes;
web_serve_fn serve_key_attributes_by_name;
web_serve_fn serve_key_delete;
web_serve_fn serve_key_delete_by_name;
web_serve_fn serve_synchronous;	     /* arg: enum tsb_kind */
web_serve_fn serve_verify;
web_serve_fn serve_random;
web_serve_fn serve_version;
web_serve_fn serve_license;

#endif
