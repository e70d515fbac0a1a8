/* SPDX-License-Identifier: Apache-2.0 */

/* What an account may have left in a folder that it shares with others, some of it on purpose. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "cleanup.h"
#include "test-host.h"
#include "tree-clean.h"

enum { OURS = TEST_UID_MIN + 1, OTHERS = TEST_UID_MIN + 2 };

static const char top[] = "/tmp/top";
static int top_fd;
static Receipt receipt;

static bool setup(const char *name) {
        if (!private_host(name))
                return false;
        CHECK(mkdir(top, 01777) >= 0);
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return true;
}

static void teardown(void) {
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        receipt_done(&receipt);
        (void) close(top_fd);
        CHECK_EQ_INT(tree_remove(tmp, "top"), 0);
        CHECK(!is_there(tmp, "top"));
        (void) close(tmp);
}

static void file_of(const char *name, uid_t uid) {
        put_file(top_fd, name, "x");
        CHECK(fchownat(top_fd, name, uid, uid, AT_SYMLINK_NOFOLLOW) >= 0);
}

static void folder_of(const char *name, uid_t uid) {
        CHECK(mkdirat(top_fd, name, 0700) >= 0 && fchownat(top_fd, name, uid, uid, 0) >= 0);
}

static void clean(void) {
        receipt_done(&receipt);
        tree_clean(top, OURS, &receipt);
}

TEST(takes_ours_and_leaves_the_rest) {
        if (!setup("takes_ours_and_leaves_the_rest"))
                return;
        file_of("ours", OURS);
        file_of("others", OTHERS);
        file_of("roots", 0);
        folder_of("folder", OURS);
        file_of("folder/ours", OURS);
        file_of("folder/roots", 0); /* made as root: inside our folder, so ours */
        folder_of("folder/roots.d", 0);
        file_of("folder/roots.d/x", 0);
        folder_of("others.d", OTHERS);
        CHECK(fchmodat(top_fd, "others.d", 0755, 0) >= 0);
        file_of("others.d/ours", OURS);
        file_of("others.d/theirs", OTHERS);
        CHECK(mkfifoat(top_fd, "fifo", 0600) >= 0 && fchownat(top_fd, "fifo", OURS, OURS, 0) >= 0);
        CHECK(mknodat(top_fd, "device", S_IFCHR | 0600, makedev(1, 3)) >= 0 &&
              fchownat(top_fd, "device", OURS, OURS, 0) >= 0);
        clean();
        CHECK(!is_there(top_fd, "ours") && !is_there(top_fd, "folder") && !is_there(top_fd, "others.d/ours") &&
              !is_there(top_fd, "fifo") && !is_there(top_fd, "device"));
        CHECK(is_there(top_fd, "others") && is_there(top_fd, "roots") && is_there(top_fd, "others.d/theirs"));
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        CHECK_EQ_INT(strv_length(receipt.removed), 5); /* a folder's insides are not told one by one */
        clean();
        CHECK_EQ_INT(strv_length(receipt.removed) + strv_length(receipt.residue), 0);
        teardown();
}

