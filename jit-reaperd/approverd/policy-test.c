/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "file-io.h"
#include "json.h"
#include "policy-test.h"
#include "policy.h"
#include "strv.h"

enum { CASE_FILE_MAX = 1024 * 1024, CASE_NAME_MAX = 200, PATH_DEPTH_MAX = 8 };

typedef struct Run {
        Policy *policy;
        FILE *out, *err;
        unsigned passed, failed;
} Run;

typedef struct CaseFile {
        char *about;
        json_t *input, *cases;
} CaseFile;

typedef struct Case {
        char *name, *reason;
        json_t *change;
        bool allow;
        uint64_t ttl_usec;
} Case;

static const JsonField file_fields[] = {
                {"about", JSON_FIELD_TEXT, offsetof(CaseFile, about), 4096, 0},
                {"input", JSON_FIELD_OBJECT, offsetof(CaseFile, input), 0, JSON_REQUIRED},
                {"cases", JSON_FIELD_ARRAY, offsetof(CaseFile, cases), 0, JSON_REQUIRED},
                {0},
};
static const JsonField case_fields[] = {
                {"name", JSON_FIELD_STRING, offsetof(Case, name), CASE_NAME_MAX, JSON_REQUIRED},
                {"change", JSON_FIELD_OBJECT, offsetof(Case, change), 0, 0},
                {"allow", JSON_FIELD_BOOL, offsetof(Case, allow), 0, JSON_REQUIRED},
                {"reason", JSON_FIELD_STRING, offsetof(Case, reason), 64, 0},
                {"ttl_usec", JSON_FIELD_UINT, offsetof(Case, ttl_usec), INT64_MAX, 0},
                {0},
};

static void case_file_done(CaseFile *f) {
        free(f->about);
        json_decref(f->input);
        json_decref(f->cases);
}

static void case_done(Case *c) {
        free(c->name);
        free(c->reason);
        json_decref(c->change);
}

