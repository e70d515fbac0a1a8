/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "cleanup.h"
#include "input.h"
#include "process.h"
#include "sign.h"
#include "test.h"

static char folder[] = "/tmp/test-sign.XXXXXX", key[64], public_key[64];

TEST(setup) {
        const char *const argv[] = {"ssh-keygen", "-q",           "-t", "ed25519", "-N", "",
                                    "-C",         "alice@laptop", "-f", key,       NULL};
        _cleanup_free_ char *output = NULL;
        int status = -1;

        CHECK(mkdtemp(folder));
        (void) snprintf(key, sizeof(key), "%s/id", folder);
        (void) snprintf(public_key, sizeof(public_key), "%s/id.pub", folder);
        CHECK_EQ_INT(process_run(argv, "", 0, true, &output, &status), 0);
        CHECK_EQ_INT(status, 0);
}

TEST(programs) {
        static const char *const missing[] = {"no-such-program-here", NULL},
                                 *const killed[] = {"sh", "-c", "kill -9 $$", NULL},
                                 *const both[] = {"sh", "-c", "cat; echo err >&2; exit 3", NULL},
                                 *const much[] = {"yes", NULL};
        char *output = NULL;
        int status;

        CHECK_EQ_INT(process_run(missing, "", 0, true, &output, &status), -ENOENT);
        CHECK_EQ_INT(process_run(killed, "", 0, true, &output, &status), 0);
        CHECK_EQ_INT(status, 128 + 9);
        free(output);
        CHECK_EQ_INT(process_run(both, "in\n", 3, true, &output, &status), 0);
        CHECK_EQ_INT(status, 3);
        CHECK_STREQ(output, "in\nerr\n");
        free(output);
        CHECK_EQ_INT(process_run(much, "", 0, true, &output, &status), -EFBIG);
}

TEST(signatures_are_what_verifiers_take) {
        static const char text[] = "{\"id\":\"CHG1\"}";
        _cleanup_free_ char *signature = NULL, *output = NULL, *file = NULL, *wrong = NULL;
        const char *check[] = {"ssh-keygen", "-Y", "check-novalidate", "-n", SIGN_NAMESPACE, "-s", NULL, NULL};
        int status = -1, fd;

        CHECK_EQ_INT(sign_text(key, text, &signature), 0);
        if (!signature || asprintf(&file, "%s/sig", folder) < 0)
                return;
        fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && write(fd, signature, strlen(signature)) == (ssize_t) strlen(signature));
        (void) close(fd);
        check[6] = file;
        CHECK_EQ_INT(process_run(check, text, strlen(text), true, &output, &status), 0);
        CHECK_EQ_INT(status, 0);
        CHECK_EQ_INT(process_run(check, "{}", 2, true, &wrong, &status), 0);
        CHECK(status != 0);
        (void) unlink(file);
}

TEST(keys) {
        _cleanup_free_ char *line = NULL, *again = NULL, *none = NULL, *fingerprint = NULL;

        CHECK_EQ_INT(key_read_public(public_key, &line), 0);
        if (!line)
                return;
        CHECK(strncmp(line, "ssh-ed25519 ", 12) == 0 && strstr(line, " alice@laptop"));
        CHECK_EQ_INT(key_read_public(line, &again), 0);
        CHECK_STREQ(again, line);
        CHECK_EQ_INT(key_fingerprint(line, &fingerprint), 0);
        CHECK(fingerprint && strncmp(fingerprint, "256 SHA256:", 11) == 0);
        CHECK_EQ_INT(key_read_public(key, &none), -EINVAL); /* the private one */
        CHECK_EQ_INT(key_read_public("/nowhere/id.pub", &none), -ENOENT);
        CHECK_EQ_INT(key_fingerprint("nonsense", &none), -EINVAL);
        CHECK(sign_text("/nowhere/id", "x", &none) == -EKEYREJECTED);
}

TEST(times) {
        const uint64_t now = 1795356000000000; /* 2026-11-22T14:00:00Z */
        uint64_t t = 0;

        CHECK(input_time("now", now, &t) == 0 && t == now);
        CHECK(input_time("+90min", now, &t) == 0 && t == now + 5400000000);
        CHECK(input_time("2026-11-22T14:00:01Z", 0, &t) == 0 && t == now + 1000000);
        CHECK(input_time("2026-11-22T14:00Z", 0, &t) == 0 && t == now);
        CHECK(input_time("14:00", now, &t) < 0);
        CHECK(input_time("+", now, &t) < 0);
        CHECK(input_time("+soon", now, &t) < 0);
        CHECK(input_time("2026-11-22T25:00Z", now, &t) < 0);
        CHECK(input_time("", now, &t) < 0);
}

TEST(teardown) {
        (void) unlink(key);
        (void) unlink(public_key);
        CHECK_EQ_INT(rmdir(folder), 0);
}

TEST_MAIN
