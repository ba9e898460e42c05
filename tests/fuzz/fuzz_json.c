/*
 * Every JSON reader: the first byte picks one, the rest is the body. Besides not crashing: compact
 * text is its own compact form, refusals are told, and what is written from an accepted body is
 * read again with the same meaning.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/wire/automated.h"
#include "lib/wire/custody.h"
#include "lib/wire/wire.h"
#include "tests/fuzz/fuzz.h"

/* A refusal has a row of the table and a sentence. */
static bool
refused(int result, const struct tsb_err *err)
{
	MUST(result == 0 || (result == -1 && err->code != TSB_OK && err->msg[0] != '\0'));
	return result != 0;
}

static void
check_written(const struct tsb_bytes *out, struct arena *a)
{
	struct tsb_view compact;
	struct tsb_err err = {0};

	MUST(wire_compact(tsb_view_bytes(out), a, &compact, &err) == 0);
	MUST(tsb_view_eq(compact, tsb_view_bytes(out)));
}

static void
fuzz_compact(struct tsb_view body, struct arena *a)
{
	static const char *const names[] = {"a", "signRequest", ""};
	struct tsb_view once, twice, value;
	struct tsb_err err = {0};

	if (!refused(wire_compact(body, a, &once, &err), &err)) {
		MUST(wire_compact(once, a, &twice, &err) == 0);
		MUST(tsb_view_eq(once, twice));
	} else {
		once = body; /* walking must be safe on any bytes */
	}
	for (size_t i = 0; i < TSB_COUNT(names); i++)
		if (wire_member_text(once, names[i], &value))
			MUST(value.n > 0 && value.p >= once.p &&
			    value.p + value.n <= once.p + once.n);
}

static void
show_task(const struct tsb_request_in *in, struct arena *a)
{
	struct tsb_task_view task = {
	    .request = {.kind = in->kind,
		.payload_type = in->payload_type,
		.meta_data = in->meta_data,
		.meta_data_signature = in->meta_data_signature,
		.envelope = in->envelope,
		.inner_clean = in->inner_clean,
		.token = in->payload},
	};
	struct tsb_request_view status = {.request = {.result = tsb_view_str(in->key_name)}};
	tsb_bytes_auto out = {0};

	wire_tasks_format(&task, 1, 6, &status, false, &out);
	check_written(&out, a);
}

static void
fuzz_request(enum tsb_kind kind, struct tsb_view body, struct arena *a)
{
	struct tsb_request_in in;
	struct wire_synchronous_in back;
	struct tsb_view again;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (refused(wire_request_parse(kind, body, a, &in, &err), &err))
		return;
	MUST(in.kind == kind && in.key_name != NULL && in.key_name[0] != '\0');
	MUST(in.payload.n <= WIRE_PAYLOAD_MAX);
	MUST(wire_member_text(in.envelope, tsb_kinds[kind].envelope, &again));
	MUST(tsb_view_eq(again, in.inner));
	show_task(&in, a);
	MUST(wire_synchronous_format(kind, in.inner_clean, in.key_password, &in.payload,
		 in.payload.n > 0 ? 1 : 0, &out, &err) == 0);
	check_written(&out, a);
	MUST(wire_synchronous_parse(kind, tsb_view_bytes(&out), a, &back, &err) == 0);
	MUST(strcmp(back.request.key_name, in.key_name) == 0);
	MUST(tsb_view_eq(back.request.key_password, in.key_password));
	MUST(tsb_view_eq(back.request.payload, in.payload));
	MUST(tsb_view_eq(back.request.inner_clean, in.inner_clean));
	MUST((back.request.policy != NULL) == (in.policy != NULL));
}

