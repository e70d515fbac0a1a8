/* SPDX-License-Identifier: Apache-2.0 */

#include "paths.h"
#include "reason-hint.h"

typedef struct ReasonHint {
        const char *reason, *means, *to_do;
        bool test; /* `jitctl provider test` shows more of it */
} ReasonHint;

#define FILE_HERE "{}" /* the provider's file */

static const ReasonHint hints[] = {
                {"provider-unreachable",
                 "the ticket system gave no answer in time, failed (5xx), or is left alone for a while because it did "
                 "again and again; nothing is known of the ticket",
                 "check URL=, Proxy= and TimeoutSec= in {}, name resolution and firewall; `jitctl provider list` shows "
                 "whether it is left alone",
                 true},
                {"provider-tls",
                 "what answers is not the server that it should be: its certificate, its key or its TLS version",
                 "check CAFile=, PinnedKey= and the host's name in URL= in {}, the server's certificate, and this "
                 "host's clock",
                 true},
                {"provider-login", "the ticket system refuses our own login (401 or 403), or gave no token",
                 "check [Login] in {}, the credential's content and its rights in the system, and that "
                 "jit-approverd.service has it (LoadCredential=)",
                 true},
                {"provider-limit", "the system wants fewer questions (429), or this host's own limit is reached",
                 "wait a minute; RatePerSec=, QueueMax= and CacheSec= in {} are this host's part", false},
                {"provider-answer",
                 "the system's answer cannot be used: too long, not JSON, not signed as it should be, or a redirect to "
                 "another host",
                 "look at the answer; a page in place of JSON means a wrong URL= or [Login] in {}", true},
                {"provider-unknown", "this host has no usable file of that name in " JIT_ETC "/providers.d",
                 "see `jitctl provider list`", false},
                {"ticket-unknown", "there is no such ticket, or this person is none of its requesters",
                 "check the ticket's name; Ticket= of each file in " JIT_ETC "/providers.d says whose it would be",
                 true},
                {"ticket-invalid", "there is a ticket, but a value of it is missing, unknown or contradicts another",
                 "correct the ticket in its system, or the jq program of {}", true},
                {"ticket-changed", "what was approved is not what the ticket says now", "have it approved again", true},
                {"ticket-pending", "it waits for an approval", "somebody else than its requesters approves it", false},
                {"ticket-denied", "somebody said no to it", NULL, false},
                {"ticket-closed", "it is over: closed, resolved or withdrawn", "ask for a new one", false},
                {"too-few-approvers", "the role needs more approvals than it has", "one more person approves it",
                 false},
                {"self-approved", "those who ask for it approved it themselves",
                 "somebody else than its requesters approves it", false},
                {"ticket-tampered", "it was changed after it was signed, or the signature was",
                 "make a new ticket and have that approved", false},
                {"approver-unknown", "it carries an approval of somebody who is no approver here",
                 "have it approved by one who is: for signed tickets, those in " JIT_ETC "/approvers", false},
                {"approver-revoked", "an approval is signed with a key that is revoked", "another approver signs",
                 false},
                {"role-unknown", "this host has no such role", "look at " JIT_ETC "/roles.d, or correct the ticket",
                 false},
                {"not-requester", "the ticket is somebody else's", "its requesters log in, each as themselves", false},
                {"wrong-host", "the ticket is for other hosts",
                 "log in there, or compare its hosts with Name= in " JIT_ETC "/jit.conf", false},
                {"too-early", "its window is not open yet", NULL, false},
                {"too-late", "its window is over", "ask for a new one", false},
                {"policy-denied", "a policy of this host says no", "see the rows Policy, and jit-approverd's journal",
                 false},
                /* jit-reaperd's own: su, sudo, run0 and `jitctl elevate` */
                {"caller-unknown",
                 "the kernel knows of no login that this comes from (/proc/self/loginuid is not set): a service, cron, "
                 "or a host without pam_loginuid.so",
                 "log in and ask again; a service may use su and sudo where the role has Workloads=, jit.conf(5)",
                 false},
                {"caller-mismatch",
                 "the ticket is for somebody else than the one who logged in, whoever su or sudo "
                 "made of them since",
                 "its requester does it, from a login of their own", false},
                {"transient-caller", "this comes from an account of a ticket, which may not become another or more",
                 "leave it, and ask from your own account", false},
                {"already-root", "root needs no elevation", NULL, false},
                {"already-elevated", "your account is elevated already; one elevation at a time",
                 "see `jitctl list`; `jitctl drop` ends it", false},
                {"not-elevated", "your account is not elevated, or no more", "jitctl elevate TICKET", false},
                {"way-not-allowed", "the role does not let its tickets be used in this way",
                 "see Ways= of the role in " JIT_ETC "/roles.d; jit.conf(5)", false},
                {"target-not-allowed", "the role does not let anybody become that user",
                 "see RunAs= of the role in " JIT_ETC "/roles.d; jit.conf(5)", false},
                {"ticket-needed", "sudo works here with an approved ticket only",
                 "name it when sudo asks, or in the environment: JIT_TICKET=CHG0012345 sudo -n ...", false},
                {"not-needed", "nobody is asked for a ticket here", NULL, false},
                {"no-session", "you are not logged in here, as far as logind knows", "log in by ssh or on a terminal",
                 false},
                {"session-unknown", "what was granted is over already", "ask again", false},
                {"recording-missing", "the role demands that the session be recorded, and this host cannot",
                 "install what Record= of the role needs (tlog, or sudo's own I/O log), or change it: jit.conf(5)",
                 false},
                {"dropped", "its person ended it early, by `jitctl drop`", NULL, false},
                {"ticket-used", "it was used already, and the role lets a ticket be used once",
                 "ask for a new one; Reactivate= of the role, jit.conf(5)", false},
                {"name-invalid", "this cannot be the name of a ticket",
                 "letters and digits with single '-' in between, 27 at most", false},
                {"rate-limited", "you have named too many tickets in a short time", "wait half a minute", false},
                {"try-again", "an earlier grant is just being removed, or the ticket changed meanwhile", "ask again",
                 false},
                {"no-space", "no room on this host: nothing was granted",
                 "look at /run, and at GrantsMax= in " JIT_ETC "/jit.conf", false},
};

static const ReasonHint *find_hint(const char *reason) {
        for (size_t i = 0; i < ELEMENTSOF(hints); i++)
                if (streq(hints[i].reason, reason))
                        return hints + i;
        return NULL;
}

static void put_advice(FILE *f, const ReasonHint *hint, const char *provider, const char *ticket) {
        const char *place = strstr(hint->to_do, FILE_HERE);

        if (place)
                fprintf(f, "%.*s" JIT_ETC "/providers.d/%s.conf%s", (int) (place - hint->to_do), hint->to_do,
                        provider ? provider : "*", place + strlen(FILE_HERE));
        else
                fputs(hint->to_do, f);
        if (hint->test && ticket && provider && !streq(provider, "signed"))
                fprintf(f, "; `jitctl provider test %s %s` shows more", provider, ticket);
}

void reason_hint_show(Table *t, const char *reason, const char *provider, const char *ticket) {
        const ReasonHint *hint = reason ? find_hint(reason) : NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;

        if (!hint)
                return;
        table_pair(t, "Means", hint->means, COLOR_NONE);
        if (!hint->to_do || !(f = open_memstream(&text, &size)))
                return; /* without memory the table fails as well */
        put_advice(f, hint, provider, ticket);
        if (fclose(f) == 0)
                table_pair(t, "Do", text, COLOR_NONE);
}
