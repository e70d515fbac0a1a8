/* SPDX-License-Identifier: Apache-2.0 */

/* `jitctl check` on a directory that stands for a host. */

#include "jitctl.h"
#include "paths.h"
#include "test-check.h"

TEST(setup) {
        CHECK(mkdtemp(root));
}

TEST(sshd) {
        check_found(sshd_check, "not checked");
        put("/etc/ssh/sshd_config", "# UsePAM yes\nUsePAM no\nUsePAM yes\n");
        check_found(sshd_check, "UsePAM is not yes");
        put("/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nUsePAM no\n");
        put("/etc/ssh/sshd_config.d/50-jit.conf",
            "usepam=yes\nMatch User jit-*\n  AuthorizedKeysFile \"/run/jit/keys/%u\"\n");
        check_found(sshd_check, "");
        put("/etc/ssh/sshd_config.d/50-jit.conf", "UsePAM yes\n");
        check_found(sshd_check, "no AuthorizedKeysFile");
        put("/etc/ssh/sshd_config", "Include sshd_config\n"); /* for ever */
        check_found(sshd_check, "UsePAM is not yes");
}

static void check_providers(Findings *f, const char *where) {
        (void) provider_check(f, where);
}

static void set_mode(const char *path, mode_t mode) {
        char whole[256];

        (void) snprintf(whole, sizeof(whole), "%s%s", root, path);
        CHECK_EQ_INT(chmod(whole, mode), 0);
}

#define PROVIDERS JIT_ETC "/providers.d/"
#define DROP_IN "/etc/systemd/system/jit-approverd.service.d/"

TEST(provider_files) {
        char link[256];

        check_found(check_providers, "");
        put(PROVIDERS "rt.conf", "[Provider]\nKind=http\nTicket=rt[0-9]+\n");
        check_found(check_providers, "Program=rt.jq: " PROVIDERS "rt.jq: No such file");
        put(PROVIDERS "rt.jq", ".");
        check_found(check_providers, "");
        put(PROVIDERS "rt.conf", "[Provider]\nProgram=other.jq\n[Server]\nCAFile=/etc/ssl/own.pem\n"
                                 "[Comment]\nBody=note.jq\n");
        check_found(check_providers, "Program=other.jq");
        check_found(check_providers, "CAFile=/etc/ssl/own.pem: /etc/ssl/own.pem: No such file");
        check_found(check_providers, "Body=note.jq");
        put("/etc/ssl/real.pem", "");
        (void) snprintf(link, sizeof(link), "%s/etc/ssl/own.pem", root);
        CHECK_EQ_INT(symlink("real.pem", link), 0);
        put(PROVIDERS "rt.conf", "[Provider]\nProgram=rt.jq\n[Server]\nCAFile=/etc/ssl/own.pem\n");
        check_found(check_providers, "");
        put(PROVIDERS "rt.conf", "[Provider]\nnonsense\n");
        check_found(check_providers, "must be [Section] or Key=value");
        put(PROVIDERS "rt.conf", "[Provider]\n");
        set_mode(PROVIDERS "rt.conf", 0664);
        check_found(check_providers, "others than root may write it");
        set_mode(PROVIDERS "rt.conf", 0600);
        check_found(check_providers, "may not read it");
        set_mode(PROVIDERS "rt.conf", 0644);
        set_mode(PROVIDERS "rt.jq", 0666);
        check_found(check_providers, "others than root may write it");
        set_mode(PROVIDERS "rt.jq", 0644);
        set_mode(PROVIDERS, 0777);
        check_found(check_providers, "others than root may write it");
        set_mode(PROVIDERS, 0755);
        put(PROVIDERS "signed.conf", "");
        check_found(check_providers, "\"signed\" is not a provider's name");
        (void) snprintf(link, sizeof(link), "%s" PROVIDERS "signed.conf", root);
        CHECK_EQ_INT(unlink(link), 0);
        (void) snprintf(link, sizeof(link), "%s" PROVIDERS "link.conf", root);
        CHECK_EQ_INT(symlink("rt.conf", link), 0);
        check_found(check_providers, "is not a regular file");
        CHECK_EQ_INT(unlink(link), 0);
        check_found(check_providers, "");
}

TEST(credentials) {
        put(PROVIDERS "rt.conf", "[Login]\nKind=bearer\nCredential=rt-token\n");
        check_found(check_providers, "Credential=rt-token: no file of jit-approverd.service");
        put("/usr/lib/systemd/system/jit-approverd.service", "[Service]\nLoadCredential=rt-token2:/x\n");
        check_found(check_providers, "no file of");
        put(DROP_IN "c.conf", "[Service]\nLoadCredential = rt-token:/etc/credstore/rt\n");
        check_found(check_providers, "the credential rt-token: No such file");
        put("/etc/credstore/rt", "s3cret");
        check_found(check_providers, "can be read or written by others than root");
        set_mode("/etc/credstore/rt", 0600);
        check_found(check_providers, "");
        put(DROP_IN "c.conf", "[Service]\nLoadCredential=rt-token\n");
        check_found(check_providers, "");
        put(DROP_IN "c.conf", "[Service]\nLoadCredential=rt:/etc/credstore\n");
        check_found(check_providers, "no file of");
        put(PROVIDERS "rt.conf", "[Login]\nKind=bearer\nCredential=rt_token\n");
        check_found(check_providers, "");
        put(DROP_IN "c.conf", "[Service]\nImportCredential=rt*\n");
        check_found(check_providers, "");
        put(DROP_IN "c.conf", "[Service]\nSetCredentialEncrypted=rt_token: \\\n  AAAA\n");
        check_found(check_providers, "");
        put(DROP_IN "c.conf.disabled", "[Service]\nImportCredential=*\n");
        put(DROP_IN "c.conf", "#LoadCredential=rt_token\n");
        check_found(check_providers, "no file of");
        put(DROP_IN "c.conf", "[Service]\nLoadCredential=rt_token\n");
}

static int run_check(char *output, size_t size) {
        const Ctl ctl = {.no_color = true, .root = root};
        char *args[] = {NULL};
        int saved = dup(1), status;
        FILE *f = tmpfile();
        size_t n;

        (void) fflush(stdout);
        (void) dup2(fileno(f), 1);
        status = verbs_check[0].run(&ctl, args, NULL);
        (void) fflush(stdout);
        (void) dup2(saved, 1);
        (void) close(saved);
        rewind(f);
        n = fread(output, 1, size - 1, f);
        output[n] = 0;
        (void) fclose(f);
        return status;
}

TEST(configuration_that_is_refused_is_1) {
        char output[8192];

        put("/bin/sh", "");
        put(JIT_ETC "/providers.d/rt.conf", "[Provider]\n");
        put(JIT_ETC "/providers.d/rt.jq", ".");
        put("/etc/jit/roles.d/dba.conf", "[Role]\nShell=/bin/sh\nGroups=no-such-group-here\n");
        CHECK_EQ_INT(run_check(output, sizeof(output)), 0);
        CHECK(strstr(output, "no-such-group-here"));
        CHECK(strstr(output, "/etc/jit/approvers"));
        put("/etc/jit/roles.d/dba.conf", "[Role]\nTTLSec=for ever\n");
        CHECK_EQ_INT(run_check(output, sizeof(output)), 1);
        CHECK(strstr(output, "/etc/jit/roles.d/dba.conf:2"));
        CHECK(strstr(output, "1 error, "));
}

TEST(teardown) {
        remove_root();
}

TEST_MAIN
