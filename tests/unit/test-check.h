/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_CHECK_H
#define JIT_TEST_CHECK_H

/* A directory that stands for a host, for what `jitctl check` finds there. */

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "findings.h"
#include "test.h"

static char root[] = "/tmp/test-check.XXXXXX";

/* With the folders above it. */
static inline void put(const char *path, const char *text) {
        char whole[256];
        FILE *f;

        (void) snprintf(whole, sizeof(whole), "%s%s", root, path);
        for (char *p = whole + strlen(root) + 1; (p = strchr(p, '/')); p++) {
                *p = 0;
                (void) mkdir(whole, 0755);
                *p = '/';
        }
        f = fopen(whole, "w");
        CHECK(f);
        if (f) {
                fputs(text, f);
                (void) fchmod(fileno(f), 0644);
                (void) fclose(f);
        }
}

static inline void drop(const char *path) {
        char whole[256];

        (void) snprintf(whole, sizeof(whole), "%s%s", root, path);
        CHECK_EQ_INT(unlink(whole), 0);
}

typedef void (*check_t)(Findings *f, const char *where);

/* The messages that a check finds, each with a newline. */
static inline char *findings_of(check_t check) {
        _cleanup_json_ json_t *list = json_array();
        Findings f = {.list = list};
        char *text = NULL;
        size_t size, i;
        FILE *out = open_memstream(&text, &size);
        json_t *finding;

        check(&f, root);
        CHECK(!f.failed);
        CHECK_EQ_INT(json_array_size(list), f.errors + f.warnings);
        json_array_foreach (list, i, finding)
                fprintf(out, "%s\n", json_string_value(json_object_get(finding, "message")));
        (void) fclose(out);
        return text;
}

static inline void check_found(check_t check, const char *part) {
        _cleanup_free_ char *text = findings_of(check);

        if (*part ? !strstr(text, part) : *text != 0)
                TEST_FAIL("\"%s\", wanted \"%s\"", text, part);
}

static inline int on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

static inline void remove_root(void) {
        CHECK_EQ_INT(nftw(root, on_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
