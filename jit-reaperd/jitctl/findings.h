/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_FINDINGS_H
#define JIT_FINDINGS_H

/* What `jitctl check` has found, and what to do about each. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"

typedef struct Findings {
        json_t *list; /* of {"severity", "file", "message", "action"} */
        size_t errors, warnings;
        bool failed; /* no memory: the list is not whole */
} Findings;

/* is_error: the daemons will not work like this, or something would outlive its ticket; else they do, but people may
 * not get in. file may be NULL. */
void findings_add(Findings *f, bool is_error, const char *file, const char *action, const char *format, ...)
                __attribute__((format(printf, 5, 6)));

/* An error in a sentence as config-parse.h makes them: "FILE:LINE: ..." or "FILE: ...". */
void findings_add_place(Findings *f, const char *action, const char *why);

/* Each adds to f. root: "" or a directory that stands for the host's. */
void role_check(Findings *f, const Role *role, const char *root); /* role-check.c */
void sshd_check(Findings *f, const char *root);                   /* sshd-check.c */
void sudo_check(Findings *f, const char *root);                   /* sudo-check.c */
/* Returns whether sudo asks for a ticket before anything (the gate). */
bool pam_check(Findings *f, const char *root); /* pam-check.c */
/* gate: what pam_check() has returned. */
void way_check(Findings *f, const Config *config, const char *root, bool gate); /* way-check.c */
/* Returns the number of files in providers.d. */
size_t provider_check(Findings *f, const char *root); /* provider-check.c */
/* name: a credential that file names with key=. */
void credential_check(Findings *f, const char *root, const char *file, const char *key, const char *name);

/* Calls back with each line of root + path that is neither empty nor a comment, blanks trimmed from both ends; one that
 * ends with a backslash goes on with the next. 0, or the file's errno; the first negative return of on_line ends it. */
typedef int (*config_line_t)(char *line, void *userdata);
int each_config_line(const char *root, const char *path, config_line_t on_line, void *userdata);
/* root + path, links followed. */
bool file_is_there(const char *root, const char *path);
/* The next word of *line, which blanks end; NULL when there is none left. */
char *next_word(char **line);

#endif
