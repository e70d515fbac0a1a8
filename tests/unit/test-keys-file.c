/* SPDX-License-Identifier: Apache-2.0 */

#include "artefact.h"
#include "cleanup.h"
#include "test-host.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgGcDQGiShFQLNjzKGEUi0f19HcEUY4Ae5z5i/GfYDs"

static Config config;
static Manager manager = {.config = &config};
static char *keys[] = {(char *) KEY, (char *) KEY, NULL};
static Grant grant = {.manager = &manager,
                      .account = "jit-chg1",
                      .uid = TEST_UID_MIN + 1,
                      .requester = (char *) "alice",
                      .keys = keys};
static char directory[64], ca[96];

static bool setup(const char *name) {
        if (!test_is_root(name))
                return false;
        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        manager.dirs.keys = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void) snprintf(ca, sizeof(ca), "%s/ca.pub", directory);
        config.user_ca_file = NULL;
        grant.keys = keys;
        return true;
}

static void teardown(void) {
        CHECK_EQ_INT(keys_file_remove(&grant), 0);
        CHECK_EQ_INT(keys_file_remove(&grant), 0);
        (void) unlink(ca);
        (void) close(manager.dirs.keys);
        CHECK(rmdir(directory) >= 0);
}

TEST(keys_expire) {
        struct stat st;

        if (!setup("keys_expire"))
                return;
        CHECK_EQ_INT(keys_file_make(&grant, 1795356000000001), 0); /* rounded up: 14:00:00.000001 */
        _cleanup_free_ char *text = get_file(manager.dirs.keys, "jit-chg1");
        CHECK_STREQ(text, "expiry-time=\"20261122140001Z\" " KEY "\nexpiry-time=\"20261122140001Z\" " KEY "\n");
        CHECK(fstatat(manager.dirs.keys, "jit-chg1", &st, 0) >= 0 && (st.st_mode & 07777) == 0640 && st.st_uid == 0 &&
              st.st_gid == TEST_UID_MIN + 1);
        teardown();
}

TEST(no_keys) {
        if (!setup("no_keys"))
                return;
        grant.keys = NULL;
        CHECK_EQ_INT(keys_file_make(&grant, 1795356000000000), 0);
        _cleanup_free_ char *text = get_file(manager.dirs.keys, "jit-chg1");
        CHECK_STREQ(text, "");
        teardown();
}

TEST(user_ca) {
        static const char *const bad[] = {"", "\n" KEY, "command=\"x\" " KEY "\n", "# comment\n" KEY "\n",
                                          "no key at all"};

        if (!setup("user_ca"))
                return;
        grant.keys = NULL;
        config.user_ca_file = ca;
        CHECK_EQ_INT(keys_file_make(&grant, 1795356000000000), -ENOENT); /* rather nobody in than somebody unexpected */
        put_file(AT_FDCWD, ca, KEY " ca@example\nssh-ed25519 second\n");
        CHECK_EQ_INT(keys_file_make(&grant, 1795356000000000), 0);
        _cleanup_free_ char *text = get_file(manager.dirs.keys, "jit-chg1");
        CHECK_STREQ(text, "cert-authority,principals=\"alice\",expiry-time=\"20261122140000Z\" " KEY "\n");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                put_file(AT_FDCWD, ca, bad[i]);
                CHECK(keys_file_make(&grant, 1795356000000000) < 0);
        }
        put_file(AT_FDCWD, ca, KEY "\n");
        CHECK(chmod(ca, 0666) >= 0); /* anybody's word */
        CHECK_EQ_INT(keys_file_make(&grant, 1795356000000000), -EPERM);
        teardown();
}

TEST_MAIN