static void
fuzz_key_create(struct tsb_view body, struct arena *a)
{
	struct wire_key_create k, back;
	struct tsb_err err = {0};
	tsb_bytes_auto once = {0}, twice = {0};

	if (refused(wire_key_create_parse(body, a, &k, &err), &err))
		return;
	MUST(k.label != NULL && k.algorithm != NULL);
	wire_policy_format(&k.policy, true, &once);
	if (!k.has_policy)
		return;
	tsb_bytes_add_str(&twice,
	    "{\"label\":\"k\",\"algorithm\":\"EC\",\"attributes\":"
	    "{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"policy\":");
	tsb_bytes_add_view(&twice, tsb_view_bytes(&once));
	tsb_bytes_add_str(&twice, "}");
	MUST(wire_key_create_parse(tsb_view_bytes(&twice), a, &back, &err) == 0);
	tsb_bytes_reset(&twice);
	wire_policy_format(&back.policy, true, &twice);
	MUST(tsb_view_eq(tsb_view_bytes(&once), tsb_view_bytes(&twice)));
}

static void
fuzz_timestamp(struct tsb_view body, struct arena *a)
{
	struct wire_timestamp_request r, back;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (refused(wire_timestamp_request_parse(body, a, &r, &err), &err))
		return;
	wire_timestamp_request_format(&r, &out);
	MUST(wire_timestamp_request_parse(tsb_view_bytes(&out), a, &back, &err) == 0);
	MUST(back.operation == r.operation && tsb_view_eq(back.payload, r.payload));
	MUST(tsb_view_eq(back.key_password, r.key_password));
}

static void
fuzz_timestamp_reply(struct tsb_view body, struct arena *a)
{
	struct wire_timestamp_reply r, back;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (refused(wire_timestamp_reply_parse(body, a, &r, &err), &err))
		return;
	wire_timestamp_reply_format(&r, &out);
	MUST(wire_timestamp_reply_parse(tsb_view_bytes(&out), a, &back, &err) == 0);
	MUST(tsb_view_eq(back.timestamp, r.timestamp));
	MUST(memcmp(back.attributes_digest, r.attributes_digest, TSB_SHA256) == 0);
}

static void
fuzz_key_ref(struct tsb_view body, struct arena *a)
{
	struct wire_key_ref ref, back;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (refused(wire_key_ref_parse(body, a, &ref, &err), &err))
		return;
	wire_key_ref_format(&ref, &out);
	MUST(wire_key_ref_parse(tsb_view_bytes(&out), a, &back, &err) == 0);
	MUST(strcmp(back.label, ref.label) == 0 && tsb_view_eq(back.password, ref.password));
}

static void
fuzz_key_list(struct tsb_view body, struct arena *a)
{
	const char **labels, **back;
	size_t n, nback;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (refused(wire_key_list_parse(body, a, &labels, &n, &err), &err))
		return;
	wire_key_list_format(labels, n, &out);
	MUST(wire_key_list_parse(tsb_view_bytes(&out), a, &back, &nback, &err) == 0 && nback == n);
	for (size_t i = 0; i < n; i++)
		MUST(strcmp(labels[i], back[i]) == 0);
}

static void
fuzz_custody(struct tsb_view body, struct arena *a)
{
	struct wire_approver_create create;
	struct wire_approver_onboard onboard;
	struct wire_approver_password password;
	struct tsb_approver *rows;
	struct tsb_err err = {0};
	const char *name;
	size_t n;

	if (!refused(wire_approver_create_parse(body, a, &create, &err), &err))
		MUST(
		    create.backup_password.n > 0 && create.key_size >= 2048 && create.validity > 0);
	if (!refused(wire_approver_onboard_parse(body, a, &onboard, &err), &err))
		MUST(onboard.transport_password.n == 16 || onboard.transport_password.n == 32);
	if (!refused(wire_approver_change_parse(body, a, &password, &err), &err))
		MUST(password.old_password.n > 0 && password.new_password.n > 0);
	if (!refused(wire_approver_forgot_parse(body, a, &password, &err), &err))
		MUST(password.old_password.n == 0 && password.new_password.n > 0);
	if (!refused(wire_approver_name_parse(body, a, &name, &err), &err))
		MUST(*name != '\0' && strlen(name) <= 255);
	if (!refused(wire_approvers_read(body, a, &rows, &n, &err), &err))
		for (size_t i = 0; i < n; i++)
			MUST(rows[i].certificate.n > 0);
}

