/* SPDX-License-Identifier: Apache-2.0 */

/* The audit file through restarts, power cuts, full disks and people who change it; judged by the same check as `jitctl
 * audit verify`. */

#include <sys/mman.h>

#include "audit-chain.h"
#include "audit.h"
#include "cleanup.h"
#include "test-host.h"

static char directory[64];
static int dir_fd;

static bool setup(const char *name) {
        if (!test_is_root(name))
                return false;
        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return true;
}

static void teardown(void) {
        static const char *const files[] = {"audit.jsonl", "audit.head", "audit.key", "audit.pub"};

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(dir_fd, files[i], 0);
        (void) close(dir_fd);
        CHECK(rmdir(directory) >= 0);
}

static Audit *chain_open(const char *trouble) {
        Audit *a = NULL;

        CHECK_EQ_INT(audit_open(dir_fd, &a), 0);
        if (trouble)
                CHECK(a && audit_trouble(a) && strstr(audit_trouble(a), trouble));
        else if (a && audit_trouble(a))
                TEST_FAIL("in trouble: %s", audit_trouble(a));
        return a;
}

static void write_lines(Audit *a, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                CHECK_EQ_INT(audit_write(a, json_pack("{s:s,s:i}", "event", "session.open", "n", (int) i), false), 0);
}

/* n lines in a start of their own. */
static void run_once(unsigned n, const char *trouble) {
        Audit *a = chain_open(trouble);

        write_lines(a, n);
        CHECK_EQ_INT(audit_write(a, json_pack("{s:s}", "event", "grant.receipt"), true), 0);
        audit_free(a);
}

static int verify(AuditReport *ret) {
        _cleanup_free_ char *pem = get_file(dir_fd, "audit.pub"), *text = get_file(dir_fd, "audit.head");
        _cleanup_fclose_ FILE *f = fdopen(openat(dir_fd, "audit.jsonl", O_RDONLY | O_CLOEXEC), "r");
        JIT_CLEANUP(audit_key_freep) EVP_PKEY *key = NULL;
        AuditHead head;

        CHECK_EQ_INT(audit_key_from_pem(pem, false, &key), 0);
        int has_head = audit_head_parse(text, &head);
        return audit_file_check(f, key, has_head >= 0 ? &head : NULL, ret);
}

static void check_whole(uint64_t lines) {
        AuditReport report;

        if (verify(&report) < 0)
                TEST_FAIL("line %llu %s", (unsigned long long) report.bad_line, report.why ? report.why : "");
        CHECK_EQ_INT(report.lines, lines);
}

static void check_bad(uint64_t line) {
        AuditReport report;

        CHECK_EQ_INT(verify(&report), -EBADMSG);
        CHECK_EQ_INT(report.bad_line, line);
}

static off_t lines_size(void) {
        struct stat st = {};

        CHECK(fstatat(dir_fd, "audit.jsonl", &st, 0) >= 0);
        return st.st_size;
}

static void cut(off_t size) {
        _cleanup_close_ int fd = openat(dir_fd, "audit.jsonl", O_WRONLY | O_CLOEXEC);

        CHECK(ftruncate(fd, size) >= 0);
}

static void append(const char *data, size_t length) {
        _cleanup_close_ int fd = openat(dir_fd, "audit.jsonl", O_WRONLY | O_APPEND | O_CLOEXEC);

        CHECK_EQ_INT(write(fd, data, length), length);
}

TEST(goes_on_after_restarts) {
        if (!setup("goes_on_after_restarts"))
                return;
        for (unsigned i = 0; i < 5; i++)
                run_once(3, NULL);
        check_whole(20);
        struct stat st;
        CHECK(fstatat(dir_fd, "audit.key", &st, 0) >= 0 && (st.st_mode & 0777) == 0600 && st.st_uid == 0);
        CHECK(fstatat(dir_fd, "audit.jsonl", &st, 0) >= 0 && (st.st_mode & 07) == 0);
        teardown();
}

TEST(torn_last_line) {
        if (!setup("torn_last_line"))
                return;
        run_once(3, NULL);
        _cleanup_free_ char *head = get_file(dir_fd, "audit.head");
        off_t whole = lines_size();
        run_once(0, NULL);
        off_t end = lines_size();
        /* At every byte of the line, with the head that a power cut in its middle leaves behind. */
        for (off_t at = end - 1; at >= whole; at -= 7) {
                cut(at);
                put_file(dir_fd, "audit.head", head);
                run_once(0, NULL);
                check_whole(5);
        }
        teardown();
}

TEST(cut_tail) {
        if (!setup("cut_tail"))
                return;
        run_once(1, NULL);
        off_t whole = lines_size();
        run_once(3, NULL);
        cut(whole);
        check_bad(3);
        run_once(0, "cut off"); /* the daemon says so in its first line, and goes on */
        check_whole(3);
        cut(0);
        check_bad(1);
        Audit *a = chain_open("empty");
        write_lines(a, 1);
        audit_free(a);
        check_bad(1); /* numbers go on: the gap stays visible */
        teardown();
}

TEST(head_behind) {
        if (!setup("head_behind"))
                return;
        run_once(2, NULL);
        _cleanup_free_ char *one_behind = get_file(dir_fd, "audit.head");
        run_once(0, NULL);
        put_file(dir_fd, "audit.head", one_behind); /* killed between the line and the head */
        check_whole(4);
        run_once(0, NULL);
        check_whole(5);
        put_file(dir_fd, "audit.head", one_behind); /* two behind: somebody added a line */
        check_bad(5);
        run_once(0, "lines were cut off or added");
        teardown();
}

