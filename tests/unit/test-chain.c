/* SPDX-License-Identifier: Apache-2.0 */

/* `jitctl show` of a grant that is over, and `jitctl audit verify`: on files made here, whole and then damaged. */

#include <fcntl.h>

#include "audit-chain.h"
#include "chain.h"
#include "file-io.h"
#include "jitctl.h"
#include "test.h"

static char folder[] = "/tmp/test-chain.XXXXXX";
static int folder_fd = -1;
static EVP_PKEY *key;
static Ctl ctl = {.no_color = true, .state_dir = folder};

static void put(const char *name, const char *text) {
        CHECK_EQ_INT(file_write_atomic(folder_fd, name, text, strlen(text), 0600, (uid_t) -1, (gid_t) -1, false), 0);
}

/* The text of a file with these events, and its head. NULL in sealed ends it. */
typedef struct Line {
        const char *event;
        bool sealed;
} Line;

static char *make_file(const Line *lines, AuditHead *head) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        audit_head_init(head);
        for (; lines->event; lines++) {
                _cleanup_free_ char *line = NULL;

                CHECK_EQ_INT(audit_line_make(head, json_loads(lines->event, 0, NULL), 1795356000000000,
                                             lines->sealed ? key : NULL, &line),
                             0);
                fputs(line, f);
        }
        (void) fclose(f);
        return text;
}

#define RECEIPT(grant, extra)                                                                                          \
        "{\"event\":\"grant.receipt\",\"grant\":\"" grant                                                              \
        "\",\"account\":\"jit-chg1\",\"uid\":70000,\"ticket\":\"CHG1\","                                               \
        "\"title\":\"restart\",\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\",\"carol\"],\"granted_"  \
        "at\":1795356000000000,"                                                                                       \
        "\"ended_at\":1795357200000000,\"gone_at\":1795357200041200,\"end_reason\":\"revoked\",\"end_by\":\"root\","   \
        "\"killed\":3,"                                                                                                \
        "\"sessions\":[{\"service\":\"sshd\",\"rhost\":\"::1\",\"from\":1795356000000000,\"to\":1795357200000000},"    \
        "{\"kind\":\"scope\",\"service\":\"sudo\",\"target\":\"root\",\"tty\":\"pts/1\"}],"                            \
        "\"removed\":[\"/var/tmp/x\"],\"absent\":[\"process\",\"account\"],\"residue\":[]" extra "}"

static const Line lines[] = {
                {"{\"event\":\"daemon.start\"}", true},
                {"{\"event\":\"grant.active\",\"grant\":\"g1\",\"account\":\"jit-chg1\",\"ticket\":\"CHG1\"}", false},
                {RECEIPT("g1", ""), true},
                {"{\"event\":\"grant.active\",\"grant\":\"g2\",\"account\":\"jit-chg1\",\"ticket\":\"CHG1\"}", false},
                {"{\"event\":\"session.open\",\"grant\":\"g2\",\"account\":\"jit-chg1\",\"service\":\"sshd\",\"tty\":"
                 "\"\\u001b[2J\"}",
                 false},
                {RECEIPT("g2", ",\"novel\":{\"member\":\"shown\"},\"way\":\"elevation\",\"rule\":false,\"recording\":["
                               "\"/var/log/a\","
                               "\"/var/log/b\"]"),
                 true},
                {"{\"event\":\"grant.active\",\"grant\":\"g3\",\"account\":\"jit-chg3\",\"ticket\":\"CHG3\"}", false},
                {"{\"event\":\"login.refused\",\"account\":\"jit-chg4\",\"ticket\":\"CHG4\",\"reason\":\"too-late\"}",
                 false},
                {0},
};

static int capture(const Verb *verbs, const char *arg, char *output, size_t size) {
        static const char zeros[256];
        char *args[] = {(char *) arg, NULL};
        int saved = dup(1), status;
        FILE *f = tmpfile();
        size_t n;

        (void) fflush(stdout);
        (void) dup2(fileno(f), 1);
        status = verbs[0].run(&ctl, args, zeros);
        (void) fflush(stdout);
        (void) dup2(saved, 1);
        (void) close(saved);
        rewind(f);
        n = fread(output, 1, size - 1, f);
        output[n] = 0;
        (void) fclose(f);
        return status;
}

static void check_verify(int status, const char *part) {
        char output[4096];

        CHECK_EQ_INT(capture(verbs_audit, NULL, output, sizeof(output)), status);
        if (!strstr(output, part))
                TEST_FAIL("\"%s\" lacks \"%s\"", output, part);
}

