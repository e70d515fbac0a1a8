/* SPDX-License-Identifier: Apache-2.0 */

/* With real keys and the real ssh-keygen; below a folder of its own in /tmp. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "../../jit-reaperd/approverd/signed/signature.h"
#include "file-io.h"
#include "test.h"

static char folder[] = "/tmp/jit-signature-XXXXXX";
static sd_event *event;
static ApproversFile *approvers;
static SignatureVerifier *verifier;

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...) {
        char command[1024];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(command, sizeof(command), format, ap);
        va_end(ap);
        CHECK_EQ_INT(system(command), 0);
}

static char *slurp(const char *name) {
        _cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *text = NULL;

        CHECK_EQ_INT(file_read_capped(fd, name, 65536, false, &text, NULL), 0);
        return text;
}

static void put(const char *name, const char *text) {
        _cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK_EQ_INT(file_write_atomic(fd, name, text, strlen(text), 0644, (uid_t) -1, (gid_t) -1, false), 0);
}

/* name's signature of text, made with key. */
static char *sign(const char *key, const char *text, const char *space) {
        put("m", text);
        run("rm -f %s/m.sig; ssh-keygen -q -Y sign -f %s/%s -n %s %s/m >/dev/null 2>&1", folder, folder, key, space,
            folder);
        return slurp("m.sig");
}

static void list_approvers(const char *options) {
        _cleanup_free_ char *bob = slurp("bob.pub"), *carol = slurp("carol.pub");
        char text[4096];

        (void) snprintf(text, sizeof(text), "# people\nbob,\"robert\" %s%s\ncarol %s", options, bob, carol);
        put("approvers", text);
}

typedef struct Answer {
        int n, error;
        SignatureResult result;
} Answer;

static void on_answer(int error, SignatureResult result, void *userdata) {
        *(Answer *) userdata = (Answer){((Answer *) userdata)->n + 1, error, result};
}

static SignatureRequest request_of(const char *text, const char *approver, const char *signature) {
        return (SignatureRequest){
                        .message = text, .length = strlen(text), .approver = approver, .signature = signature};
}

/* The result, or a negative errno. */
static int ask(const char *text, const char *approver, const char *signature) {
        SignatureRequest request = request_of(text, approver, signature);
        SignatureResult result;
        Answer a = {0};
        int r = signature_verify(verifier, &request, on_answer, &a, &result);

        if (r != 0)
                return r < 0 ? r : (int) result;
        while (a.n == 0)
                CHECK(sd_event_run(event, UINT64_MAX) >= 0);
        return a.error < 0 ? a.error : (int) a.result;
}

static void begin(const char *program) {
        CHECK_EQ_INT(approvers_file_new(folder, &approvers), 0);
        CHECK_EQ_INT(sd_event_new(&event), 0);
        CHECK_EQ_INT(signature_verifier_new(event, approvers, program, &verifier), 0);
        list_approvers("");
}

static void end(void) {
        verifier = signature_verifier_free(verifier);
        approvers = approvers_file_free(approvers);
        event = sd_event_unref(event);
        run("rm -f %s/revoked", folder);
}

TEST(prepare) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        CHECK(mkdtemp(folder));
        run("for i in bob carol mallory; do ssh-keygen -q -t ed25519 -N '' -C $i -f %s/$i; done", folder);
}

TEST(results) {
        begin(NULL);
        _cleanup_free_ char *bob = sign("bob", "text", SIGNATURE_NAMESPACE),
                            *mallory = sign("mallory", "text", SIGNATURE_NAMESPACE);
        _cleanup_free_ char *file = sign("bob", "text", "file");
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_VALID);
        CHECK_EQ_INT(ask("text", "robert", bob), SIGNATURE_VALID);
        CHECK_EQ_INT(ask("Text", "bob", bob), SIGNATURE_TAMPERED);
        CHECK_EQ_INT(ask("text", "carol", bob), SIGNATURE_UNKNOWN);
        CHECK_EQ_INT(ask("text", "bob", mallory), SIGNATURE_UNKNOWN);
        CHECK_EQ_INT(ask("text", "bob", file), SIGNATURE_TAMPERED);
        CHECK_EQ_INT(ask("text", "bob", "nonsense"), SIGNATURE_TAMPERED);
        CHECK(approvers_file_lists(approvers, "bob"));
        CHECK(approvers_file_lists(approvers, "robert"));
        CHECK(!approvers_file_lists(approvers, "mallory"));
        CHECK(!approvers_file_lists(approvers, "#"));
        end();
}

TEST(revoked) {
        begin(NULL);
        _cleanup_free_ char *bob = sign("bob", "text", SIGNATURE_NAMESPACE), *key = slurp("bob.pub");
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_VALID);
        put("revoked", key);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_REVOKED);
        CHECK_EQ_INT(ask("Text", "bob", bob), SIGNATURE_TAMPERED);
        CHECK_EQ_INT(ask("text", "carol", bob), SIGNATURE_UNKNOWN);
        run("rm %s/revoked; ssh-keygen -q -k -f %s/revoked %s/bob.pub", folder, folder,
            folder); /* a KRL, which is binary */
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_REVOKED);
        run("rm %s/revoked; : >%s/revoked", folder, folder);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_VALID);
        run("chmod 0666 %s/revoked", folder); /* not to be trusted: fails closed */
        approvers_file_forget(approvers);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_REVOKED);
        end();
}

