/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REFERENCE_DECISION_H
#define JIT_REFERENCE_DECISION_H

/* Whether a canonical approval allows, by the words of jit-provider(5) and jit-approverd(8) alone: written a second
 * time, in another way, out of the object itself, so that it shares no mistake with approval-record.c and policy.jq. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct ReferenceCase {
        const char *ticket; /* lower case */
        const char *person;
        const char *const *hosts; /* our names; ends with NULL */
        uint64_t now;             /* usec */
        unsigned approvers;       /* how many there must be */
} ReferenceCase;

/* Howard Hinnant's days from civil: days since 1970-01-01. */
static inline int64_t reference_days(int64_t y, int64_t m, int64_t d) {
        y -= m <= 2;
        int64_t era = y / 400, of_era = y - era * 400;
        int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* In usec; -1: not a time. */
static inline int64_t reference_time(const json_t *text) {
        int y, m, d, hour, minute, second, end = 0, zone_hour = 0, zone_minute = 0, unit = 100000;
        const char *p = json_string_value(text);
        int64_t usec = 0, zone = 0;
        char sign;

        if (!p || sscanf(p, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &m, &d, &hour, &minute, &second, &end) < 6)
                return -1;
        p += end;
        if (*p == '.')
                for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
                        usec += (*p - '0') * unit;
        if (strcmp(p, "Z") != 0) {
                if (sscanf(p, "%c%2d:%2d", &sign, &zone_hour, &zone_minute) != 3 || (sign != '+' && sign != '-'))
                        return -1;
                zone = (sign == '-' ? -1 : 1) * (zone_hour * 60 + zone_minute) * 60;
        }
        return (reference_days(y, m, d) * 86400 + hour * 3600 + minute * 60 + second - zone) * 1000000 + usec;
}

static inline bool reference_is_among(const char *name, const json_t *list) {
        const json_t *one;
        size_t i;

        json_array_foreach (list, i, one)
                if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
                        return true;
        return false;
}

/* can[j]: the pattern so far fits the first j characters. '*' does not go beyond its label. */
static inline bool reference_host_fits(const char *pattern, const char *host) {
        size_t n = strlen(host);
        bool can[256] = {true};

        for (; *pattern && n < sizeof(can); pattern++)
                if (*pattern == '*')
                        for (size_t j = 1; j <= n; j++)
                                can[j] = can[j] || (can[j - 1] && host[j - 1] != '.');
                else {
                        for (size_t j = n; j > 0; j--)
                                can[j] = can[j - 1] && host[j - 1] == *pattern;
                        can[0] = false;
                }
        return n < sizeof(can) && can[n];
}

static inline bool reference_names_us(const json_t *hosts, const char *const *names) {
        const json_t *pattern;
        size_t i;

        json_array_foreach (hosts, i, pattern)
                for (const char *const *n = names; *n; n++)
                        if (json_is_string(pattern) && reference_host_fits(json_string_value(pattern), *n))
                                return true;
        return false;
}

/* People who said yes, once each, requesters left out. */
static inline unsigned reference_consents(const json_t *approval) {
        const json_t *approvers = json_object_get(approval, "approvers");
        unsigned n = 0;

        for (size_t i = 0; i < json_array_size(approvers); i++) {
                const char *name = json_string_value(json_object_get(json_array_get(approvers, i), "name"));
                bool counts = name && !reference_is_among(name, json_object_get(approval, "requesters"));

                for (size_t j = 0; counts && j < i; j++) {
                        const json_t *other = json_object_get(json_array_get(approvers, j), "name");
                        counts = !json_is_string(other) || strcmp(json_string_value(other), name) != 0;
                }
                n += counts;
        }
        return n;
}

static inline bool reference_allows(const json_t *approval, const ReferenceCase *c) {
        const char *state = json_string_value(json_object_get(approval, "state"));
        const char *ticket = json_string_value(json_object_get(approval, "ticket"));
        int64_t from = reference_time(json_object_get(approval, "not_before"));
        int64_t to = reference_time(json_object_get(approval, "not_after"));

        return json_is_object(approval) && ticket && strcasecmp(ticket, c->ticket) == 0 && state &&
               strcmp(state, "approved") == 0 &&
               reference_is_among(c->person, json_object_get(approval, "requesters")) &&
               reference_consents(approval) >= c->approvers && from >= 0 && to >= 0 && (int64_t) c->now >= from &&
               (int64_t) c->now < to && reference_names_us(json_object_get(approval, "hosts"), c->hosts);
}

#endif
