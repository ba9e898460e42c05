#include "lib/first.h"

#include "lib/wire/wire.h"

#include "cli/key/commands.h"
#include "cli/key/key.h"
#include "cli/key/view.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

int
cli_key_list(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	const char **labels;
	size_t n, i;

	if (session_call(c, "GET", "/v1/key", tsb_view_of(NULL, 0), &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_key_list_parse(tsb_view_bytes(&answer), &c->arena, &labels, &n, &c->err))
		return session_misread(c);
	for (i = 0; i < n; i++)
		output_line(labels[i]);
	return 0;
}

int
key_put_reference(struct cli *c, struct tsb_bytes *body)
{
	body_open(body, NULL);
	body_text(body, "label", c->argv[0]);
	if (session_put_password(c, body, "password"))
		return -1;
	body_close(body);
	return 0;
}

int
cli_key_show(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};

	if (key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), &answer))
		return -1;
	return keyview_print(c, tsb_view_bytes(&answer));
}

int
cli_key_delete(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	bool yes = c->opt[OPT_YES] != NULL;
	const char *question = arena_printf(&c->arena, "Destroy the key %s for ever?", c->argv[0]);

	if (!yes && ask_yes(question, &yes, &c->err))
		return -1;
	if (!yes)
		return tsb_fail(&c->err, TSB_E_INPUT, "nothing was deleted");
	if (key_put_reference(c, &body))
		return -1;
	return session_call(c, "POST", "/v1/key/deleteKey", tsb_view_bytes(&body), &answer);
}
