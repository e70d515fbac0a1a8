/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config-parse.h"
#include "name.h"
#include "timefmt.h"

/* One function per kind of value. libinih has taken blanks off both ends; config-ini.c has seen to UTF-8 and control
 * characters. */

enum { GROUP_NAME_MAX = 31, WARNINGS_MAX = 8 };

static void *field(const ConfigKey *key, void *target) {
        return (char *) target + key->offset;
}

int config_value_bool(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

        (void) ret_why;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (unsigned j = 0; j < 2; j++)
                        if (strcasecmp(value, words[i][j]) == 0) {
                                *(bool *) field(key, target) = j;
                                return 0;
                        }
        return -EINVAL;
}

/* Decimal digits and nothing else: no sign, no blanks, no leading zeros that could be taken for octal. *end: the
 * character behind. */
static int number_parse(const char *s, const char **end, uint64_t *ret) {
        uint64_t n = 0;

        if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
                return -EINVAL;
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n))
                        return -ERANGE;
        *end = s;
        *ret = n;
        return 0;
}

static int number_parse_in_range(const ConfigKey *key, const char *value, uint64_t *ret) {
        const char *end;
        uint64_t n;

        int r = number_parse(value, &end, &n);
        if (r < 0)
                return r;
        if (*end)
                return -EINVAL;
        if (n < key->min || n > key->max)
                return -ERANGE;
        *ret = n;
        return 0;
}

int config_value_unsigned(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        uint64_t n = 0;

        (void) ret_why;
        int r = number_parse_in_range(key, value, &n);
        if (r >= 0)
                *(unsigned *) field(key, target) = (unsigned) n; /* the tables' max is below UINT_MAX */
        return r;
}

int config_value_uint64(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        (void) ret_why;
        return number_parse_in_range(key, value, field(key, target));
}

/* Also 0 where that is the fallback: "no limit". */
static bool limit_is_in_range(const ConfigKey *key, uint64_t n) {
        return (n >= key->min && n <= key->max) || (n == 0 && key->fallback && streq(key->fallback, "0"));
}

/* Bytes, or K, M, G to the base of 1024 as in systemd. */
int config_value_size(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        static const char suffixes[] = "KMG";
        const char *end = "";
        uint64_t n = 0;

        (void) ret_why;
        int r = number_parse(value, &end, &n);
        if (r < 0)
                return r;
        if (*end) {
                const char *suffix = strchr(suffixes, *end);
                if (!suffix || end[1])
                        return -EINVAL;
                if (__builtin_mul_overflow(n, UINT64_C(1) << (10 * (suffix - suffixes + 1)), &n))
                        return -ERANGE;
        }
        if (!limit_is_in_range(key, n))
                return -ERANGE;
        *(uint64_t *) field(key, target) = n;
        return 0;
}

int config_value_span(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        uint64_t usec = 0;

        (void) ret_why;
        int r = time_parse_span(value, &usec);
        if (r < 0)
                return r;
        if (!limit_is_in_range(key, usec))
                return -ERANGE;
        *(uint64_t *) field(key, target) = usec;
        return 0;
}

static int string_replace(const ConfigKey *key, const char *value, void *target) {
        char **s = field(key, target);
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*s);
        *s = copy;
        return 0;
}

int config_value_text(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        size_t n = strlen(value);

        (void) ret_why;
        if (n < key->min || n > key->max)
                return -ERANGE;
        return string_replace(key, value, target);
}

/* Absolute, plain ASCII, and said in one way only. ':' would end a field of passwd(5). */
int config_value_path(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        size_t n = strlen(value);

        if (value[0] != '/' || n < 2 || value[n - 1] == '/')
                return -EINVAL;
        if (n > key->max)
                return -ERANGE;
        for (const char *p = value; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("/_.+@%~-", *p)) {
                        *ret_why = "has a character other than letters, digits and / _ . + @ % ~ -";
                        return -EINVAL;
                }
        for (const char *p = value; p; p = strchr(p + 1, '/'))
                if (p[1] == '/' || (p[1] == '.' && (strchr("/", p[2]) || (p[2] == '.' && strchr("/", p[3]))))) {
                        *ret_why = "has an empty part, '.' or '..' in its path";
                        return -EINVAL;
                }
        return string_replace(key, value, target);
}

/* A user or group of length bytes as sudoers(5) takes it for one. Capitals alone would be the name of an alias. */
static bool sudo_name_is_valid(const char *s, size_t length) {
        char name[PERSON_NAME_MAX + 1];

        if (length > PERSON_NAME_MAX)
                return false;
        memcpy(name, s, length);
        name[length] = '\0';
        return person_name_is_valid(name);
}