static void check_print(const char *wanted, const char *part) {
        JIT_CLEANUP(chain_done) Chain c = {0};
        char output[8192];
        FILE *f = tmpfile();
        int saved = dup(1);
        size_t n;

        CHECK_EQ_INT(chain_find(&ctl, wanted, &c), 0);
        (void) fflush(stdout);
        (void) dup2(fileno(f), 1);
        CHECK_EQ_INT(chain_print(&ctl, &c), 0);
        (void) fflush(stdout);
        (void) dup2(saved, 1);
        (void) close(saved);
        rewind(f);
        n = fread(output, 1, sizeof(output) - 1, f);
        output[n] = 0;
        (void) fclose(f);
        if (!strstr(output, part))
                TEST_FAIL("\"%s\" lacks \"%s\"", output, part);
}

static void write_all_files(const char *text, const AuditHead *head) {
        char head_text[AUDIT_HEAD_TEXT + 1];

        audit_head_format(head, head_text);
        put("audit.jsonl", text);
        put("audit.head", head_text);
}

TEST(setup) {
        _cleanup_free_ char *pem = NULL;

        CHECK(mkdtemp(folder));
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ_INT(audit_key_generate(&key), 0);
        CHECK_EQ_INT(audit_key_to_pem(key, false, &pem), 0);
        put("audit.pub", pem);
}

TEST(whole_file) {
        AuditHead head;
        _cleanup_free_ char *text = make_file(lines, &head);

        write_all_files(text, &head);
        check_verify(0, "ok: 8 lines, 3 sealed, 2 behind the last seal\n");
}

TEST(receipts) {
        JIT_CLEANUP(chain_done) Chain c = {0}, none = {0}, refused = {0};

        CHECK_EQ_INT(chain_find(&ctl, "chg1", &c), 0); /* a ticket means its last grant */
        CHECK_EQ_INT(json_array_size(c.lines), 3);
        CHECK(c.receipt && c.sealed && c.seal_checked && !c.seal_fault);
        check_print("g1", "Receipt       g1\n");
        check_print("jit-chg1", "Receipt       g2\n");
        check_print("g1", "Account       jit-chg1 (uid 70000)\n");
        check_print("g1", "Approved by   bob\n              carol\n");
        check_print("g1", " (20 min), all of it gone 41.2 ms later\n");
        check_print("g1", "Ended by      revoked (root)\n");
        check_print("g1", "Sessions      sshd from ::1, ");
        check_print("g1", "Killed        3 processes\n");
        check_print("g1", "Found absent  process\n              account\n");
        check_print("g1", "Residue       none\n");
        check_print("g1", "Seal          good");
        check_print("g1", "\n              sudo to root on pts/1\n");
        check_print("g2", "novel.member  shown\n");
        check_print("g2", "Way           gate: the person's own account, by the host's own sudo rules\n");
        check_print("g2", "Recording     /var/log/a\n              /var/log/b\n");
        check_print("CHG3", "grant.active");
        CHECK_EQ_INT(chain_find(&ctl, "CHG5", &none), -ENOENT);
        CHECK_EQ_INT(chain_find(&ctl, "CHG4", &refused), -ENOENT);
        CHECK(refused.refusal && !none.refusal);
}

TEST(damage_is_found) {
        AuditHead head, cut;
        _cleanup_free_ char *text = make_file(lines, &head), *receipt = NULL;
        char *killed, *end;

        killed = strstr(text, "\"killed\":3");
        if (!killed)
                return;
        killed[9] = '2';
        write_all_files(text, &head);
        check_verify(1, "line 3 has a seal that is not this key's");
        check_print("g1", "Seal          WRONG");
        check_print("g2", "Seal          good");
        killed[9] = '3';

        end = text + strlen(text) - 1; /* the last line cut off */
        while (end[-1] != '\n')
                end--;
        receipt = strndup(text, (size_t) (end - text));
        write_all_files(receipt, &head);
        check_verify(1, "line 8 is missing");

        cut = head;
        cut.hash[0] = cut.hash[0] == 'a' ? 'b' : 'a';
        write_all_files(text, &cut);
        check_verify(1, "line 8 is another one than audit.head recorded");
        put("audit.head", "nonsense");
        check_verify(1, "");
        CHECK_EQ_INT(unlinkat(folder_fd, "audit.head", 0), 0);
        check_verify(1, "");
}

TEST(teardown) {
        (void) unlinkat(folder_fd, "audit.jsonl", 0);
        (void) unlinkat(folder_fd, "audit.pub", 0);
        (void) close(folder_fd);
        CHECK_EQ_INT(rmdir(folder), 0);
        EVP_PKEY_free(key);
}

TEST_MAIN
