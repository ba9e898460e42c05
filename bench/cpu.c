/*
 * CPU time of a site: of the processes whose numbers are in its folders run and db/run, and of all
 * that they started. It says what work costs where rates depend on who else uses the machine.
 */
#include "lib/first.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define PROCESSES 4096

struct process {
	long pid, parent;
	char name[16];
	bool ours;
};

static bool
read_text(const char *path, char *buf, size_t n)
{
	FILE *f = fopen(path, "re");
	size_t got;

	if (f == NULL)
		return false;
	got = fread(buf, 1, n - 1, f);
	buf[got] = '\0';
	fclose(f);
	return got > 0;
}

/* "pid (name) state parent ...": the name may hold anything. */
static bool
read_process(const char *number, struct process *p)
{
	char path[300], text[512], *open, *close;

	snprintf(path, sizeof(path), "/proc/%s/stat", number);
	if (!read_text(path, text, sizeof(text)) || (open = strchr(text, '(')) == NULL ||
	    (close = strrchr(text, ')')) == NULL || close < open || strlen(close) < 5)
		return false;
	*close = '\0';
	*p = (struct process){.pid = atol(number), .parent = atol(close + 4)};
	snprintf(p->name, sizeof(p->name), "%s", open + 1);
	return true;
}

static size_t
read_processes(struct process *list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	if (proc == NULL)
		fatal("no /proc");
	while (n < PROCESSES && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			n += read_process(entry->d_name, &list[n]);
	closedir(proc);
	return n;
}

static void
mark(struct process *list, size_t n, long pid)
{
	for (size_t i = 0; i < n; i++)
		list[i].ours |= list[i].pid == pid;
}

static void
mark_folder(const char *site, const char *folder, struct process *list, size_t n)
{
	char path[4096], text[64];
	struct dirent *entry;
	DIR *run;

	snprintf(path, sizeof(path), "%s/%s", site, folder);
	if ((run = opendir(path)) == NULL)
		fatal("%s: not the folder of a site", site);
	while ((entry = readdir(run)) != NULL) {
		size_t length = strlen(entry->d_name);

		snprintf(path, sizeof(path), "%s/%s/%s", site, folder, entry->d_name);
		if (length > 4 && tsb_streq(entry->d_name + length - 4, ".pid") &&
		    read_text(path, text, sizeof(text)))
			mark(list, n, atol(text));
	}
	closedir(run);
}

/* The processes of the site's own files, then their children until there are no more. */
static void
mark_site(const char *site, struct process *list, size_t n)
{
	bool more = true;

	mark_folder(site, "run", list, n);
	mark_folder(site, "db/run", list, n);
	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; !list[i].ours && k < n; k++)
				if (list[k].ours && list[k].pid == list[i].parent)
					list[i].ours = more = true;
	}
}

/* Nanoseconds of all its threads. */
static double
used(long pid)
{
	char path[300], text[128];
	struct dirent *entry;
	double sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	if ((tasks = opendir(path)) == NULL)
		return 0;
	while ((entry = readdir(tasks)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, entry->d_name);
		if (read_text(path, text, sizeof(text)))
			sum += strtod(text, NULL);
	}
	closedir(tasks);
	return sum;
}

static void
add(struct bench_cpu *cpu, const char *name, double ns)
{
	size_t i = 0;

	while (i < cpu->n && !tsb_streq(cpu->part[i].name, name))
		i++;
	if (i == BENCH_CPU_PARTS)
		i--; /* the last one stands for the rest */
	else if (i == cpu->n)
		snprintf(cpu->part[cpu->n++].name, sizeof(cpu->part[i].name), "%s", name);
	cpu->part[i].ns += ns;
}

void
bench_cpu_read(const char *site, struct bench_cpu *cpu)
{
	static struct process list[PROCESSES];
	size_t n;

	*cpu = (struct bench_cpu){0};
	if (site == NULL)
		return;
	n = read_processes(list);
	mark_site(site, list, n);
	for (size_t i = 0; i < n; i++)
		if (list[i].ours)
			add(cpu, list[i].name, used(list[i].pid));
}

void
bench_cpu_since(const char *site, struct bench_cpu *cpu)
{
	struct bench_cpu now;

	bench_cpu_read(site, &now);
	for (size_t i = 0; i < now.n; i++)
		for (size_t k = 0; k < cpu->n; k++)
			if (tsb_streq(cpu->part[k].name, now.part[i].name))
				now.part[i].ns -= cpu->part[k].ns;
	*cpu = now;
}

void
bench_cpu_own(struct bench_cpu *cpu)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		fatal("no clock of this process");
	*cpu = (struct bench_cpu){.part = {{.name = "here"}}, .n = 1};
	cpu->part[0].ns = (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void
bench_cpu_own_since(struct bench_cpu *cpu)
{
	double before = cpu->part[0].ns;

	bench_cpu_own(cpu);
	cpu->part[0].ns -= before;
}
