/*
 * Drives a fuzz target without libFuzzer: every file named, or found in a named folder, is fed as
 * it is and then in -m changed forms. The changes follow from the file's content alone, so that a
 * failure shows again at the next run; the input of a crash is left in crash-input.
 */
#include "lib/first.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

static unsigned char original[INPUT_MAX], current[INPUT_MAX];
static size_t current_size;
static unsigned long files, inputs, mutations;

static void
on_crash(int sig)
{
	int fd = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, current, current_size) != (ssize_t)current_size)
		_exit(3);
	signal(sig, SIG_DFL);
	raise(sig);
}

static uint64_t
next_random(uint64_t *state)
{
	/* xorshift64*: small, good enough to pick places and bytes */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Du;
}

static void
feed(void)
{
	/* A copy of exact size on the heap: the sanitizers then see each step past its end. */
	unsigned char *exact = malloc(current_size == 0 ? 1 : current_size);

	if (exact == NULL)
		abort();
	memcpy(exact, current, current_size);
	LLVMFuzzerTestOneInput(exact, current_size);
	free(exact);
	inputs++;
}

static void
change_once(uint64_t *state)
{
	static const unsigned char edges[] = {0, 1, 3, 4, 0x7f, 0x80, 0xfe, 0xff};
	uint64_t r = next_random(state);
	size_t at = current_size == 0 ? 0 : (size_t)(next_random(state) % current_size);
	size_t n = current_size - at;

	if (n == 0)
		return;
	switch (r % 6) {
	case 0:
		current[at] ^= (unsigned char)(1u << (r >> 8) % 8);
		break;
	case 1:
		current[at] = edges[(r >> 8) % sizeof(edges)];
		break;
	case 2:
		current[at] = (unsigned char)(r >> 8);
		break;
	case 3: /* cut the tail */
		current_size = at;
		break;
	case 4: /* drop some bytes */
		n = n < 9 ? n : 1 + (size_t)(r >> 8) % 8;
		memmove(current + at, current + at + n, current_size - at - n);
		current_size -= n;
		break;
	case 5: /* double some bytes */
		n = n < 65 ? n : 1 + (size_t)(r >> 8) % 64;
		if (current_size + n > INPUT_MAX)
			return;
		memmove(current + at + n, current + at, current_size - at);
		current_size += n;
		break;
	}
}

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint64_t state = 0x9E3779B97F4A7C15u;
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(original, 1, sizeof(original), f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		state = (state ^ original[i]) * 0x100000001B3u;
	state |= 1;
	files++;
	for (unsigned long m = 0; m <= mutations; m++) {
		unsigned changes = m == 0 ? 0 : 1 + (unsigned)(next_random(&state) % 4);

		memcpy(current, original, n);
		current_size = n;
		while (changes-- > 0)
			change_once(&state);
		feed();
	}
}

static int
visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void
replay(const char *path)
{
	struct dirent **list;
	struct stat st;
	char name[4096];
	int n;

	if (stat(path, &st) != 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	n = scandir(path, &list, visible, alphasort);
	if (n <= 0) {
		fprintf(stderr, "%s: no files\n", path);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		replay_file(name);
		free(list[i]);
	}
	free(list);
}

int
main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "m:")) != -1)
		switch (opt) {
		case 'm':
			mutations = strtoul(optarg, NULL, 10);
			break;
		default:
			fprintf(stderr, "usage: %s [-m mutations] file-or-folder...\n", argv[0]);
			return 2;
		}
	signal(SIGABRT, on_crash);
	signal(SIGSEGV, on_crash);
	for (int i = optind; i < argc; i++)
		replay(argv[i]);
	printf("%lu files, %lu inputs\n", files, inputs);
	return files == 0;
}