int config_value_run_as(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        size_t user = strcspn(value, ":");
        const char *group = value[user] ? value + user + 1 : NULL;

        (void) ret_why;
        if (strcmp(value, "ALL") != 0 && strcmp(value, "ALL:ALL") != 0 &&
            (!sudo_name_is_valid(value, user) || (group && !sudo_name_is_valid(group, strlen(group)))))
                return -EINVAL;
        return string_replace(key, value, target);
}

int config_words_append(const ConfigKey *key, const char *value, void *target, bool fold,
                        bool (*is_valid)(const char *word)) {
        _cleanup_free_ char *copy = strdup(value);
        _cleanup_strv_ char **words = NULL;
        char ***list = field(key, target), *state = NULL;

        if (!copy)
                return -ENOMEM;
        STRV_FOREACH(s, *list)
        if (strv_extend(&words, *s) < 0)
                return -ENOMEM;

        for (char *word = strtok_r(copy, " \t", &state); word; word = strtok_r(NULL, " \t", &state)) {
                for (char *p = word; fold && *p; p++)
                        if (*p >= 'A' && *p <= 'Z')
                                *p = (char) (*p - 'A' + 'a');
                if (!is_valid(word))
                        return -EINVAL;
                if (!strv_contains(words, word) && strv_extend(&words, word) < 0)
                        return -ENOMEM;
        }
        if (strv_length(words) > key->max)
                return -ERANGE;

        strv_free(*list);
        *list = take_ptr(words);
        return 0;
}

/* Wider than what we would create: directories have groups with capitals. */
static bool group_name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n > GROUP_NAME_MAX || (!isalpha((unsigned char) name[0]) && name[0] != '_'))
                return false;
        for (size_t i = 1; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && !strchr("_.-", name[i]))
                        return false;
        return true;
}

int config_value_groups(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        (void) ret_why;
        return config_words_append(key, value, target, false, group_name_is_valid);
}

static bool host_name_is_valid(const char *name) {
        return host_pattern_is_valid(name) && !strchr(name, '*');
}

int config_value_hosts(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        (void) ret_why;
        return config_words_append(key, value, target, true, host_name_is_valid);
}

int config_value_warnings(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        uint64_t parsed[WARNINGS_MAX + 1] = {}, **spans = field(key, target);
        _cleanup_free_ char *copy = strdup(value);
        char *state = NULL;
        size_t n = 0;

        if (!copy)
                return -ENOMEM;

        for (char *word = strtok_r(copy, " \t", &state); word; word = strtok_r(NULL, " \t", &state)) {
                if (n == WARNINGS_MAX)
                        return -ERANGE;
                int r = time_parse_span(word, &parsed[n]);
                if (r < 0)
                        return r;
                if (parsed[n] == 0 && n == 0 && !state[strspn(state, " \t")])
                        break; /* a single 0: none */
                if (parsed[n] < key->min || parsed[n] > key->max)
                        return -ERANGE;
                if (n > 0 && parsed[n] >= parsed[n - 1]) {
                        *ret_why = "must be given from the longest to the shortest (no blank inside one: 1h30min)";
                        return -EINVAL;
                }
                n++;
        }

        uint64_t *made = calloc(n + 1, sizeof(uint64_t));
        if (!made)
                return -ENOMEM;
        memcpy(made, parsed, n * sizeof(uint64_t));
        free(*spans);
        *spans = made;
        return 0;
}

/* systemd's UIDS-GIDS.md, "Summary": what no distribution and no systemd component gives out. */
static bool uid_range_is_free(uint64_t min, uint64_t max) {
        return (min >= UINT64_C(65536) && max <= UINT64_C(524287)) ||
               (min >= UINT64_C(1879048192) && max <= UINT64_C(2147352575));
}

int config_value_uid_range(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        const char *end = NULL;
        uint64_t min = 0, max = 0;
        Config *c = target;

        int r = number_parse(value, &end, &min);
        if (r >= 0 && *end != '-')
                r = -EINVAL;
        if (r >= 0)
                r = number_parse(end + 1, &end, &max);
        if (r >= 0 && *end)
                r = -EINVAL;
        if (r < 0)
                return r;

        if (!uid_range_is_free(min, max))
                return -ERANGE;
        if (max < min || max - min + 1 < key->min) {
                *ret_why = "must be at least 100 wide: a UID is not given out again before the others have been";
                return -ERANGE;
        }
        c->uid_min = (uid_t) min;
        c->uid_max = (uid_t) max;
        return 0;
}
