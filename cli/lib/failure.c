#include "lib/first.h"

#include <stdio.h>

#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "cli/lib/failure.h"
#include "cli/lib/output.h"
#include "cli/lib/printable.h"

/* Numbers that mean something else for packages and signed attributes than elsewhere. */
static const struct {
	const char *group; /* of the command */
	int number;
	const char *hint;
} group_hints[] = {
    {"offline", 400,
	"sites trust each other by `tsb offline trust` in the room and "
	"airGapped.offlineSiteKeyFile online"},
    {"offline", 403, "copy it again; if that does not help, have it made again where it came from"},
    {"offline", 612,
	"copy or scan it again; if that does not help, have it made again where it "
	"came from"},
    {"key", 403, "attributes are believed that a key of airGapped.attestationKeyFile has signed"},
};

/* What to do next, by catalogue number. */
static const struct {
	int number;
	const char *hint;
} hints[] = {
    {2, "the broker answers, but not what it works with: try again; what was asked before goes on"},
    {102, "the broker may be older than this program, or --url leads elsewhere"},
    {400, "this approver does not belong to the task: check --approver"},
    {401, "the key needs approvals: ask with `tsb sign` instead of the synchronous call"},
    {402,
	"renew the certificate, or use the one that the policy names; a key that signs "
	"certificates needs one itself: `tsb certificate selfsign`"},
    {403, "the signature was not made with this key: check --approver"},
    {404, "check this computer's clock (timedatectl); the server compares it with its own"},
    {411, "the request does not prove that its sender has the key: have it made anew"},
    {413, "the policy names an approver that the broker does not know"},
    {415, "this broker wants requests signed by a listed certificate"},
    {600, "the message names the member; tsb COMMAND --help shows what may be given"},
    {601, "approver keys are RSA, EC, Ed25519 or DSA; `tsb approver new` makes one"},
    {603, "choose another --size"},
    {606,
	"of a new key: see --attributes, with a policy it can never be extractable; of an imported "
	"one: `tsb key attributes` fetches newer ones where the key is"},
    {607, "`tsb key show NAME` tells what the key is; choose another --algorithm"},
    {608, "choose another name; `tsb key show NAME` tells what has this one"},
    {609, "an id looks like 0191f3a2-0000-7000-8000-000000000000"},
    {611, "this broker or this request does not allow it now; `tsb request show` tells its state"},
    {612, "fetch the task again with `tsb tasks`; for pre-hashed algorithms give the digest"},
    {613, "only keys that were made with a policy have one"},
    {614, "an attribute forbids it or the key is blocked: `tsb key show NAME`"},
    {620, "give the key's password with --password-file"},
    {624, "--tag-length is one of 64, 96, 104, 112, 120, 128"},
    {631, NULL}, /* by role, below */
    {650, "`tsb key list` prints the names"},
    {651, "`tsb request list` prints the ids"},
    {652, "it is finished, answered already, or not yours: `tsb tasks` lists what is open"},
    {700, "the broker's database failed; try again, then look at its log"},
    {701,
	"the HSM refused: the approvals did not satisfy the policy, or the key does not allow it"},
    {703, "nobody knows whether it was done: look before you ask again"},
};

static const char *
hint_of(const struct cli *c, int number)
{
	static const char *const api_key[TSB_ROLE__MAX] = {
	    [TSB_ROLE_KEY_MANAGEMENT] = "set TSB_KEY_MANAGEMENT_TOKEN (or --token-file)",
	    [TSB_ROLE_KEY_OPERATION] = "set TSB_KEY_OPERATION_TOKEN (or --token-file)",
	    [TSB_ROLE_APPROVER] = "set TSB_APPROVER_TOKEN (or --token-file)",
	    [TSB_ROLE_SERVICE] = "set TSB_SERVICE_TOKEN (or --token-file)",
	};
	size_t i;

	if (c->next != NULL)
		return c->next;
	if (c->exit == CLI_UNREACHED && c->refused_number == 0)
		return c->program->unreached;
	if (c->exit != CLI_REFUSED && c->exit != CLI_UNREACHED)
		return NULL;
	if (number == 631 || number == 416)
		return api_key[c->role];
	for (i = 0; i < TSB_COUNT(group_hints); i++)
		if (group_hints[i].number == number &&
		    tsb_streq(group_hints[i].group, c->command->group))
			return group_hints[i].hint;
	for (i = 0; i < TSB_COUNT(hints); i++)
		if (hints[i].number == number)
			return hints[i].hint;
	return NULL;
}

static void
failure_json(const struct cli *c, int number, const char *reason, const char *hint)
{
	tsb_bytes_auto out = {0}, shown = {0};

	tsb_bytes_addf(&out, "{\"errorCode\":%d,\"reason\":", number);
	wire_text_format(tsb_view_str(reason), &out);
	tsb_bytes_add_str(&out, ",\"message\":");
	wire_text_format(tsb_view_str(c->err.msg), &out);
	tsb_bytes_add_str(&out, ",\"hint\":");
	if (hint != NULL)
		wire_text_format(tsb_view_str(hint), &out);
	else
		tsb_bytes_add_str(&out, "null");
	tsb_bytes_addf(&out, ",\"exit\":%d}", (int)c->exit);
	printable_add_json(tsb_view_bytes(&out), &shown);
	tsb_bytes_add_str(&shown, "\n");
	fwrite(shown.p, 1, shown.n, stderr);
}

void
failure_print(const struct cli *c)
{
	bool refused = c->exit == CLI_REFUSED;
	bool theirs = refused || (c->exit == CLI_UNREACHED && c->refused_number != 0);
	int number = theirs ? c->refused_number : tsb_err_number(c->err.code);
	const char *reason = theirs ? c->refused_reason : tsb_err_reason(c->err.code);
	const char *name = c->program->name, *hint = hint_of(c, number);
	tsb_bytes_auto text = {0}, out = {0};

	fflush(stdout);
	if (c->json) {
		failure_json(c, number, reason, hint);
		return;
	}
	tsb_bytes_addf(&text, "%s: %s%s", name, refused ? "refused: " : "", c->err.msg);
	if (theirs)
		tsb_bytes_addf(&text, " (%d %s)", number, reason);
	output_message(tsb_view_bytes(&text), &out);
	tsb_bytes_reset(&text);
	if (hint != NULL) {
		tsb_bytes_addf(&text, "%s: next: %s", name, hint);
		output_message(tsb_view_bytes(&text), &out);
	}
	fwrite(out.p, 1, out.n, stderr);
}
