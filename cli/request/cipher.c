/* tsb encrypt and tsb decrypt. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/request.h"

#define CIPHERTEXT_FILE_MAX (2 * WIRE_PAYLOAD_MAX) /* as base64 or inside JSON */

static int
need_cipher(struct cli *c)
{
	if (c->opt[OPT_ALGORITHM] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --algorithm, for example RSA_PADDING_OAEP_WITH_SHA256 or AES_GCM");
	return 0;
}

/* Members that encryption and decryption have in common. */
static int
put_cipher(struct cli *c, struct tsb_bytes *body)
{
	tsb_bytes_auto aad = {0};
	long bits;

	if (cli_number(c, OPT_TAG_LENGTH, 0, 128, 0, &bits))
		return -1;
	if (c->opt[OPT_AAD] != NULL && file_read(c->opt[OPT_AAD], WIRE_PAYLOAD_MAX, &aad, &c->err))
		return -1;
	body_text(body, "cipherAlgorithm", c->opt[OPT_ALGORITHM]);
	if (aad.n > 0)
		body_base64(body, "additionalAuthenticationData", tsb_view_bytes(&aad));
	if (c->opt[OPT_TAG_LENGTH] != NULL)
		body_number(body, "tagLength", bits);
	return 0;
}

/* What `tsb encrypt` prints. */
struct encrypted {
	const char *payload, *iv;
};

static int
encrypted_parse(struct cli *c, struct tsb_view body, struct encrypted *out, struct tsb_err *err)
{
	if (wire_client_text_parse(body, "encryptedPayload", &c->arena, &out->payload, err) ||
	    wire_client_text_parse(body, "initializationVector", &c->arena, &out->iv, err))
		return -1;
	if (out->payload == NULL)
		return tsb_fail(err, TSB_E_IO, "encryptedPayload is missing");
	return 0;
}

/*
 * The bytes to --out; else the base64 alone, or with the initialization vector that belongs to it.
 */
static int
give_encrypted(struct cli *c, struct tsb_view answer)
{
	struct encrypted e;
	struct tsb_view bytes;
	doc_auto t = {0};

	if (encrypted_parse(c, answer, &e, &c->err))
		return session_misread(c);
	if (!enc_base64_decode(tsb_view_str(e.payload), &c->arena, &bytes)) {
		tsb_fail(&c->err, TSB_E_IO, "encryptedPayload is not base64");
		return session_misread(c);
	}
	if (c->opt[OPT_OUT] != NULL && file_write(c->opt[OPT_OUT], FILE_PUBLIC, bytes, &c->err))
		return -1;
	if (c->json) {
		output_body(answer);
		return 0;
	}
	if (e.iv == NULL) {
		if (c->opt[OPT_OUT] == NULL)
			output_line(e.payload);
		return 0;
	}
	doc_start(&t, false);
	if (c->opt[OPT_OUT] == NULL)
		doc_text(&t, "encrypted payload", e.payload);
	doc_text(&t, "iv", e.iv);
	doc_print(&t);
	return 0;
}

int
cli_encrypt(struct cli *c)
{
	tsb_bytes_auto plain = {0}, body = {0}, answer = {0};

	if (need_cipher(c) ||
	    file_read(c->argc > 1 ? c->argv[1] : "-", WIRE_PAYLOAD_MAX, &plain, &c->err))
		return -1;
	if (plain.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is nothing to encrypt: the input is empty");
	body_open(&body, NULL);
	body_open(&body, "encryptRequest");
	body_text(&body, "encryptKeyName", c->argv[0]);
	body_base64(&body, "payload", tsb_view_bytes(&plain));
	if (session_put_password(c, &body, "keyPassword") || put_cipher(c, &body))
		return -1;
	body_close(&body);
	body_close(&body);
	if (session_call(c, "POST", "/v1/encrypt", tsb_view_bytes(&body), &answer))
		return -1;
	return give_encrypted(c, tsb_view_bytes(&answer));
}

/* A file of bytes or base64, or what `tsb encrypt --json` printed: that brings its own vector. */
static int
read_ciphertext(struct cli *c, struct tsb_view *payload, const char **iv)
{
	const char *path = c->argc > 1 ? c->argv[1] : "-";
	struct encrypted e;
	struct tsb_err ignored;

	if (file_read_base64(path, CIPHERTEXT_FILE_MAX, &c->arena, payload, &c->err))
		return -1;
	if (payload->p[0] != '{' || encrypted_parse(c, *payload, &e, &ignored))
		return 0;
	if (!enc_base64_decode(tsb_view_str(e.payload), &c->arena, payload))
		return tsb_fail(&c->err, TSB_E_INPUT, "encryptedPayload in %s is not base64", path);
	if (*iv == NULL)
		*iv = e.iv;
	return 0;
}

int
cli_decrypt(struct cli *c)
{
	const char *iv = c->opt[OPT_IV];
	struct tsb_view payload, ignored;
	tsb_bytes_auto body = {0};

	if (need_cipher(c) || read_ciphertext(c, &payload, &iv))
		return -1;
	if (iv != NULL && !enc_base64_decode(tsb_view_str(iv), &c->arena, &ignored))
		return tsb_fail(&c->err, TSB_E_INPUT, "--iv is not base64");
	if (request_open(c, &body))
		return -1;
	body_base64(&body, "encryptedPayload", payload);
	body_text(&body, "initializationVector", iv);
	if (put_cipher(c, &body))
		return -1;
	return request_create(c, &body);
}