TEST(damaged_head) {
        static const char *const heads[] = {
                        "x", "00000000000000000001 zzz\n", "\n\n\n",
                        "99999999999999999999 0000000000000000000000000000000000000000000000000000000000000000\n"};

        if (!setup("damaged_head"))
                return;
        run_once(3, NULL);
        for (size_t i = 0; i < ELEMENTSOF(heads); i++) {
                put_file(dir_fd, "audit.head", heads[i]);
                run_once(0, "");
                check_whole(5 + i);
        }
        _cleanup_free_ char *head = get_file(dir_fd, "audit.head"), *longer = NULL;
        CHECK(asprintf(&longer, "%sx", head) > 0);
        put_file(dir_fd, "audit.head", longer);
        run_once(0, NULL);
        teardown();
}

TEST(changed_last_line) {
        if (!setup("changed_last_line"))
                return;
        Audit *a = chain_open(NULL);
        write_lines(a, 3);
        audit_free(a);
        _cleanup_free_ char *text = get_file(dir_fd, "audit.jsonl");
        char *n = strstr(text, "\"n\":2");
        CHECK(n != NULL);
        n[4] = '7';
        put_file(dir_fd, "audit.jsonl", text);
        check_bad(3);
        run_once(0, "was changed");
        put_file(dir_fd, "audit.jsonl", "{\"event\":\"none of ours\"}\n");
        run_once(0, "not a line of ours");
        check_bad(1);
        put_file(dir_fd, "audit.jsonl",
                 "{\"event\":\"x\",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\","
                 "\"seq\":9007199254740993}\n");
        run_once(0, "damaged");
        check_bad(1);
        teardown();
}

TEST(garbage_tail) {
        if (!setup("garbage_tail"))
                return;
        run_once(3, NULL);
        off_t whole = lines_size();
        append("\0\0\0\0", 4);
        run_once(0, NULL); /* as torn */
        check_whole(5);
        /* A newline behind it: a line, and not ours. */
        append("\0\n", 2);
        run_once(0, "");
        check_bad(6);
        /* More than any line, and without an end: what was written before stays. */
        char *zeros = calloc(1, 3 * AUDIT_LINE_MAX);
        append(zeros, 3 * AUDIT_LINE_MAX);
        free(zeros);
        Audit *a = chain_open("does not end in a line of ours");
        write_lines(a, 1);
        audit_free(a);
        CHECK(lines_size() > whole);
        check_bad(6);
        teardown();
}

TEST(other_key) {
        if (!setup("other_key"))
                return;
        run_once(2, NULL);
        CHECK(unlinkat(dir_fd, "audit.key", 0) >= 0);
        run_once(0, "audit.key was gone");
        check_bad(3); /* the first seal, which is the old key's */
        Audit *a = NULL;
        put_file(dir_fd, "audit.key", "no key\n");
        CHECK_EQ_INT(audit_open(dir_fd, &a), -EBADMSG);
        CHECK(fchownat(dir_fd, "audit.key", TEST_UID_MIN, 0, 0) >= 0);
        CHECK_EQ_INT(audit_open(dir_fd, &a), -EPERM);
        teardown();
}

TEST(links_in_its_place) {
        Audit *a = NULL;

        if (!setup("links_in_its_place"))
                return;
        CHECK(symlinkat("/tmp/elsewhere", dir_fd, "audit.jsonl") >= 0);
        CHECK(audit_open(dir_fd, &a) < 0);
        CHECK(!is_there(AT_FDCWD, "/tmp/elsewhere"));
        teardown();
}

TEST(bad_events) {
        if (!setup("bad_events"))
                return;
        Audit *a = chain_open(NULL);
        CHECK_EQ_INT(audit_write(a, NULL, false), -EINVAL);
        CHECK_EQ_INT(audit_write(a, json_object(), false), -EINVAL);
        CHECK_EQ_INT(audit_write(a, json_pack("{s:s,s:i}", "event", "x", "seq", 1), false), -EINVAL);
        char *text = malloc(AUDIT_LINE_MAX + 1);
        memset(text, 'x', AUDIT_LINE_MAX);
        text[AUDIT_LINE_MAX] = 0;
        CHECK_EQ_INT(audit_write(a, json_pack("{s:s,s:s}", "event", "x", "text", text), false), -EMSGSIZE);
        text[AUDIT_LINE_MAX - 1000] = 0;
        CHECK_EQ_INT(audit_write(a, json_pack("{s:s,s:s}", "event", "x", "text", text), true), 0);
        free(text);
        audit_free(a);
        run_once(1, NULL);
        check_whole(3);
        teardown();
}

TEST(full_disk) {
        if (!private_host("full_disk"))
                return;
        if (!setup("full_disk"))
                return;
        CHECK(mount("test", directory, "tmpfs", 0, "size=64k,mode=0755") >= 0);
        int outer = dir_fd;
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Audit *a = chain_open(NULL);
        unsigned n = 0;
        int r;
        while ((r = audit_write(a, json_pack("{s:s,s:s}", "event", "session.open", "text", directory), n % 5 == 0)) ==
                               0 &&
               n < 10000)
                n++;
        CHECK_EQ_INT(r, -ENOSPC);
        CHECK(n > 50);
        check_whole(n); /* nothing of the line that did not fit */
        for (unsigned i = 0; i < 3; i++)
                CHECK_EQ_INT(audit_write(a, json_pack("{s:s,s:s}", "event", "grant.receipt", "text", directory), true),
                             -ENOSPC);
        check_whole(n);
        CHECK(mount("test", directory, "tmpfs", MS_REMOUNT, "size=1m") >= 0);
        write_lines(a, 3);
        audit_free(a);
        check_whole(n + 3);
        run_once(0, NULL);
        check_whole(n + 4);
        (void) close(dir_fd);
        dir_fd = outer;
        CHECK(umount2(directory, MNT_DETACH) >= 0);
        teardown();
}

TEST_MAIN
