#include "lib/first.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/hook.h"

static int64_t
read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME) + hook_clock_offset_ms();
}

int64_t
clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

char *
clock_iso(int64_t seconds, char *buf)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year > 8099) {
		buf[0] = '\0';
		return buf;
	}
	snprintf(buf, CLOCK_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 10000,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

/* Two digits at s within [min, max], or -1. */
static int
two_digits(const char *s, int min, int max)
{
	int value;

	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -1;
	value = (s[0] - '0') * 10 + s[1] - '0';
	return value >= min && value <= max ? value : -1;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* "Z" or "+-hh:mm" and nothing behind; the offset in seconds. */
static bool
zone_parse(const char *s, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (strcmp(s, "Z") == 0)
		return true;
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
		return false;
	hours = two_digits(s + 1, 0, 23);
	minutes = two_digits(s + 4, 0, 59);
	if (hours < 0 || minutes < 0)
		return false;
	*seconds = (hours * 60 + minutes) * (*s == '-' ? -60 : 60);
	return true;
}

bool
clock_iso_parse(const char *s, int64_t *ms)
{
	struct tm tm = {0};
	int century, year, zone, fraction = 0, scale = 100;

	if (strnlen(s, 64) < 20 || strnlen(s, 64) == 64)
		return false;
	century = two_digits(s, 0, 99);
	year = two_digits(s + 2, 0, 99);
	tm.tm_mon = two_digits(s + 5, 1, 12);
	tm.tm_mday = two_digits(s + 8, 1, 31);
	tm.tm_hour = two_digits(s + 11, 0, 23);
	tm.tm_min = two_digits(s + 14, 0, 59);
	tm.tm_sec = two_digits(s + 17, 0, 59);
	if (century < 0 || year < 0 || tm.tm_mon < 0 || tm.tm_mday < 0 || tm.tm_hour < 0 ||
	    tm.tm_min < 0 || tm.tm_sec < 0 || s[4] != '-' || s[7] != '-' || s[10] != 'T' ||
	    s[13] != ':' || s[16] != ':')
		return false;
	year += century * 100;
	if (tm.tm_mday > days_in_month(year, tm.tm_mon))
		return false;
	s += 19;
	if (*s == '.') {
		s++;
		if (*s < '0' || *s > '9')
			return false;
		for (; *s >= '0' && *s <= '9'; s++, scale /= 10)
			fraction += (*s - '0') * scale;
	}
	if (!zone_parse(s, &zone))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon -= 1;
	*ms = ((int64_t)timegm(&tm) - zone) * 1000 + fraction;
	return true;
}
