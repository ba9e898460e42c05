#include "lib/first.h"

#include <string.h>

#include "dispatcher/aside.h"

#define PAUSE_FIRST 250 /* ms */

static size_t
find(const struct aside *s, const struct tsb_uuid *id)
{
	size_t i = 0;

	while (i < s->n && memcmp(&s->row[i].id, id, sizeof(*id)) != 0)
		i++;
	return i;
}

static size_t
place(struct aside *s)
{
	size_t oldest = 0;

	if (s->n < ASIDE_MAX)
		return s->n++;
	for (size_t i = 1; i < s->n; i++)
		if (s->row[i].since < s->row[oldest].since)
			oldest = i;
	return oldest;
}

void
aside_put(struct aside *s, const struct tsb_uuid *id, int64_t now, int64_t most_ms)
{
	size_t i = find(s, id);
	int64_t pause = i < s->n ? s->row[i].pause * 2 : PAUSE_FIRST;

	if (i == s->n)
		i = place(s);
	if (pause > most_ms)
		pause = most_ms;
	s->row[i] = (struct aside_row){*id, now, now + pause, pause};
}

void
aside_drop(struct aside *s, const struct tsb_uuid *id)
{
	size_t i = find(s, id);

	if (i < s->n)
		s->row[i] = s->row[--s->n];
}

int64_t
aside_since(const struct aside *s, const struct tsb_uuid *id)
{
	size_t i = find(s, id);

	return i < s->n ? s->row[i].since : 0;
}

int64_t
aside_until(const struct aside *s, const struct tsb_uuid *id)
{
	size_t i = find(s, id);

	return i < s->n ? s->row[i].until : 0;
}
