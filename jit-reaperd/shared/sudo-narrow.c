/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "strv.h"
#include "sudo-rules.h"

/* What a ticket's command may run, against what its role's commands may. */

typedef struct Parts {
        char *digest;       /* "sha256:..."; NULL */
        char *program;      /* without sudoers' backslashes */
        char *arguments;    /* joined by single blanks, without backslashes; a pattern as it stands; NULL: any */
        bool pattern, none; /* none: "" */
} Parts;

static void parts_done(Parts *p) {
        free(p->digest);
        free(p->program);
        free(p->arguments);
}

/* Of length bytes of text: without backslashes, and with one blank where there are several, as sudo's reader has it. Of
 * a backslash, which is four there, one stays. free() */
static char *plain_words(const char *text, size_t length) {
        char *s = malloc(length + 1), *to = s;

        if (!s)
                return NULL;
        for (size_t i = 0; i < length; i++) {
                if (text[i] == '\\')
                        i += i + 3 < length && text[i + 1] == '\\' ? 3 : 1;
                else if (text[i] == ' ' && to > s && to[-1] == ' ')
                        continue;
                if (i < length)
                        *to++ = text[i];
        }
        while (to > s && to[-1] == ' ')
                to--;
        *to = '\0';
        return s;
}

/* command: one that sudo_command_is_valid() takes, and not ALL. */
static int parts_of(const char *command, Parts *ret) {
        const char *p = command;
        size_t n = strcspn(p, " ");

        if (*p != '/') {
                ret->digest = strndup(p, n);
                if (!ret->digest)
                        return -ENOMEM;
                p += n + strspn(p + n, " ");
                n = strcspn(p, " ");
        }
        ret->program = plain_words(p, n);
        p += n + strspn(p + n, " ");
        ret->none = streq(p, "\"\"");
        ret->pattern = *p == '^';
        if (*p)
                ret->arguments = ret->pattern ? strdup(p) : plain_words(p, ret->none ? 0 : strlen(p));
        return ret->program && (ret->arguments || !*p) ? 0 : -ENOMEM;
}

static int pattern_matches(const char *pattern, const char *arguments) {
        regex_t compiled;

        if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return -ENOMEM; /* it compiled when the role was read */
        bool yes = regexec(&compiled, arguments, 0, NULL, 0) == 0;
        regfree(&compiled);
        return yes;
}

/* Whether all that narrow may run the role's command may run too: 1, 0, -ENOMEM. */
static int command_covers(const char *role_command, const Parts *narrow, char **ret_digest) {
        __attribute__((cleanup(parts_done))) Parts wide = {};
        int r;

        if (streq(role_command, "ALL"))
                return 1;
        r = parts_of(role_command, &wide);
        if (r < 0 || !streq(wide.program, narrow->program))
                return r;
        if (!wide.arguments)
                r = 1;
        else
                r = wide.pattern && narrow->arguments && !narrow->none
                                    ? pattern_matches(wide.arguments, narrow->arguments)
                                    : 0;
        if (r > 0)
                *ret_digest = take_ptr(wide.digest);
        return r;
}

int sudo_command_narrow(char *const *role_commands, const char *command, char **ret, const char **ret_why) {
        __attribute__((cleanup(parts_done))) Parts narrow = {};

        if (strv_contains(role_commands, command)) {
                *ret = strdup(command);
                return *ret ? 0 : -ENOMEM;
        }
        if (!sudo_command_is_valid(command, ret_why))
                return -EINVAL;
        *ret_why = "is none of the role's, and none of them covers it";
        if (streq(command, "ALL"))
                return -EINVAL;

        int r = parts_of(command, &narrow);
        if (r < 0)
                return r;
        if (narrow.digest || narrow.pattern) {
                *ret_why = "is none of the role's word for word, as one with a digest or a pattern must be";
                return -EINVAL;
        }
        STRV_FOREACH (c, role_commands) {
                _cleanup_free_ char *digest = NULL;

                r = command_covers(*c, &narrow, &digest);
                if (r < 0)
                        return r;
                if (r > 0)
                        return asprintf(ret, "%s%s%s", digest ?: "", digest ? " " : "", command) < 0 ? -ENOMEM : 0;
        }
        return -EINVAL;
}
