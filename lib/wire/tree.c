#include "lib/first.h"

#include <string.h>

#include "lib/wire/tree.h"

bool
tree_is(struct json_object *v, enum json_type type)
{
	return json_object_is_type(v, type);
}

struct tsb_view
tree_text(struct json_object *v)
{
	return tsb_view_of(json_object_get_string(v), (size_t)json_object_get_string_len(v));
}

static void
wipe_strings(struct json_object *v)
{
	if (tree_is(v, json_type_string)) {
		struct tsb_view text = tree_text(v);

		tsb_wipe((void *)(uintptr_t)text.p, text.n);
	} else if (tree_is(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++)
			wipe_strings(json_object_array_get_idx(v, i));
	} else if (tree_is(v, json_type_object)) {
		json_object_object_foreach(v, name, member)
		{
			(void)name;
			wipe_strings(member);
		}
	}
}

void
tree_close(struct json_object **root)
{
	wipe_strings(*root);
	json_object_put(*root);
	*root = NULL;
}

/*
 * Parsing one string of n characters before and after the text makes the tokener's work buffer
 * large enough to stay where it is, and then overwrites it: no password is left in freed memory.
 */
static void
fill_buffer(struct json_tokener *t, size_t n)
{
	tsb_bytes_auto filler = {0};
	struct json_object *v;

	memset(tsb_bytes_grow(&filler, n + 2), 'x', n + 2);
	filler.p[0] = filler.p[n + 1] = '"';
	v = json_tokener_parse_ex(t, (const char *)filler.p, (int)filler.n);
	if (v == NULL)
		fatal("json-c cannot hold a string of %zu bytes", n);
	json_object_put(v);
	json_tokener_reset(t);
}

static bool
holds_secret(struct tsb_view compact)
{
	return memmem(compact.p, compact.n, "assword\":", 9) != NULL;
}

/* The scanner has accepted the text: it fails only where json-c reads less than RFC 8259. */
int
tree_open(struct tsb_view compact, struct json_object **root, struct tsb_err *err)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *v;
	bool secret = holds_secret(compact);
	enum json_tokener_error error;

	if (t == NULL)
		fatal("out of memory");
	if (secret)
		fill_buffer(t, compact.n);
	/*
	 * Not JSON_TOKENER_STRICT: json-c 0.18 then refuses every byte above 127 in a string, and
	 * our own scanner has let only strict JSON through.
	 */
	v = json_tokener_parse_ex(t, (const char *)compact.p, (int)compact.n);
	error = json_tokener_get_error(t);
	if (error == json_tokener_success && json_tokener_get_parse_end(t) != compact.n)
		error = json_tokener_error_parse_unexpected;
	json_tokener_reset(t);
	if (secret)
		fill_buffer(t, compact.n);
	json_tokener_free(t);
	if (error != json_tokener_success) {
		tree_close(&v);
		return tsb_fail(err, TSB_E_INPUT, "Invalid request. Cannot parse json string: %s",
		    json_tokener_error_desc(error));
	}
	*root = v;
	return 0;
}
