#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/lib/spawn.h"

extern char **environ;

static int
start(const char *const *argv, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc;

	if (posix_spawn_file_actions_init(&actions) != 0)
		fatal("out of memory");
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	/* argv of exec(3) is not const for reasons of history */
	if (rc == 0)
		rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
		    environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int
spawn_start(const char *const *argv, const char *package, struct spawn *out, struct tsb_err *err)
{
	int ends[2], rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return tsb_fail(err, TSB_E_IO, "cannot start %s: %s", argv[0], strerror(errno));
	rc = start(argv, ends[1], &pid);
	close(ends[1]);
	if (rc == 0) {
		*out = (struct spawn){argv[0], pid, ends[0]};
		return 0;
	}
	close(ends[0]);
	if (rc == ENOENT)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND,
		    "%s is not installed: it is in the package %s", argv[0], package);
	return tsb_fail(err, TSB_E_IO, "cannot start %s: %s", argv[0], strerror(rc));
}

static int
wait_for(struct spawn *s)
{
	int status;

	while (waitpid(s->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	s->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
spawn_read(struct spawn *s, size_t max, struct tsb_bytes *out, int *status, struct tsb_err *err)
{
	unsigned char block[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(s->fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tsb_fail(err, TSB_E_IO, "cannot read from %s: %s", s->name,
			    strerror(errno));
		total += (size_t)n;
		if (total > max)
			return tsb_fail(err, TSB_E_INPUT, "%s prints more than %zu bytes", s->name,
			    max);
		tsb_bytes_add(out, block, (size_t)n);
	}
	*status = wait_for(s);
	return 0;
}

void
spawn_end(struct spawn *s)
{
	if (s->fd > 0)
		close(s->fd);
	s->fd = 0;
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGTERM);
	wait_for(s);
}
