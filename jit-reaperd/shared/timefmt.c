/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "timefmt.h"

uint64_t now_usec(clockid_t clock) {
        struct timespec ts = {};

        /* Fails only for a clock that the kernel does not have; ours are all older than Linux 3. */
        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Exactly so many digits, then this character; moves on. */
static bool take_number(const char **p, int digits, char end, int *ret) {
        int n = 0;

        for (int i = 0; i < digits; i++, (*p)++) {
                if (!is_digit(**p))
                        return false;
                n = n * 10 + (**p - '0');
        }
        if (end) {
                if (**p != end)
                        return false;
                (*p)++;
        }
        *ret = n;
        return true;
}

static int days_in_month(int year, int month) {
        static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* ".123456" or nothing; digits behind the sixth are an error, or dropped if cut is set. */
static bool take_fraction(const char **p, bool cut, uint64_t *ret_usec) {
        uint64_t usec = 0, unit = USEC_PER_SEC;

        if (**p == '.') {
                if (!is_digit(*++*p))
                        return false;
                for (; is_digit(**p); (*p)++) {
                        if (unit == 1 && !cut)
                                return false;
                        unit /= 10;
                        usec += (uint64_t) (**p - '0') * unit;
                }
        }
        *ret_usec = usec;
        return true;
}

/* "Z", or "+02:00" if numeric is set, and the end: seconds east of Greenwich. */
static bool take_zone(const char *p, bool numeric, int64_t *ret_seconds) {
        int hour, minute, sign = *p == '-' ? -1 : 1;

        *ret_seconds = 0;
        if (streq(p, "Z"))
                return true;
        if (!numeric || (*p != '+' && *p != '-'))
                return false;
        p++;
        if (!take_number(&p, 2, ':', &hour) || !take_number(&p, 2, 0, &minute) || *p || hour > 23 || minute > 59)
                return false;
        *ret_seconds = sign * (hour * 3600 + minute * 60);
        return true;
}

static int parse_rfc3339(const char *text, bool foreign, uint64_t *ret_usec) {
        int year, month, day, hour, minute, second;
        int64_t zone, t;
        uint64_t usec;

        if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
            !take_number(&text, 2, 'T', &day) || !take_number(&text, 2, ':', &hour) ||
            !take_number(&text, 2, ':', &minute) || !take_number(&text, 2, 0, &second) ||
            !take_fraction(&text, foreign, &usec) || !take_zone(text, foreign, &zone))
                return -EINVAL;

        /* No leap seconds (":60"): POSIX time has none, and two texts must not mean one instant. */
        if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
            minute > 59 || second > 59)
                return -EINVAL;

        struct tm tm = {
                        .tm_year = year - 1900,
                        .tm_mon = month - 1,
                        .tm_mday = day,
                        .tm_hour = hour,
                        .tm_min = minute,
                        .tm_sec = second,
        };
        t = (int64_t) timegm(&tm) - zone;
        if (t < 0 || t >= INT64_C(253402300800)) /* the year 10000 */
                return -EINVAL;

        *ret_usec = (uint64_t) t * USEC_PER_SEC + usec;
        return 0;
}

int time_parse_rfc3339(const char *text, uint64_t *ret_usec) {
        return parse_rfc3339(text, false, ret_usec);
}

int time_parse_rfc3339_zone(const char *text, uint64_t *ret_usec) {
        return parse_rfc3339(text, true, ret_usec);
}

/* "2026-11-22T14:00:00", and its length. Even USEC_INFINITY is a date (in the year 586524) and fits. */
static size_t format_date(uint64_t usec, char ret[static TIME_TEXT_MAX]) {
        time_t t = (time_t) (usec / USEC_PER_SEC);
        struct tm tm = {};

        ret[0] = '\0';
        (void) gmtime_r(&t, &tm);
        return strftime(ret, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
}

const char *time_format_rfc3339(uint64_t usec, char ret[static TIME_TEXT_MAX]) {
        size_t n = format_date(usec, ret);

        (void) snprintf(ret + n, TIME_TEXT_MAX - n, "Z");
        return ret;
}

const char *time_format_rfc3339_usec(uint64_t usec, char ret[static TIME_TEXT_MAX]) {
        size_t n = format_date(usec, ret);

        (void) snprintf(ret + n, TIME_TEXT_MAX - n, ".%06" PRIu64 "Z", usec % USEC_PER_SEC);
        return ret;
}

const char *time_format_span(uint64_t usec, char ret[static TIME_TEXT_MAX]) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                        {"d", 24 * USEC_PER_HOUR},
                        {"h", USEC_PER_HOUR},
                        {"min", USEC_PER_MINUTE},
                        {"s", USEC_PER_SEC},
        };
        size_t i = 0;

        while (i + 1 < ELEMENTSOF(units) && usec < units[i].usec)
                i++;

        uint64_t major = usec / units[i].usec;
        uint64_t minor = i + 1 < ELEMENTSOF(units) ? usec % units[i].usec / units[i + 1].usec : 0;
        if (minor > 0)
                (void) snprintf(ret, TIME_TEXT_MAX, "%" PRIu64 " %s %" PRIu64 " %s", major, units[i].name, minor,
                                units[i + 1].name);
        else
                (void) snprintf(ret, TIME_TEXT_MAX, "%" PRIu64 " %s", major, units[i].name);
        return ret;
}

/* The unit's length in usec by its systemd.time(7) name; 0 if there is none. Months and years are left out: their
 * lengths are averages. */
static uint64_t span_unit(const char *name, size_t length) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                        {"", USEC_PER_SEC},
                        {"us", 1},
                        {"usec", 1},
                        {"ms", USEC_PER_MSEC},
                        {"msec", USEC_PER_MSEC},
                        {"s", USEC_PER_SEC},
                        {"sec", USEC_PER_SEC},
                        {"second", USEC_PER_SEC},
                        {"seconds", USEC_PER_SEC},
                        {"m", USEC_PER_MINUTE},
                        {"min", USEC_PER_MINUTE},
                        {"minute", USEC_PER_MINUTE},
                        {"minutes", USEC_PER_MINUTE},
                        {"h", USEC_PER_HOUR},
                        {"hr", USEC_PER_HOUR},
                        {"hour", USEC_PER_HOUR},
                        {"hours", USEC_PER_HOUR},
                        {"d", 24 * USEC_PER_HOUR},
                        {"day", 24 * USEC_PER_HOUR},
                        {"days", 24 * USEC_PER_HOUR},
                        {"w", 7 * 24 * USEC_PER_HOUR},
                        {"week", 7 * 24 * USEC_PER_HOUR},
                        {"weeks", 7 * 24 * USEC_PER_HOUR},
        };

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
                        return units[i].usec;
        return 0;
}

int time_parse_span(const char *text, uint64_t *ret_usec) {
        static const char blank[] = " \t";
        uint64_t sum = 0;
        const char *p = text + strspn(text, blank);

        if (!*p)
                return -EINVAL;

        while (*p) {
                uint64_t n = 0;
                bool too_large = false;

                if (!is_digit(*p))
                        return -EINVAL;
                for (; is_digit(*p); p++)
                        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t) (*p - '0'), &n))
                                too_large = true;
                p += strspn(p, blank);

                size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
                uint64_t unit = span_unit(p, length);
                if (unit == 0)
                        return -EINVAL;
                p += length;
                p += strspn(p, blank);

                if (too_large || __builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(sum, n, &sum))
                        return -ERANGE;
        }
        *ret_usec = sum;
        return 0;
}
