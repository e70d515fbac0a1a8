/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "artefact.h"
#include "file-io.h"
#include "strv.h"
#include "timefmt.h"

/* sshd(8): expiry-time="YYYYMMDDHHMM[SS][Z]"; 'Z' only from OpenSSH 9.1 on, which both Debian releases have. */
static int format_expiry(uint64_t until_usec, char *ret, size_t size) {
        time_t t = (time_t) ((until_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(ret, size, "%Y%m%d%H%M%SZ", &tm) == 0)
                return -ERANGE;
        return 0;
}

static int user_ca_line(const Grant *g, const char *expiry, FILE *f) {
        const char *file = g->manager->config->user_ca_file;
        _cleanup_free_ char *text = NULL;
        char key[8192];
        int r;

        if (!file)
                return 0;
        r = file_read_capped(AT_FDCWD, file, sizeof(key), true, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        r = ssh_key_parse(text, key, sizeof(key));
        if (r < 0)
                return r;
        (void) fprintf(f, "cert-authority,principals=\"%s\",expiry-time=\"%s\" %s\n", g->requester, expiry, key);
        return 0;
}

int keys_file_make(const Grant *g, uint64_t until_usec) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        char expiry[32];
        FILE *f;
        int r;

        r = format_expiry(until_usec, expiry, sizeof(expiry));
        if (r < 0)
                return r;
        f = open_memstream(&text, &length);
        if (!f)
                return -ENOMEM;
        STRV_FOREACH(k, g->keys)
                (void) fprintf(f, "expiry-time=\"%s\" %s\n", expiry, *k);
        r = user_ca_line(g, expiry, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        return file_write_atomic(g->manager->dirs.keys, g->account, text, length, 0640, 0, g->uid, false);
}

int keys_file_remove(const Grant *g) {
        return artefact_unlink(g->manager->dirs.keys, g->account);
}
