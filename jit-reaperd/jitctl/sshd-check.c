/* SPDX-License-Identifier: Apache-2.0 */

/* sshd_config(5), as far as we need it: `sshd -T` says it better, but only to root and only where host keys are. */

#include <glob.h>
#include <strings.h>

#include "cleanup.h"
#include "findings.h"
#include "paths.h"

#define SSHD_CONFIG "/etc/ssh/sshd_config"
enum { INCLUDE_DEPTH_MAX = 16 }; /* as sshd's servconf.c */

typedef struct SshdScan {
        const char *root;
        unsigned depth;
        bool pam_known, use_pam, has_keys;
} SshdScan;

static int on_sshd_line(char *line, void *userdata);

/* Names without a leading / are below /etc/ssh. */
static void scan_include(SshdScan *s, const char *pattern) {
        _cleanup_free_ char *path = NULL;
        glob_t found = {0};

        if (s->depth >= INCLUDE_DEPTH_MAX)
                return;
        if (asprintf(&path, "%s%s%s", s->root, *pattern == '/' ? "" : "/etc/ssh/", pattern) < 0) {
                path = NULL;
                return;
        }
        s->depth++;
        if (glob(path, 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++)
                        (void) each_config_line("", found.gl_pathv[i], on_sshd_line,
                                                s); /* unreadable: sshd says so itself */
        globfree(&found);
        s->depth--;
}

static int on_sshd_line(char *line, void *userdata) {
        SshdScan *s = userdata;
        char *keyword, *word;

        for (char *p = line; *p; p++) /* "Keyword=value" and quotes are allowed */
                if (*p == '=' || *p == '"')
                        *p = ' ';
        keyword = next_word(&line);
        while (keyword && (word = next_word(&line))) {
                if (strcasecmp(keyword, "Include") == 0)
                        scan_include(s, word);
                else if (strcasecmp(keyword, "UsePAM") == 0 && !s->pam_known) { /* the first value counts */
                        s->pam_known = true;
                        s->use_pam = strcasecmp(word, "yes") == 0;
                } else if (strcasecmp(keyword, "AuthorizedKeysFile") == 0 && streq(word, JIT_RUN "/keys/%u"))
                        s->has_keys = true;
        }
        return 0;
}

void sshd_check(Findings *f, const char *root) {
        SshdScan s = {.root = root};
        int r = each_config_line(root, SSHD_CONFIG, on_sshd_line, &s);

        if (r < 0) {
                findings_add(f, false, SSHD_CONFIG,
                             r == -ENOENT ? "install openssh-server, if people are to come in by ssh"
                                          : "run `jitctl check` as root",
                             "not checked: %s", strerror(-r));
                return;
        }
        if (!s.use_pam)
                findings_add(f, false, SSHD_CONFIG, "set UsePAM yes and reload sshd",
                             "UsePAM is not yes: sshd does not ask pam_jit, nobody gets in by a ticket");
        if (!s.has_keys)
                findings_add(f, false, SSHD_CONFIG,
                             "add AuthorizedKeysFile " JIT_RUN "/keys/%u (in a Match User jit-* block) and reload sshd",
                             "no AuthorizedKeysFile " JIT_RUN "/keys/%%u: sshd does not see the keys of a grant");
}