TEST(approvers_change) {
        begin(NULL);
        _cleanup_free_ char *bob = sign("bob", "text", SIGNATURE_NAMESPACE), *carol = slurp("carol.pub");
        char text[1024];
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_VALID);
        (void) snprintf(text, sizeof(text), "carol %s", carol);
        put("approvers", text);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_UNKNOWN);
        run("rm %s/approvers", folder);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_UNKNOWN);
        list_approvers("");
        run("chmod 0664 %s/approvers", folder);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_UNKNOWN);
        list_approvers("valid-before=\"20200101\" ");
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_UNKNOWN);
        CHECK(approvers_file_is_timed(approvers));
        list_approvers("namespaces=\"other\" ");
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_UNKNOWN);
        end();
}

TEST(remembered) {
        begin(NULL);
        _cleanup_free_ char *bob = sign("bob", "text", SIGNATURE_NAMESPACE);
        SignatureRequest request = request_of("text", "bob", bob);
        SignatureResult result;
        Answer a = {0}, b = {0};
        CHECK_EQ_INT(signature_verify(verifier, &request, on_answer, &a, &result), 0);
        CHECK_EQ_INT(signature_verify(verifier, &request, on_answer, &b, &result), 0);
        while (a.n + b.n < 2)
                CHECK(sd_event_run(event, UINT64_MAX) >= 0);
        CHECK_EQ_INT(signature_verifier_spawned(verifier), 1); /* equal questions share an answer */
        CHECK_EQ_INT(signature_verify(verifier, &request, on_answer, &a, &result), 1);
        CHECK_EQ_INT(result, SIGNATURE_VALID);
        CHECK_EQ_INT(ask("Text", "bob", bob), SIGNATURE_TAMPERED);
        uint64_t before = signature_verifier_spawned(verifier);
        CHECK_EQ_INT(ask("Text", "bob", bob), SIGNATURE_TAMPERED);
        CHECK_EQ_INT(signature_verifier_spawned(verifier), before);
        signature_verifier_flush(verifier);
        CHECK_EQ_INT(ask("text", "bob", bob), SIGNATURE_VALID);
        CHECK_EQ_INT(signature_verifier_spawned(verifier), before + 1);
        end();
}

TEST(bounded) {
        static char texts[SIGNATURE_PROCESSES_MAX + SIGNATURE_QUEUE_MAX + 1][8];
        static Answer answers[ELEMENTSOF(texts)];
        SignatureResult result;
        begin(NULL);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                (void) snprintf(texts[i], sizeof(texts[i]), "%zu", i);
                SignatureRequest request = request_of(texts[i], "bob", "x");
                CHECK_EQ_INT(signature_verify(verifier, &request, on_answer, &answers[i], &result),
                             i + 1 < ELEMENTSOF(texts) ? 0 : -EAGAIN);
        }
        CHECK_EQ_INT(signature_verifier_spawned(verifier), SIGNATURE_PROCESSES_MAX);
        end();
        for (size_t i = 0; i + 1 < ELEMENTSOF(texts); i++) {
                CHECK_EQ_INT(answers[i].n, 1);
                CHECK_EQ_INT(answers[i].error, -ECANCELED);
        }
        CHECK_EQ_INT(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

TEST(no_program) {
        begin("/nonexistent/ssh-keygen");
        CHECK(ask("text", "bob", "x") < 0); /* not an answer about the signature */
        end();
}

TEST(slow_program) {
        char program[64];
        (void) snprintf(program, sizeof(program), "%s/slow", folder);
        put("slow", "#!/bin/sh\nexec sleep 60\n");
        (void) chmod(program, 0755);
        begin(program);
        CHECK_EQ_INT(ask("text", "bob", "x"), -ETIMEDOUT);
        end();
}

TEST(armour) {
        SignatureKey key = {.length = 0};
        _cleanup_free_ char *bob = sign("bob", "text", SIGNATURE_NAMESPACE), *pub = slurp("bob.pub"),
                            *other = slurp("carol.pub");
        _cleanup_free_ char *file = sign("bob", "text", "file");
        CHECK_EQ_INT(signature_parse(bob, strlen(bob), &key), 0);
        CHECK(signature_key_is(&key, pub));
        CHECK(!signature_key_is(&key, other));
        CHECK(!signature_key_is(&key, "ssh-ed25519"));
        CHECK(!signature_key_is(&key, "ssh-ed25519 !!!!"));
        CHECK_EQ_INT(signature_parse(file, strlen(file), &key), -EBADMSG); /* another namespace */
        CHECK_EQ_INT(signature_parse("", 0, &key), -EBADMSG);
        CHECK_EQ_INT(signature_parse(bob, strlen(bob) / 2, &key), -EBADMSG);
        for (size_t i = 0; i < strlen(bob); i++) {
                char saved = bob[i];
                bob[i] = '\x01';
                CHECK(signature_parse(bob, strlen(bob), &key) < 0 || saved == '\n');
                bob[i] = saved;
        }
}

TEST(finish) {
        run("rm -rf %s", folder);
}

TEST_MAIN
