/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "config.h"
#include "findings.h"
#include "jitctl.h"
#include "member.h"
#include "paths.h"
#include "provider-list.h"
#include "strv.h"
#include "table.h"

#define APPROVERS JIT_ETC "/approvers"
#define NSSWITCH "/etc/nsswitch.conf"

static int on_any_line(char *line, void *userdata) {
        (void) line;
        ++*(size_t *) userdata;
        return 0;
}

static void check_approvers(Findings *f, const char *root) {
        size_t lines = 0;
        int r = each_config_line(root, APPROVERS, on_any_line, &lines);

        if (r < 0 || lines == 0)
                findings_add(f, false, APPROVERS,
                             "list the approvers' keys there, one `NAME KEYTYPE KEY` a line: ssh-keygen(1), ALLOWED "
                             "SIGNERS",
                             r < 0 ? "cannot be read (%s): no ticket can be approved"
                                   : "is empty%s: no ticket can be approved",
                             r < 0 ? strerror(-r) : "");
}

typedef struct NssScan {
        bool passwd, group;
} NssScan;

static int on_nss_line(char *line, void *userdata) {
        NssScan *s = userdata;
        char *database = next_word(&line), *word;

        while ((word = next_word(&line)))
                if (streq(word, "systemd")) {
                        s->passwd |= streq(database, "passwd:");
                        s->group |= streq(database, "group:");
                }
        return 0;
}

static void check_nss(Findings *f, const char *root) {
        NssScan s = {0};
        int r = each_config_line(root, NSSWITCH, on_nss_line, &s);

        if (r < 0)
                findings_add(f, false, NSSWITCH, "install libnss-systemd", "cannot be read: %s", strerror(-r));
        else if (!s.passwd || !s.group)
                findings_add(f, false, NSSWITCH,
                             "install libnss-systemd: it adds `systemd` to the lines passwd and group",
                             "no `systemd` for %s: accounts of tickets do not resolve", s.passwd ? "group" : "passwd");
}

/* NULL if the daemons would not take it. */
static Config *check_config(Findings *f, const char *root) {
        Config *config = NULL;
        char why[CONFIG_WHY_MAX] = "";
        int r = config_load(root, &config, why);

        if (r < 0) {
                findings_add_place(f, "correct it; until then the daemons keep the last good configuration",
                                   r == -EBADMSG ? why : strerror(-r));
                return NULL;
        }
        if (!config->roles || !config->roles[0])
                findings_add(f, false, JIT_ETC "/roles.d", "add a role: jit.conf(5)",
                             "there is no role: no ticket can be used here");
        for (Role **role = config->roles; role && *role; role++)
                role_check(f, *role, root);
        return config;
}

/* What the running jit-approverd makes of the files; if it does not run, or does not say, there is nothing to compare.
 */
static void check_taken(Findings *f, const Ctl *ctl) {
        _cleanup_json_ json_t *reply = NULL;
        json_t *provider;
        size_t i;

        if (providers_fetch(ctl, true, &reply) != STATUS_OK)
                return;
        json_array_foreach (json_object_get(reply, "providers"), i, provider) {
                const char *name = member_text(provider, "name"), *error = member_text(provider, "error"),
                           *state = member_text(provider, "state");
                _cleanup_free_ char *file = NULL;

                if (!name || asprintf(&file, JIT_ETC "/providers.d/%s.conf", name) < 0) {
                        file = NULL;
                        continue;
                }
                if (error && error[0] == '/')
                        findings_add_place(f, "correct it, then: systemctl reload jit-approverd", error);
                else if (error)
                        findings_add(f, true, file, "correct it, then: systemctl reload jit-approverd",
                                     "jit-approverd does not take it: %s", error);
                else if (state && !streq(state, "ok"))
                        findings_add(f, false, file, "see `jitctl provider test`", "jit-approverd says: %s", state);
        }
}

static int print_findings(const Ctl *ctl, const Findings *f) {
        bool colors = color_wanted(stdout, ctl->no_color);
        json_t *finding;
        size_t i;

        json_array_foreach (f->list, i, finding) {
                JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
                const char *severity = json_string_value(json_object_get(finding, "severity"));
                bool is_error = severity && streq(severity, "error");

                if (!t)
                        return say_no_memory();
                table_pair(t, is_error ? "error" : "warning", json_string_value(json_object_get(finding, "message")),
                           is_error ? COLOR_BAD : COLOR_WAIT);
                table_pair(t, "  file", json_string_value(json_object_get(finding, "file")), COLOR_NONE);
                table_pair(t, "  do", json_string_value(json_object_get(finding, "action")), COLOR_NONE);
                if (table_print(t, stdout, colors) < 0)
                        return say_no_memory();
        }
        if (f->errors == 0 && f->warnings == 0)
                say_line("ok: configuration and host");
        else
                say_line("%zu error%s, %zu warning%s", f->errors, f->errors == 1 ? "" : "s", f->warnings,
                         f->warnings == 1 ? "" : "s");
        return STATUS_OK;
}

static int verb_check(const Ctl *ctl, char *const *args, const void *options) {
        _cleanup_json_ json_t *list = json_array(), *answer = NULL;
        JIT_CLEANUP(config_freep) Config *config = NULL;
        Findings f = {.list = list};
        bool gate;
        int status;

        (void) args;
        (void) options;
        if (!list)
                return say_no_memory();
        config = check_config(&f, ctl->root);
        check_approvers(&f, ctl->root);
        check_nss(&f, ctl->root);
        sshd_check(&f, ctl->root);
        gate = pam_check(&f, ctl->root);
        sudo_check(&f, ctl->root);
        if (config)
                way_check(&f, config, ctl->root, gate);
        if (provider_check(&f, ctl->root) > 0 && !*ctl->root)
                check_taken(&f, ctl);
        if (f.failed)
                return say_no_memory();
        if (ctl->json) {
                answer = json_pack("{s:O, s:b}", "findings", list, "ok", (int) (f.errors == 0));
                status = answer ? say_json(answer) : say_no_memory();
        } else
                status = print_findings(ctl, &f);
        return status == STATUS_OK && f.errors > 0 ? STATUS_NO : status;
}

const Verb verbs_check[] = {
                {"check", "", 0, 0, "Is the configuration right, and is the host ready", NULL, 0,
                 "Reads jit.conf and the roles exactly as the daemons do, then looks at sshd, PAM, sudo, the name "
                 "service\nand the files of ticket systems.\n"
                 "Errors are what the daemons refuse, and what would let something outlive its ticket; warnings are "
                 "why people\nmight not get in. Some files need root.\n\n"
                 "Example: before a restart\n"
                 "  sudo jitctl check && sudo systemctl restart jit-reaperd\n",
                 verb_check},
                {0},
};
