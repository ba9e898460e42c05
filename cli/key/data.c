/* tsb data: small values that an HSM keeps beside its keys. */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/wire/client.h"
#include "lib/wire/wire.h"

#include "cli/key/commands.h"
#include "cli/key/flags.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

#define VALUE_MAX (64 * 1024) /* as the API takes it */

static const char *
path_of(struct cli *c)
{
	return arena_printf(&c->arena, "/v1/dataObject/%s", enc_percent_str(&c->arena, c->argv[0]));
}

int
cli_data_put(struct cli *c)
{
	tsb_bytes_auto value = {0}, body = {0}, answer = {0};

	if (file_read(c->argc > 1 ? c->argv[1] : "-", VALUE_MAX, &value, &c->err))
		return -1;
	if (value.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "there is nothing to keep");
	body_open(&body, NULL);
	body_text(&body, "name", c->argv[0]);
	body_base64(&body, "value", tsb_view_bytes(&value));
	if (flags_put_data(c, &body))
		return -1;
	body_close(&body);
	return session_call(c, "POST", "/v1/dataObject", tsb_view_bytes(&body), &answer);
}

int
cli_data_get(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	struct wire_data_object o;

	if (session_call(c, "GET", path_of(c), (struct tsb_view){0}, &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_data_object_parse(tsb_view_bytes(&answer), &c->arena, &o, &c->err))
		return session_misread(c);
	if (c->opt[OPT_OUT] != NULL)
		return file_write(c->opt[OPT_OUT], FILE_SECRET, o.value, &c->err);
	output_line(enc_base64_str(&c->arena, o.value));
	return 0;
}

int
cli_data_list(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	const char **names;
	size_t n;

	if (session_call(c, "GET", "/v1/dataObject", (struct tsb_view){0}, &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_key_list_parse(tsb_view_bytes(&answer), &c->arena, &names, &n, &c->err))
		return session_misread(c);
	for (size_t i = 0; i < n; i++)
		output_line(names[i]);
	return 0;
}

int
cli_data_delete(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	bool yes = c->opt[OPT_YES] != NULL;

	if (!yes &&
	    ask_yes(arena_printf(&c->arena, "Delete the data object %s for ever?", c->argv[0]),
		&yes, &c->err))
		return -1;
	if (!yes)
		return tsb_fail(&c->err, TSB_E_INPUT, "nothing was deleted");
	return session_call(c, "DELETE", path_of(c), (struct tsb_view){0}, &answer);
}
