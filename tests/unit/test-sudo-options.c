/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "sudo-options.h"
#include "test.h"

/* Words with a NUL behind each. */
#define USE(words) sudo_use_parse(words "\0", sizeof(words))

TEST(plain) {
        CHECK_EQ_INT(USE("sudo\0id"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("/usr/bin/sudo\0-n\0id\0-g\0x"), SUDO_USE_PLAIN); /* the command's own options */
        CHECK_EQ_INT(USE("sudo-rs\0-u\0olga\0id"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("sudo\0-uolga\0-nb\0id"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("sudo\0-niu\0-g\0id"), SUDO_USE_PLAIN); /* a user called -g */
        CHECK_EQ_INT(USE("sudo\0--user=olga\0A=1\0-n\0B=-g\0--\0-g"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("sudo\0--user\0olga\0-i"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("sudo\0-l"), SUDO_USE_PLAIN);
        CHECK_EQ_INT(USE("sudo"), SUDO_USE_PLAIN);
}

TEST(edit) {
        CHECK_EQ_INT(USE("sudoedit\0/etc/shadow"), SUDO_USE_EDIT);
        CHECK_EQ_INT(USE("/tmp/xedit\0/etc/shadow"), SUDO_USE_EDIT);
        CHECK_EQ_INT(USE("sudo\0-e\0/etc/shadow"), SUDO_USE_EDIT);
        CHECK_EQ_INT(USE("sudo\0-nue\0-ne\0x"), SUDO_USE_EDIT); /* for the user e */
        CHECK_EQ_INT(USE("sudo\0--edit\0x"), SUDO_USE_EDIT);
        CHECK_EQ_INT(USE("sudo\0--ed\0x"), SUDO_USE_EDIT);
        CHECK_EQ_INT(USE("sudo\0A=1\0-u\0olga\0-e\0x"), SUDO_USE_EDIT);
}

TEST(other) {
        CHECK_EQ_INT(USE("sudo\0-g\0disk\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-ngdisk\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-n\0-u\0olga\0-gdisk\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0--group=disk\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0--gr\0disk\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0--us\0olga\0-g\0disk"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-D\0/\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-R\0/\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-C\0" "3\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-U\0olga\0-l"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0-u"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sudo\0--user"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("lt-sudo\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE("sh\0-n\0id"), SUDO_USE_OTHER);
        CHECK_EQ_INT(USE(""), SUDO_USE_OTHER);
        CHECK_EQ_INT(sudo_use_parse("", 0), SUDO_USE_OTHER);
        CHECK_EQ_INT(sudo_use_parse("sudo", 4), SUDO_USE_OTHER); /* cut */
        CHECK_EQ_INT(sudo_use_parse("sudo\0-u", 7), SUDO_USE_OTHER);
        CHECK_EQ_INT(sudo_use_parse("sudo\0-n\0-", 9), SUDO_USE_OTHER);
}

TEST(of_a_process) {
        CHECK_EQ_INT(sudo_use_of(getpid()), SUDO_USE_OTHER);
        CHECK_EQ_INT(sudo_use_of(0x7ffffff0), SUDO_USE_OTHER);
}

TEST_MAIN
