#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

struct tsb_view
tsb_view_of(const void *p, size_t n)
{
	return (struct tsb_view){p, n};
}

struct tsb_view
tsb_view_str(const char *s)
{
	return (struct tsb_view){(const unsigned char *)s, s == NULL ? 0 : strlen(s)};
}

struct tsb_view
tsb_view_bytes(const struct tsb_bytes *b)
{
	return (struct tsb_view){b->p, b->n};
}

bool
tsb_view_eq(struct tsb_view a, struct tsb_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
tsb_view_eq_secret(struct tsb_view a, struct tsb_view b)
{
	unsigned char difference = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		difference |= a.p[i] ^ b.p[i];
	return difference == 0;
}

void
tsb_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

/*
 * Room for extra more bytes and a NUL. realloc would leave copies behind, so the move is by hand.
 */
static void
reserve(struct tsb_bytes *b, size_t extra)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;
	unsigned char *p;

	if (extra >= SIZE_MAX / 4 || b->n >= SIZE_MAX / 4)
		fatal("out of memory: %zu more bytes asked", extra);
	if (b->cap > b->n + extra)
		return;
	while (cap <= b->n + extra)
		cap *= 2;
	p = malloc(cap);
	if (p == NULL)
		fatal("out of memory: %zu bytes asked", cap);
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	if (b->p != NULL)
		tsb_wipe(b->p, b->cap);
	free(b->p);
	b->p = p;
	b->cap = cap;
}

unsigned char *
tsb_bytes_grow(struct tsb_bytes *b, size_t n)
{
	reserve(b, n);
	b->n += n;
	return b->p + b->n - n;
}

void
tsb_bytes_add(struct tsb_bytes *b, const void *p, size_t n)
{
	unsigned char *at = tsb_bytes_grow(b, n);

	if (n > 0)
		memcpy(at, p, n);
}

void
tsb_bytes_add_view(struct tsb_bytes *b, struct tsb_view v)
{
	tsb_bytes_add(b, v.p, v.n);
}

void
tsb_bytes_add_str(struct tsb_bytes *b, const char *s)
{
	tsb_bytes_add(b, s, strlen(s));
}

void
tsb_bytes_addf(struct tsb_bytes *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	/* mostly there is room for it, and then it is printed once */
	reserve(b, 32);
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf((char *)b->p + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("a format cannot be printed: %s", fmt);
	if ((size_t)n >= b->cap - b->n) {
		reserve(b, (size_t)n + 1);
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	b->n += (size_t)n;
}

void
tsb_bytes_reset(struct tsb_bytes *b)
{
	if (b->p != NULL)
		tsb_wipe(b->p, b->cap);
	b->n = 0;
}

void
tsb_bytes_clear(struct tsb_bytes *b)
{
	tsb_bytes_reset(b);
	free(b->p);
	b->p = NULL;
	b->cap = 0;
}

char *
tsb_bytes_cstr(struct tsb_bytes *b)
{
	reserve(b, 1);
	b->p[b->n] = '\0';
	return (char *)b->p;
}
