#include "lib/first.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define BLOCK_SIZE (16 * 1024)

/* The newest block is the head; used counts from data. */
struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char data[];
};

static size_t
align_up(size_t n)
{
	return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct arena_block *
add_block(struct arena *a, size_t n)
{
	size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (block == NULL)
		fatal("out of memory: %zu bytes asked", size);
	block->size = size;
	block->next = a->head;
	a->head = block;
	return block;
}

/* Blocks are all zero behind used: calloc made them so, and reset wipes what was used. */
void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *block = a->head;
	void *p;

	if (n > SIZE_MAX / 4)
		fatal("out of memory: %zu bytes asked", n);
	n = align_up(n == 0 ? 1 : n);
	if (block == NULL || block->size - block->used < n)
		block = add_block(a, n);
	p = block->data + block->used;
	block->used += n;
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / 4 / size)
		fatal("out of memory: %zu entries asked", count);
	return arena_alloc(a, count * size);
}

size_t
arena_size(const struct arena *a)
{
	size_t n = 0;

	for (const struct arena_block *b = a->head; b != NULL; b = b->next)
		n += b->used;
	return n;
}

char *
arena_strn(struct arena *a, const void *p, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *
arena_str(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_strn(a, s, strlen(s));
}

struct tsb_view
arena_view(struct arena *a, struct tsb_view v)
{
	return tsb_view_of(arena_strn(a, v.p, v.n), v.n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	struct arena_block *block = a->head;
	size_t room = block == NULL ? 0 : block->size - block->used;
	char *text = block == NULL ? NULL : (char *)block->data + block->used;
	va_list ap;
	int n;

	/* mostly there is room for it behind what is used, and then it is printed once */
	va_start(ap, fmt);
	n = vsnprintf(text, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("a format cannot be printed: %s", fmt);
	if ((size_t)n < room)
		return arena_alloc(a, (size_t)n + 1);
	if (room > 0)
		tsb_wipe(text, room);
	text = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void
arena_reset(struct arena *a)
{
	while (a->head != NULL && a->head->next != NULL) {
		struct arena_block *block = a->head;

		a->head = block->next;
		tsb_wipe(block->data, block->used);
		free(block);
	}
	if (a->head != NULL) {
		tsb_wipe(a->head->data, a->head->used);
		a->head->used = 0;
	}
}

void
arena_clear(struct arena *a)
{
	arena_reset(a);
	free(a->head);
	a->head = NULL;
}
