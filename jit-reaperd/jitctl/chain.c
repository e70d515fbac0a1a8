/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <strings.h>

#include "audit-chain.h"
#include "chain.h"
#include "file-io.h"
#include "json.h"

/* Calls back with each line until that returns another thing than 0, and returns that. */
typedef int (*line_handler_t)(const char *line, size_t length, json_t *object, void *userdata);

static int each_line(FILE *f, line_handler_t on_line, void *userdata) {
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        ssize_t n;

        rewind(f);
        while ((n = getline(&line, &size, f)) > 0) {
                _cleanup_json_ json_t *object = NULL;
                int r;

                if (line[n - 1] == '\n')
                        line[--n] = 0;
                r = json_parse_strict(line, (size_t) n, AUDIT_LINE_MAX, &object, NULL);
                if (r >= 0)
                        r = on_line(line, (size_t) n, object, userdata);
                else if (r != -ENOMEM)
                        r = 0; /* `jitctl audit verify` names it; the lines around it are still worth showing */
                if (r != 0)
                        return r;
        }
        return ferror(f) ? -EIO : 0;
}

static const char *member(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

static bool member_is(const json_t *object, const char *name, const char *text) {
        const char *value = member(object, name);

        return value && strcasecmp(value, text) == 0;
}

typedef struct Search {
        const char *wanted;
        char *grant; /* the last match */
        Chain *chain;
        EVP_PKEY *key;
} Search;

static int on_search(const char *line, size_t length, json_t *object, void *userdata) {
        Search *s = userdata;
        const char *grant = member(object, "grant");

        (void) line;
        (void) length;
        if (!member_is(object, "grant", s->wanted) && !member_is(object, "account", s->wanted) &&
            !member_is(object, "ticket", s->wanted))
                return 0;
        if (!grant) {
                if (member_is(object, "event", "login.refused")) {
                        json_decref(s->chain->refusal);
                        s->chain->refusal = json_incref(object);
                }
                return 0;
        }
        if (s->grant && streq(s->grant, grant))
                return 0;
        free(s->grant);
        s->grant = strdup(grant);
        return s->grant ? 0 : -ENOMEM;
}

/* The line by itself: is it what its seal was made over? That its neighbours are untouched is for `jitctl audit
 * verify`. */
static void check_seal(Search *s, const char *line, size_t length, const json_t *object) {
        const char *prev = member(object, "prev"), *why = NULL;
        AuditHead head = {.seq = (uint64_t) json_integer_value(json_object_get(object, "seq")) - 1};

        s->chain->sealed = json_object_get(object, "seal") != NULL;
        s->chain->seal_fault = NULL;
        if (!s->key || !prev || strlen(prev) != AUDIT_HASH_HEX)
                return;
        memcpy(head.hash, prev, AUDIT_HASH_HEX + 1);
        s->chain->seal_checked = true;
        if (audit_line_check(&head, line, length, s->key, NULL, &why) < 0)
                s->chain->seal_fault = why ? why : "cannot be checked";
}

static int on_collect(const char *line, size_t length, json_t *object, void *userdata) {
        Search *s = userdata;

        if (!member_is(object, "grant", s->grant))
                return 0;
        if (json_array_append(s->chain->lines, object) < 0)
                return -ENOMEM;
        if (member_is(object, "event", "grant.receipt")) {
                s->chain->receipt = object; /* the array keeps it */
                check_seal(s, line, length, object);
        }
        return 0;
}

/* NULL if there is none: then the seal is not checked, and chain_print() says so. */
static EVP_PKEY *open_key(int dir_fd) {
        _cleanup_free_ char *pem = NULL;
        EVP_PKEY *key = NULL;

        if (file_read_capped(dir_fd, "audit.pub", 4096, false, &pem, NULL) < 0 ||
            audit_key_from_pem(pem, false, &key) < 0)
                return NULL;
        return key;
}

int chain_find(const Ctl *ctl, const char *wanted, Chain *ret) {
        _cleanup_close_ int dir = open(ctl->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        JIT_CLEANUP(audit_key_freep) EVP_PKEY *key = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        Search s = {.wanted = wanted, .chain = ret};
        int fd, r;

        if (dir < 0)
                return -errno;
        fd = openat(dir, "audit.jsonl", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "r");
        ret->lines = json_array();
        if (!f || !ret->lines) {
                if (!f)
                        (void) close(fd);
                return -ENOMEM;
        }
        key = open_key(dir);
        s.key = key;
        r = each_line(f, on_search, &s);
        if (r >= 0 && !s.grant)
                r = -ENOENT;
        if (r >= 0)
                r = each_line(f, on_collect, &s);
        free(s.grant);
        return r;
}

void chain_done(Chain *c) {
        json_decref(c->lines);
        json_decref(c->refusal);
}
