/*
 * Bytes: a view borrows them, tsb_bytes owns them on the heap and wipes them whenever it lets go.
 */
#ifndef TSB_BASE_BYTES_H
#define TSB_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; {NULL, 0} is empty. The owner must outlive the view. */
struct tsb_view {
	const unsigned char *p;
	size_t n;
};

/* Owned bytes. Zero-initialised is empty and valid. */
struct tsb_bytes {
	unsigned char *p;
	size_t n;
	size_t cap;
};

#define tsb_bytes_auto struct tsb_bytes __attribute__((cleanup(tsb_bytes_clear)))

struct tsb_view tsb_view_of(const void *p, size_t n);
struct tsb_view tsb_view_str(const char *s); /* without the NUL; NULL gives the empty view */
struct tsb_view tsb_view_bytes(const struct tsb_bytes *b);
bool tsb_view_eq(struct tsb_view a, struct tsb_view b);
/* Lengths may leak, contents do not: for every comparison with a secret. */
bool tsb_view_eq_secret(struct tsb_view a, struct tsb_view b);

/* Append; memory exhaustion is fatal, sizes are bounded by the callers. */
void tsb_bytes_add(struct tsb_bytes *b, const void *p, size_t n);
void tsb_bytes_add_view(struct tsb_bytes *b, struct tsb_view v);
void tsb_bytes_add_str(struct tsb_bytes *b, const char *s);
void tsb_bytes_addf(struct tsb_bytes *b, const char *fmt, ...) TSB_PRINTF(2, 3);
/*
 * Appends n bytes for the caller to fill and returns where they start (valid until the next add).
 */
unsigned char *tsb_bytes_grow(struct tsb_bytes *b, size_t n);
/* Forgets and wipes the content, keeps the memory. */
void tsb_bytes_reset(struct tsb_bytes *b);
/* Wipes and frees; b is empty and valid afterwards. */
void tsb_bytes_clear(struct tsb_bytes *b);
/* The content with a NUL behind it (not counted in n); never NULL. */
char *tsb_bytes_cstr(struct tsb_bytes *b);

/* Overwrites memory in a way the compiler keeps. */
void tsb_wipe(void *p, size_t n);

#endif
