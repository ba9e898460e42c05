/* tsb key derive, xpub, address: trees of keys, and what blockchains call a key. */
#include "lib/first.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/keccak.h"
#include "lib/wire/client.h"

#include "cli/key/commands.h"
#include "cli/key/flags.h"
#include "cli/key/key.h"
#include "cli/key/view.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

#define ADDRESS_SIZE 20

/* BIP-32 writes m/44'/0', the API what stands behind the master's name. */
static const char *
path_of(const char *text)
{
	return strncmp(text, "m/", 2) == 0 ? text + 2 : text;
}

int
cli_key_derive(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};

	body_open(&body, NULL);
	body_text(&body, "masterKeyLabel", c->argv[0]);
	if (session_put_password(c, &body, "masterKeyPassword"))
		return -1;
	body_text(&body, "derivationPath", path_of(c->argv[1]));
	if (flags_put_named(c, &body))
		return -1;
	body_close(&body);
	if (session_call(c, "POST", "/v1/derivedKey", tsb_view_bytes(&body), &answer))
		return -1;
	return keyview_print(c, tsb_view_bytes(&answer));
}

int
cli_key_xpub(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	const char *text,
	    *path = arena_printf(&c->arena, "/v1/xpub/%s", enc_percent_str(&c->arena, c->argv[0]));

	if (session_call(c, "GET", path, (struct tsb_view){0}, &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_client_text_parse(tsb_view_bytes(&answer), "xpub", &c->arena, &text, &c->err))
		return session_misread(c);
	if (text == NULL) {
		tsb_fail(&c->err, TSB_E_IO, "xpub is missing");
		return session_misread(c);
	}
	output_line(text);
	return 0;
}

/* ---- addresses ---- */

/* EIP-55: a letter is upper case where the hash of the lower case text has a digit from 8 on. */
static const char *
ethereum_text(struct arena *a, struct tsb_view address)
{
	char *text = arena_printf(a, "0x%s", enc_hex_str(a, address));
	unsigned char hash[32];

	keccak(tsb_view_str(text + 2), sizeof(hash), hash);
	for (size_t i = 0; text[2 + i] != '\0'; i++)
		if ((hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf) >= 8)
			text[2 + i] = (char)toupper((unsigned char)text[2 + i]);
	return text;
}

static int
read_address(struct cli *c, struct tsb_view answer, struct tsb_view *out)
{
	const char *text;

	if (wire_client_text_parse(answer, "address", &c->arena, &text, &c->err))
		return session_misread(c);
	if (text != NULL && enc_base64_decode(tsb_view_str(text), &c->arena, out) &&
	    out->n == ADDRESS_SIZE)
		return 0;
	tsb_fail(&c->err, TSB_E_IO, "address is not %d bytes in base64", ADDRESS_SIZE);
	return session_misread(c);
}

/* The attributes say for which chain it is. */
static int
find_format(struct cli *c, struct tsb_view reference, const char **out)
{
	const struct tsb_view unchecked = {0};
	tsb_bytes_auto answer = {0};
	struct keyview v;

	if (session_call(c, "POST", "/v1/key/attributes", reference, &answer))
		return -1;
	if (keyview_read(c, tsb_view_bytes(&answer), unchecked, &v))
		return session_misread(c);
	*out = v.attributes.address_format;
	return 0;
}

int
cli_key_address(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct tsb_view address;
	const char *format = NULL;
	doc_auto t = {0};

	if (key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/address", tsb_view_bytes(&body), &answer) ||
	    read_address(c, tsb_view_bytes(&answer), &address) ||
	    find_format(c, tsb_view_bytes(&body), &format))
		return -1;
	doc_start(&t, c->json);
	doc_text(&t, "format", format);
	doc_text(&t, "address", enc_hex_str(&c->arena, address));
	if (format != NULL && tsb_streq(format, "ETH"))
		doc_text(&t, "text", ethereum_text(&c->arena, address));
	doc_print(&t);
	return 0;
}