TEST(follows_no_link) {
        if (!setup("follows_no_link"))
                return;
        CHECK(mkdir("/tmp/outside", 0755) >= 0);
        int outside = open("/tmp/outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_file(outside, "precious", "x");
        CHECK(fchown(outside, OURS, OURS) >= 0 && fchownat(outside, "precious", OURS, OURS, 0) >= 0);
        folder_of("folder", OURS);
        static const char *const names[] = {"to-folder", "to-file", "folder/to-folder", "folder/to-file"};
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                CHECK(symlinkat(i % 2 ? "/tmp/outside/precious" : "/tmp/outside", top_fd, names[i]) >= 0 &&
                      fchownat(top_fd, names[i], OURS, OURS, AT_SYMLINK_NOFOLLOW) >= 0);
        clean();
        CHECK(is_there(outside, "precious"));
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                CHECK(!is_there(top_fd, names[i]));
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        /* The folder itself replaced by a link: nothing is touched. */
        CHECK(symlink("/tmp/outside", "/tmp/link") >= 0);
        receipt_done(&receipt);
        tree_clean("/tmp/link", OURS, &receipt);
        CHECK(is_there(outside, "precious"));
        (void) unlinkat(outside, "precious", 0);
        (void) close(outside);
        CHECK(unlink("/tmp/link") >= 0 && rmdir("/tmp/outside") >= 0);
        teardown();
}

TEST(hard_links) {
        if (!setup("hard_links"))
                return;
        file_of("theirs", OTHERS);
        folder_of("folder", OURS);
        CHECK(linkat(top_fd, "theirs", top_fd, "folder/link", 0) >= 0);
        CHECK(linkat(top_fd, "theirs", top_fd, "link", 0) >= 0);
        clean();
        CHECK(is_there(top_fd, "theirs") && is_there(top_fd, "link") && !is_there(top_fd, "folder"));
        _cleanup_free_ char *text = get_file(top_fd, "theirs");
        CHECK_STREQ(text, "x");
        teardown();
}

TEST(crosses_no_mount) {
        if (!setup("crosses_no_mount"))
                return;
        folder_of("folder", OURS);
        folder_of("folder/mount", OURS);
        CHECK(private_tmpfs("/tmp/top/folder/mount"));
        file_of("folder/mount/file", OURS);
        clean();
        CHECK(is_there(top_fd, "folder/mount/file"));
        CHECK(strv_length(receipt.residue) > 0); /* and that is said */
        CHECK(umount2("/tmp/top/folder/mount", MNT_DETACH) >= 0);
        clean();
        CHECK(!is_there(top_fd, "folder"));
        teardown();
}

static bool set_flags(const char *name, int flags) {
        _cleanup_close_ int fd = openat(top_fd, name, O_RDONLY | O_CLOEXEC);
        int attributes[2] = {flags};

        return fd >= 0 && ioctl(fd, FS_IOC_SETFLAGS, attributes) >= 0;
}

TEST(immutable) {
        if (!setup("immutable"))
                return;
        file_of("file", OURS);
        file_of("log", OURS);
        folder_of("folder", OURS);
        folder_of("folder/deep", OURS);
        file_of("folder/deep/file", 0);
        file_of("roots", 0);
        if (!set_flags("file", FS_IMMUTABLE_FL)) {
                printf("skip immutable (this tmpfs knows no attributes: Linux before 6.6)\n");
                teardown();
                return;
        }
        CHECK(set_flags("log", FS_APPEND_FL) && set_flags("folder/deep/file", FS_IMMUTABLE_FL) &&
              set_flags("folder/deep", FS_IMMUTABLE_FL) && set_flags("folder", FS_IMMUTABLE_FL) &&
              set_flags("roots", FS_IMMUTABLE_FL));
        clean();
        CHECK(!is_there(top_fd, "file") && !is_there(top_fd, "log") && !is_there(top_fd, "folder") &&
              is_there(top_fd, "roots"));
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        CHECK(set_flags("roots", 0));
        teardown();
}

/* Levels folders, one in the other, of ours. */
static void dig(unsigned levels) {
        int fd = dup(top_fd);

        for (unsigned i = 0; i < levels; i++) {
                CHECK(mkdirat(fd, "d", 0700) >= 0 && fchownat(fd, "d", OURS, OURS, 0) >= 0);
                int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                (void) close(fd);
                fd = next;
        }
        put_file(fd, "bottom", "x");
        (void) close(fd);
}

TEST(deep) {
        if (!setup("deep"))
                return;
        dig(60);
        clean();
        CHECK(!is_there(top_fd, "d"));
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        dig(1000); /* deeper than it goes: bounded, and told */
        clean();
        CHECK(is_there(top_fd, "d"));
        CHECK(strv_length(receipt.residue) > 0 && strstr(receipt.residue[0], "deeper"));
        /* out of the way for teardown, which is as shallow */
        CHECK(mkdir("/tmp/rest", 0700) >= 0 && renameat(top_fd, "d", AT_FDCWD, "/tmp/rest/d") >= 0);
        teardown();
}

TEST(strange_names) {
        if (!setup("strange_names"))
                return;
        file_of("a\nb \x1b[2J\xff", OURS);
        file_of("%s%n%s", OURS);
        file_of("-rf", OURS);
        file_of("...", OURS);
        char longest[256];
        memset(longest, 'n', 255);
        longest[255] = 0;
        file_of(longest, OURS);
        clean();
        CHECK_EQ_INT(strv_length(receipt.removed), 5);
        STRV_FOREACH (s, receipt.removed)
                for (const char *p = *s; *p; p++)
                        CHECK(*p >= 0x20 && *p < 0x7f);
        teardown();
}

TEST(many_files) {
        char name[32];

        if (!setup("many_files"))
                return;
        for (unsigned i = 0; i < 2000; i++) {
                (void) snprintf(name, sizeof(name), "f%u", i);
                file_of(name, OURS);
        }
        clean();
        CHECK_EQ_INT(strv_length(receipt.removed), RECEIPT_ITEMS_MAX);
        CHECK_EQ_INT(receipt.dropped, 2000 - RECEIPT_ITEMS_MAX);
        CHECK(!is_there(top_fd, "f0") && !is_there(top_fd, "f1999"));
        teardown();
}

TEST(nothing_there) {
        Receipt r = {};

        tree_clean("/nonexistent/folder", OURS, &r);
        tree_clean("/dev/null", OURS, &r);
        CHECK_EQ_INT(strv_length(r.removed) + strv_length(r.residue), 0);
        receipt_done(&r);
}

TEST(removes_whatever_it_is) {
        if (!setup("removes_whatever_it_is"))
                return;
        file_of("file", 0);
        CHECK(symlinkat("/etc", top_fd, "link") >= 0);
        folder_of("folder", 0);
        file_of("folder/file", OTHERS);
        CHECK_EQ_INT(tree_remove(top_fd, "file"), 0);
        CHECK_EQ_INT(tree_remove(top_fd, "link"), 0);
        CHECK_EQ_INT(tree_remove(top_fd, "folder"), 0);
        CHECK_EQ_INT(tree_remove(top_fd, "folder"), 0);
        CHECK(!is_there(top_fd, "file") && !is_there(top_fd, "link") && !is_there(top_fd, "folder"));
        CHECK(is_there(AT_FDCWD, "/etc/passwd"));
        teardown();
}

TEST_MAIN
