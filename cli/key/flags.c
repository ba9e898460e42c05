#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"

#include "cli/key/flags.h"
#include "cli/lib/body.h"

/* In the order of the API; the first three are required of a new key. */
static const char *const of_keys[] = {"decrypt", "sign", "unwrap", "derive", "extractable",
    "modifiable", "destroyable", "sensitive", "copyable", "encrypt", "verify", "wrap", "bip32",
    "slip10"};
#define REQUIRED_OF_KEYS 3
static const char *const of_data[] = {"private", "modifiable", "destroyable"};

enum flag { NOT_GIVEN, ON, OFF };

/* value: one of each name. */
static int
read_flags(struct cli *c, const char *text, const char *const *names, size_t n, enum flag *value)
{
	char *rest = arena_str(&c->arena, text), *word;

	while ((word = strsep(&rest, ",")) != NULL) {
		const bool no = strncmp(word, "no-", 3) == 0;
		size_t i;

		if (!*word)
			continue;
		for (i = 0; i < n && !tsb_streq(names[i], word + (no ? 3 : 0)); i++)
			;
		if (i == n)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--attributes: there is no attribute '%s'; tsb(1) lists them", word);
		value[i] = no ? OFF : ON;
	}
	return 0;
}

static int
put_named(struct cli *c, const char *const *names, size_t n, struct tsb_bytes *body)
{
	enum flag value[TSB_COUNT(of_keys)] = {NOT_GIVEN};

	if (c->opt[OPT_ATTRIBUTES] == NULL)
		return 0;
	if (read_flags(c, c->opt[OPT_ATTRIBUTES], names, n, value))
		return -1;
	body_open(body, "attributes");
	for (size_t i = 0; i < n; i++)
		if (value[i] != NOT_GIVEN)
			body_bool(body, names[i], value[i] == ON);
	body_close(body);
	return 0;
}

int
flags_put_named(struct cli *c, struct tsb_bytes *body)
{
	return put_named(c, of_keys, TSB_COUNT(of_keys), body);
}

int
flags_put_data(struct cli *c, struct tsb_bytes *body)
{
	return put_named(c, of_data, TSB_COUNT(of_data), body);
}

/* What the API takes for on when it is left out has to be said. */
static bool
is_on_by_default(const char *name)
{
	return tsb_streq(name, "modifiable") || tsb_streq(name, "destroyable");
}

int
flags_put_new(struct cli *c, const char *dflt, struct tsb_bytes *body)
{
	const char *text = c->opt[OPT_ATTRIBUTES] != NULL ? c->opt[OPT_ATTRIBUTES] : dflt;
	enum flag value[TSB_COUNT(of_keys)] = {NOT_GIVEN};

	if (read_flags(c, text, of_keys, TSB_COUNT(of_keys), value))
		return -1;
	body_open(body, "attributes");
	for (size_t i = 0; i < TSB_COUNT(of_keys); i++)
		if (value[i] != NOT_GIVEN || i < REQUIRED_OF_KEYS || is_on_by_default(of_keys[i]))
			body_bool(body, of_keys[i], value[i] == ON);
	body_close(body);
	return 0;
}
