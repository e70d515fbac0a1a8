/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* A name that passes is made of these characters, in its own text again, and stays what it is when parsed once more. */
static void check_lowered(const char *name, size_t max, int (*parse)(const char *, char *)) {
        char again[64];
        size_t n = strlen(name);

        require(n > 0 && n <= max && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n);
        require(!strstr(name, "--") && name[n - 1] != '-');
        require(parse(name, again) == 0 && strcmp(again, name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1), name[64], *key = malloc(size + 2);

        require(text && key);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';

        if (account_name_parse(text, name) == 0) {
                require(account_name_is_ours(text) && account_name_is_ours(name));
                check_lowered(name, ACCOUNT_NAME_MAX, account_name_parse);
        }
        if (ticket_id_parse(text, name) == 0)
                check_lowered(name, TICKET_ID_MAX, ticket_id_parse);
        if (person_name_is_valid(text))
                require(strlen(text) <= PERSON_NAME_MAX && !strpbrk(text, "/ \n:,") && text[0] != '.');
        if (role_name_is_valid(text))
                require(strlen(text) <= ROLE_NAME_MAX && !strpbrk(text, "/ \n:,._"));
        if (host_pattern_is_valid(text))
                require(strlen(text) <= 253 && !strpbrk(text, "/ \n:,[?"));

        if (ssh_key_parse(text, key, strlen(text) + 2) == 0) {
                char *again = malloc(strlen(key) + 1);

                require(again && strlen(key) <= strlen(text) && !strpbrk(key, "\n\"\t,"));
                require(ssh_key_parse(key, again, strlen(key) + 1) == 0 && strcmp(again, key) == 0);
                require(ssh_key_parse(key, again, strlen(key)) < 0);
                free(again);
        }
        free(key);
        free(text);
        return 0;
}