/* Readers of which nothing is written. */
static void
fuzz_others(struct tsb_view body, struct arena *a)
{
	struct tsb_task_filter filter;
	struct tsb_approval_in approval;
	struct tsb_key_attributes attributes;
	struct wire_verify verify;
	struct wire_request_filter list;
	struct tsb_request_filter details;
	struct wire_executed executed;
	struct tsb_view member;
	struct tsb_err err = {0};

	if (!refused(wire_task_filter_parse(body, a, &filter, &err), &err))
		MUST(filter.level >= 1 && filter.level <= 6 &&
		    (!filter.paged || (filter.page_size >= 1 && filter.page_size <= 1000)));
	if (!refused(wire_approval_parse(body, a, &approval, &err), &err))
		MUST(approval.rejects == (approval.token.n == 0));
	if (!refused(wire_task_delete_parse(body, a, &approval, &err), &err))
		MUST(approval.rejects);
	if (!refused(wire_key_attributes_parse(body, a, &attributes, &err), &err))
		MUST(attributes.xml.n > 0);
	if (!refused(wire_verify_parse(body, a, &verify, &err), &err))
		MUST(verify.key_name != NULL && verify.signature.n > 0);
	if (!refused(wire_text_member_parse(body, "signature", a, &member, &err), &err))
		MUST(member.n > 0);
	if (!refused(wire_executed_parse(body, a, &executed, &err), &err))
		MUST(executed.output.n == 0 || executed.output.p != NULL);
	if (!refused(wire_request_filter_parse(body, a, &list, &err), &err))
		MUST(list.limit > 0);
	if (!refused(wire_request_details_filter_parse(body, a, &details, &err), &err))
		MUST(details.limit >= 1 && details.limit <= 1000);
	MUST(wire_error_raise(body, 500, &err) == -1 && err.code != TSB_OK);
	fuzz_custody(body, a);
}

/* What the HSM is asked for without a policy's leave. */
static void
fuzz_operations(struct tsb_view body, struct arena *a)
{
	struct wire_encrypt encrypt;
	struct wire_wrap wrap;
	struct wire_hmac hmac;
	struct wire_certificate certificate;
	tsb_bytes_auto out = {0};
	struct tsb_view compact, text;
	struct tsb_err err = {0};

	if (!refused(wire_encrypt_parse(body, a, &encrypt, &err), &err))
		MUST(encrypt.key_name != NULL && encrypt.payload.n > 0 &&
		    encrypt.cipher.tag_length >= 0 && encrypt.cipher.tag_length <= 128);
	if (!refused(wire_wrap_parse(body, a, &wrap, &err), &err))
		MUST(wrap.key_to_wrap != NULL && wrap.key_name != NULL && wrap.method != NULL);
	if (!refused(wire_hmac_parse(body, a, &hmac, &err), &err))
		MUST(hmac.key_name != NULL && hmac.payload.n > 0 && hmac.mac.n == 0);
	if (!refused(wire_hmac_verify_parse(body, a, &hmac, &err), &err))
		MUST(wire_is_hmac_verify(body, a) && hmac.payload.n > 0 && hmac.mac.n > 0);
	if (refused(wire_certificate_import_parse(body, a, &certificate, &err), &err))
		return;
	wire_certificate_format(&certificate, &out);
	MUST(wire_compact(tsb_view_bytes(&out), a, &compact, &err) == 0);
	MUST(wire_member_text(compact, "certificate", &text) && text.n > certificate.der.n);
}

typedef void fuzz_fn(struct tsb_view body, struct arena *a);
static fuzz_fn *const readers[] = {fuzz_compact, fuzz_key_create, fuzz_timestamp,
    fuzz_timestamp_reply, fuzz_key_ref, fuzz_key_list, fuzz_others, fuzz_operations};

#define KINDS (KIND_SELF_SIGN_CERTIFICATE + 1) /* the others are made by the broker itself */

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	arena_auto a = {0};
	struct tsb_view body;
	unsigned char pick;

	if (n == 0)
		return 0;
	body = tsb_view_of(data + 1, n - 1);
	/* '@' stands for the first kind, 'A' for the second, and so on; then the readers */
	pick = (unsigned char)(data[0] - '@') % (KINDS + TSB_COUNT(readers));
	if (pick < KINDS)
		fuzz_request((enum tsb_kind)pick, body, &a);
	else
		readers[pick - KINDS](body, &a);
	return 0;
}
