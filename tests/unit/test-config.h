/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_CONFIG_H
#define JIT_TEST_CONFIG_H

/* A host's configuration files in a folder of their own, for test-config*.c. */

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "config-parse.h"
#include "config.h"
#include "test.h"
#include "timefmt.h"

static char root[32];

static void tree_begin(void) {
        (void) snprintf(root, sizeof(root), "/tmp/test-config.XXXXXX");
        if (!mkdtemp(root))
                abort();
}

static int on_tree_entry(const char *path, const struct stat *st, int type, struct FTW *place) {
        (void) st;
        (void) type;
        (void) place;
        return remove(path);
}

static void tree_end(void) {
        CHECK_EQ_INT(nftw(root, on_tree_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *tree_path(const char *name) {
        static char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s%s", root, name);
        return path;
}

static void tree_make_folders(const char *name) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s", tree_path(name));
        for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                (void) mkdir(path, 0755);
                *p = '/';
        }
}

static void put_bytes(const char *name, const char *text, size_t length) {
        tree_make_folders(name);
        FILE *f = fopen(tree_path(name), "we");
        if (!f)
                abort();
        CHECK_EQ_INT(fwrite(text, 1, length, f), length);
        CHECK_EQ_INT(fclose(f), 0);
        CHECK_EQ_INT(chmod(tree_path(name), 0644), 0);
}

static void put(const char *name, const char *text) {
        put_bytes(name, text, strlen(text));
}

__attribute__((unused)) static Config *load(void) {
        char why[CONFIG_WHY_MAX];
        Config *c = NULL;
        int r = config_load(root, &c, why);

        if (r < 0)
                TEST_FAIL("config_load: %d, %s", r, why);
        return c;
}

/* It is refused, and the sentence has all of this in it. */
static void check_refused_(int line, const char *const *parts) {
        char why[CONFIG_WHY_MAX];
        Config *c = NULL;
        int r = config_load(root, &c, why);

        if (r != -EBADMSG)
                TEST_FAIL("line %d: config_load returned %d", line, r);
        for (; r == -EBADMSG && *parts; parts++)
                if (!strstr(why, *parts))
                        TEST_FAIL("line %d: no \"%s\" in: %s", line, *parts, why);
        CHECK(c == NULL);
        config_free(c);
}
#define CHECK_REFUSED(...) check_refused_(__LINE__, (const char *const[]){__VA_ARGS__, NULL})

typedef struct Fault {
        const char *text, *why;
} Fault;

__attribute__((unused)) static void check_faults(const char *file, const Fault *faults, size_t n) {
        for (size_t i = 0; i < n; i++) {
                tree_begin();
                put(file, faults[i].text);
                CHECK_REFUSED(file, faults[i].why);
                if (test_failed)
                        fprintf(stderr, "case %zu: %s\n", i, faults[i].text);
                tree_end();
        }
}

#endif
