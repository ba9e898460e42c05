/* Words: the table as its scheme says, and its published example. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/qr/words.h"

static void
test_words_rise_and_differ_in_their_ends(void **state)
{
	bool seen[26][26] = {{false}};

	(void)state;
	for (size_t i = 0; i < 256; i++) {
		const char *word = qr_words[i];

		assert_int_equal(strlen(word), 4);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz"), 4);
		assert_true(i == 0 || strcmp(qr_words[i - 1], word) < 0);
		assert_false(seen[word[0] - 'a'][word[3] - 'a']);
		seen[word[0] - 'a'][word[3] - 'a'] = true;
	}
}

static void
test_words_format_published_example(void **state)
{
	static const unsigned char seed[] = {0xd9, 0x01, 0x2c, 0xa2, 0x01, 0x50, 0xc7, 0x09, 0x85,
	    0x80, 0x12, 0x5e, 0x2a, 0xb0, 0x98, 0x12, 0x53, 0x46, 0x8b, 0x2d, 0xbc, 0x52, 0x02,
	    0xd8, 0x64, 0x19, 0x47, 0xda};
	tsb_bytes_auto text = {0};

	(void)state;
	qr_words_format(tsb_view_of(seed, sizeof(seed)), " ", &text);
	assert_string_equal(tsb_bytes_cstr(&text),
	    "tuna acid draw oboe acid good slot axis limp lava brag holy door puff monk brag guru "
	    "frog luau drop roof grim also trip idle chef fuel twin");
}

static void
test_words_format_appends_and_separates(void **state)
{
	static const unsigned char three[] = {0, 127, 255};
	tsb_bytes_auto text = {0};

	(void)state;
	qr_words_format(tsb_view_of(NULL, 0), "-", &text);
	assert_int_equal(text.n, 0);
	tsb_bytes_add_str(&text, "> ");
	qr_words_format(tsb_view_of(three, 3), "-", &text);
	assert_string_equal(tsb_bytes_cstr(&text), "> able-lamb-zoom");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_rise_and_differ_in_their_ends),
	    cmocka_unit_test(test_words_format_published_example),
	    cmocka_unit_test(test_words_format_appends_and_separates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
