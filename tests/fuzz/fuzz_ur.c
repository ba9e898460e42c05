/*
 * Parts of a Uniform Resource, one a line, as a camera or a stranger gives them. Whatever comes,
 * what is known never shrinks nor exceeds what was announced, a refused part changes nothing, and a
 * text that stands is the text whose parts it was.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/qr/ur.h"
#include "lib/qr/words.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 300

static void
check_text(const struct ur_join *join, struct arena *a)
{
	struct tsb_err err = {0};
	struct tsb_view text;
	ur_auto again = {0};

	if (ur_join_text(join, a, &text, &err)) {
		MUST(err.code == TSB_E_PAYLOAD);
		return;
	}
	MUST(ur_join_complete(join) && text.n > 0 && text.n < join->length);
	/* CBOR has longer forms of the same head; of one length there is one. */
	if (!ur_open(&again, text, UR_FRAGMENT_MAX, &err) && again.length == join->length)
		MUST(again.checksum == join->checksum);
}

static void
add(struct ur_join *join, struct tsb_view line)
{
	struct tsb_err err = {0};
	struct ur_join before = *join;
	bool fresh = false;

	if (ur_join_add(join, line, &fresh, &err)) {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0]);
		MUST(join->begun == before.begun && join->have == before.have);
		return;
	}
	MUST(ur_is_part(line) && join->begun);
	MUST(join->have == before.have + fresh && join->have <= join->n);
	MUST(join->n <= UR_PARTS_MAX);
	MUST((ur_join_percent(join) == 100) == ur_join_complete(join));
	MUST(!ur_join_add(join, line, &fresh, &err) && !fresh);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	arena_auto a = {0};
	ur_join_auto join = {0};
	struct tsb_view bytes;
	size_t begin = 0, lines = 0;

	for (size_t i = 0; i <= size && lines < LINES_MAX; i++)
		if (i == size || data[i] == '\n') {
			add(&join, tsb_view_of(data + begin, i - begin));
			begin = i + 1;
			lines++;
		}
	check_text(&join, &a);
	if (qr_words_minimal_decode(tsb_view_of(data, size), &a, &bytes)) {
		tsb_bytes_auto again = {0};

		qr_words_minimal(bytes, &again);
		MUST(again.n == size);
	}
	return 0;
}
