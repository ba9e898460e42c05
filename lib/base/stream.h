/*
 * A body and its answer that pass piece by piece, because they may be larger than memory. Whoever
 * makes a call gives the functions; ctx is theirs, and so is the memory of why they failed.
 */
#ifndef TSB_BASE_STREAM_H
#define TSB_BASE_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tsb_stream {
	/* The body: at most n bytes into p; 0 at its end, -1 when it breaks off. */
	ssize_t (*read)(void *ctx, void *p, size_t n);
	/* The answer is a success and has size bytes, -1 = not known; called once, before them. */
	int (*begin)(void *ctx, int64_t size);
	int (*write)(void *ctx, const void *p, size_t n);
	void *ctx;
};

#endif
