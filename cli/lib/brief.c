#include "lib/first.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/clock.h"

#include "cli/lib/brief.h"
#include "cli/lib/printable.h"

const char *
brief_text(struct arena *a, struct tsb_view text, size_t columns)
{
	tsb_bytes_auto out = {0};

	printable_cut(text, columns, &out);
	return arena_strn(a, out.p, out.n);
}

const char *
brief_span(struct arena *a, int64_t seconds)
{
	if (seconds < 60)
		return arena_printf(a, "%" PRId64 " s", seconds > 0 ? seconds : 0);
	if (seconds < 2 * 3600)
		return arena_printf(a, "%" PRId64 " min", seconds / 60);
	if (seconds < 2 * 86400)
		return arena_printf(a, "%" PRId64 " h", seconds / 3600);
	return arena_printf(a, "%" PRId64 " d", seconds / 86400);
}

const char *
brief_until(struct arena *a, int64_t end)
{
	char day[CLOCK_ISO_SIZE], today[CLOCK_ISO_SIZE];
	int64_t now = clock_now_ms() / 1000, left = end - now;

	clock_iso(end, day);
	clock_iso(now, today);
	if (left <= 0)
		return arena_printf(a, "until %.16sZ, over", day);
	if (strncmp(day, today, 10) == 0)
		return arena_printf(a, "until %.5sZ, in %s", day + 11, brief_span(a, left));
	return arena_printf(a, "until %.16sZ, in %s", day, brief_span(a, left));
}
