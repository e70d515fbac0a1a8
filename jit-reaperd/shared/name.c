/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "name.h"

enum { HOST_NAME_LENGTH_MAX = 253 }; /* RFC 1035 2.3.4, in presentation form without the last dot */

/* Plain ASCII, whatever the locale says. */
static bool is_lower(char c) {
        return c >= 'a' && c <= 'z';
}

static bool is_upper(char c) {
        return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static char to_lower(char c) {
        return is_upper(c) ? (char) (c - 'A' + 'a') : c;
}

bool account_name_is_ours(const char *name) {
        if (!name)
                return false;

        for (size_t i = 0; i < strlen(ACCOUNT_PREFIX); i++)
                if (to_lower(name[i]) != ACCOUNT_PREFIX[i]) /* also ends at the NUL of a shorter name */
                        return false;
        return true;
}

/* Letters and digits with single '-' in between, 1 to max characters; lower-cased into ret unless that is NULL. */
static int dashed_words_parse(const char *s, size_t max, char *ret) {
        size_t n = strnlen(s, max + 1);

        if (n == 0 || n > max)
                return -EINVAL;

        for (size_t i = 0; i < n; i++) {
                char c = to_lower(s[i]);

                if (c == '-') {
                        if (i == 0 || i + 1 == n || s[i - 1] == '-')
                                return -EINVAL;
                } else if (!is_lower(c) && !is_digit(c))
                        return -EINVAL;
        }

        if (ret) {
                for (size_t i = 0; i < n; i++)
                        ret[i] = to_lower(s[i]);
                ret[n] = '\0';
        }
        return 0;
}

int account_name_parse(const char *name, char *ret) {
        const size_t prefix = strlen(ACCOUNT_PREFIX);
        char rest[ACCOUNT_NAME_MAX - sizeof(ACCOUNT_PREFIX) + 2];

        if (!account_name_is_ours(name) || dashed_words_parse(name + prefix, ACCOUNT_NAME_MAX - prefix, rest) < 0)
                return -EINVAL;

        (void) snprintf(ret, ACCOUNT_NAME_MAX + 1, "%s%s", ACCOUNT_PREFIX, rest);
        return 0;
}

int ticket_id_parse(const char *id, char *ret) {
        return id ? dashed_words_parse(id, TICKET_ID_MAX, ret) : -EINVAL;
}

bool person_name_is_valid(const char *name) {
        if (!name || (!is_lower(name[0]) && name[0] != '_'))
                return false;

        size_t n = strnlen(name, PERSON_NAME_MAX + 1);
        for (size_t i = 1; i < n; i++)
                if (!is_lower(name[i]) && !is_digit(name[i]) && !strchr("_.-", name[i]))
                        return false;
        return n <= PERSON_NAME_MAX;
}

bool role_name_is_valid(const char *name) {
        if (!name || !is_lower(name[0]))
                return false;

        size_t n = strnlen(name, ROLE_NAME_MAX + 1);
        for (size_t i = 1; i < n; i++)
                if (!is_lower(name[i]) && !is_digit(name[i]) && name[i] != '-')
                        return false;
        return n <= ROLE_NAME_MAX;
}

bool host_pattern_is_valid(const char *pattern) {
        if (!pattern || !*pattern)
                return false;

        size_t n = strnlen(pattern, HOST_NAME_LENGTH_MAX + 1);
        for (size_t i = 0; i < n; i++)
                if (!is_lower(pattern[i]) && !is_digit(pattern[i]) && !strchr(".*-", pattern[i]))
                        return false;
        return n <= HOST_NAME_LENGTH_MAX;
}

/* ssh-keygen(1) -t, as they stand in an authorized_keys line. Without ssh-dss, which OpenSSH has dropped. */
static const char *const ssh_key_types[] = {
                "ssh-ed25519",
                "ssh-rsa",
                "ecdsa-sha2-nistp256",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
                "sk-ssh-ed25519@openssh.com",
                "sk-ecdsa-sha2-nistp256@openssh.com",
};

static bool ssh_key_type_is_known(const char *type, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(ssh_key_types); i++)
                if (strlen(ssh_key_types[i]) == length && memcmp(ssh_key_types[i], type, length) == 0)
                        return true;
        return false;
}

static int base64_value(char c) {
        if (is_upper(c))
                return c - 'A';
        if (is_lower(c))
                return c - 'a' + 26;
        if (is_digit(c))
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool base64_is_valid(const char *s, size_t length) {
        size_t padding = 0;

        if (length == 0 || length % 4 != 0)
                return false;
        while (padding < 2 && s[length - 1 - padding] == '=')
                padding++;
        for (size_t i = 0; i < length - padding; i++)
                if (base64_value(s[i]) < 0)
                        return false;
        return true;
}

/* Byte i of what the base64 text stands for; the caller knows that it has that many. */
static uint8_t base64_byte(const char *s, size_t i) {
        const char *q = s + i / 3 * 4 + i % 3;
        unsigned a = (unsigned) base64_value(q[0]), b = (unsigned) base64_value(q[1]);

        switch (i % 3) {
        case 0:
                return (uint8_t) (a << 2 | b >> 4);
        case 1:
                return (uint8_t) (a << 4 | b >> 2);
        default:
                return (uint8_t) (a << 6 | b);
        }
}

/* RFC 4253 6.6: the blob starts with the type again, as a string with a 32-bit length. */
static bool ssh_key_blob_has_type(const char *blob, size_t blob_length, const char *type, size_t length) {
        if (blob_length / 4 * 3 < 4 + length + 4)
                return false;
        for (size_t i = 0; i < 4; i++)
                if (base64_byte(blob, i) != (uint8_t) (length >> (24 - 8 * i)))
                        return false;
        for (size_t i = 0; i < length; i++)
                if (base64_byte(blob, 4 + i) != (uint8_t) type[i])
                        return false;
        return true;
}

int ssh_key_parse(const char *line, char *ret, size_t size) {
        for (const char *p = line; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return -EINVAL;

        size_t type_length = strcspn(line, " ");
        if (!ssh_key_type_is_known(line, type_length))
                return -EINVAL;

        const char *blob = line + type_length;
        blob += strspn(blob, " ");
        size_t blob_length = strcspn(blob, " ");
        if (!base64_is_valid(blob, blob_length) || !ssh_key_blob_has_type(blob, blob_length, line, type_length))
                return -EINVAL;

        if (size < type_length + 1 + blob_length + 1)
                return -ENOSPC;
        memmove(ret, line, type_length);
        ret[type_length] = ' ';
        memmove(ret + type_length + 1, blob, blob_length);
        ret[type_length + 1 + blob_length] = '\0';
        return 0;
}