/* 2 */
static int complain(const Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int complain(const Run *run, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vfprintf(run->err, format, ap);
        va_end(ap);
        (void) fputc('\n', run->err);
        return 2;
}

/* ---- one case ---- */

/* Sets a.b.c in object, where a and b are there. */
static int set_path(json_t *object, const char *part, json_t *value) {
        char name[64];

        for (unsigned i = 0; i < PATH_DEPTH_MAX && json_is_object(object); i++) {
                size_t length = strcspn(part, ".");

                if (part[length] == '\0')
                        return json_object_set(object, part, value) < 0 ? -ENOMEM : 0;
                if (length >= sizeof(name))
                        break;
                memcpy(name, part, length);
                name[length] = '\0';
                object = json_object_get(object, name);
                part += length + 1;
        }
        return -ENOENT;
}

static void print_outcome(FILE *f, bool allow, const char *reason, bool with_ttl, uint64_t ttl_usec) {
        fprintf(f, "%s%s%s%s", allow ? "allow" : "refuse", reason ? " (" : "", reason ? reason : "", reason ? ")" : "");
        if (with_ttl && ttl_usec == USEC_INFINITY)
                fputs(" without ttl_usec", f);
        else if (with_ttl)
                fprintf(f, " with ttl_usec %" PRIu64, ttl_usec);
}

static void judge_case(Run *run, const Case *c, bool with_ttl, const PolicyResult *r) {
        if (!r->error && r->allow == c->allow && (!c->reason || streq(c->reason, r->reasons[0])) &&
            (!with_ttl || r->ttl_usec == c->ttl_usec)) {
                run->passed++;
                fprintf(run->out, "ok %s\n", c->name);
                return;
        }
        run->failed++;
        fprintf(run->out, "not ok %s: expected ", c->name);
        print_outcome(run->out, c->allow, c->reason, with_ttl, c->ttl_usec);
        fputs(", got ", run->out);
        if (r->error)
                fprintf(run->out, "an error: %s\n", r->error);
        else {
                print_outcome(run->out, r->allow, r->reasons[0], with_ttl, r->ttl_usec);
                fputc('\n', run->out);
        }
}

static int run_case(Run *run, const char *path, const json_t *base, const json_t *object, size_t number) {
        JIT_CLEANUP(case_done) Case c = {0};
        JIT_CLEANUP(policy_result_done) PolicyResult result = {0};
        _cleanup_json_ json_t *input = json_deep_copy(base);
        const char *member = NULL;
        json_t *value;

        if (!input)
                return complain(run, "%s: no memory", path);
        if (json_dispatch(object, case_fields, &c, &member) < 0)
                return complain(run, "%s: case %zu: \"%s\" is missing, unknown or not of the right type", path, number,
                                member ? member : "");
        json_object_foreach (c.change, member, value)
                if (set_path(input, member, value) < 0)
                        return complain(run, "%s: case %zu: the input has no place for \"%s\"", path, number, member);
        if (policy_run(run->policy, input, &result) < 0)
                return complain(run, "%s: no memory", path);
        judge_case(run, &c, json_is_integer(json_object_get(object, "ttl_usec")), &result);
        return 0;
}

/* ---- files ---- */

static int run_file(Run *run, int dir_fd, const char *name, const char *path) {
        JIT_CLEANUP(case_file_done) CaseFile file = {0};
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;
        char why[JSON_WHY_MAX] = "";
        const char *member = NULL;
        size_t length = 0;
        int r = file_read_capped(dir_fd, name, CASE_FILE_MAX, false, &text, &length);

        if (r < 0)
                return complain(run, "%s: %s", path, strerror(-r));
        if (json_parse_strict(text, length, CASE_FILE_MAX, &j, why) < 0)
                return complain(run, "%s: %s", path, why);
        if (json_dispatch(j, file_fields, &file, &member) < 0)
                return complain(run, "%s: \"%s\" is missing, unknown or not of the right type", path,
                                member ? member : "");
        for (size_t i = 0; i < json_array_size(file.cases); i++)
                if ((r = run_case(run, path, file.input, json_array_get(file.cases, i), i + 1)) != 0)
                        return r;
        return 0;
}

static int is_case_file(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > strlen(".json") && streq(entry->d_name + n - strlen(".json"), ".json");
}

static int run_folder(Run *run, const char *folder) {
        _cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries = NULL;
        int r = 0, n;

        if (fd < 0 || (n = scandirat(fd, ".", &entries, is_case_file, alphasort)) < 0)
                return complain(run, "%s: %s", folder, strerror(errno));
        if (n == 0)
                r = complain(run, "%s: there is no case file (*.json)", folder);
        for (int i = 0; i < n && r == 0; i++) {
                _cleanup_free_ char *path = NULL;
                if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
                        path = NULL;
                r = run_file(run, fd, entries[i]->d_name, path ? path : folder);
        }
        for (int i = 0; i < n; i++)
                free(entries[i]);
        free(entries);
        return r;
}

/* A policy that is only tried need not be root's: it can do nothing but answer. */
static int load_policy(Run *run, const PolicyTest *test) {
        _cleanup_free_ char *text = NULL;
        char why[POLICY_WHY_MAX] = "";
        int r;

        if (!test->policy) {
                r = policy_load(test->etc, test->vendor, &run->policy, why);
                return r < 0 ? complain(run, "%s", *why ? why : strerror(-r)) : 0;
        }
        r = file_read_capped(AT_FDCWD, test->policy, POLICY_TEXT_MAX, false, &text, NULL);
        if (r >= 0)
                r = policy_new(text, &run->policy, why);
        return r < 0 ? complain(run, "%s: %s", test->policy, *why ? why : strerror(-r)) : 0;
}

int policy_test_run(const PolicyTest *test, FILE *out, FILE *err) {
        Run run = {.out = out, .err = err};
        struct stat st;
        int r;

        if ((r = load_policy(&run, test)) != 0)
                return r;
        if (stat(test->cases, &st) < 0)
                r = complain(&run, "%s: %s", test->cases, strerror(errno));
        else
                r = S_ISDIR(st.st_mode) ? run_folder(&run, test->cases)
                                        : run_file(&run, AT_FDCWD, test->cases, test->cases);
        policy_free(run.policy);
        if (r == 0 && run.passed + run.failed == 0)
                return complain(&run, "%s: there is no case in it", test->cases);
        if (r == 0)
                fprintf(out, "%u cases: %u ok, %u not ok\n", run.passed + run.failed, run.passed, run.failed);
        return r == 0 && run.failed > 0 ? 1 : r;
}
