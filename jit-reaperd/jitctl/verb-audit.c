/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "audit-chain.h"
#include "file-io.h"
#include "input.h"
#include "jitctl.h"

typedef struct VerifyOptions {
        const char *key, *head;
} VerifyOptions;

static const Option verify_options[] = {
                {"key", OPTION_STRING, offsetof(VerifyOptions, key), 'k', "PEM",
                 "the public key; default: audit.pub of this host"},
                {"head", OPTION_STRING, offsetof(VerifyOptions, head), 0, "FILE",
                 "where the file's end is recorded; default for this host's: audit.head"},
                {0},
};

/* The file up to size, in case that jit-reaperd writes on while it is read. */
typedef struct Limited {
        int fd;
        off_t offset, size;
} Limited;

static ssize_t on_limited_read(void *cookie, char *buffer, size_t size) {
        Limited *l = cookie;
        size_t left = (size_t) (l->size - l->offset);
        ssize_t n = pread(l->fd, buffer, size < left ? size : left, l->offset);

        if (n > 0)
                l->offset += n;
        return n;
}

static int read_head(const char *path, AuditHead *ret) {
        _cleanup_free_ char *text = NULL;
        int r = input_read(path, AUDIT_HEAD_TEXT, &text);

        return r < 0 ? r : audit_head_parse(text, ret);
}

/* The size of the file at a moment when head (if there is one to be) was its end: while the head is the same before and
 * after, nothing was written in between but at most the line that the head is to get next. */
static int snapshot(Limited *l, const char *head_path, AuditHead *ret_head) {
        for (unsigned tries = 0; tries < 1000; tries++) {
                AuditHead before, after;
                struct stat st;
                int r;

                r = head_path ? read_head(head_path, &before) : 0;
                if (r < 0)
                        return r;
                if (fstat(l->fd, &st) < 0)
                        return -errno;
                l->size = st.st_size;
                if (!head_path)
                        return 0;
                r = read_head(head_path, &after);
                if (r < 0)
                        return r;
                if (before.seq == after.seq && streq(before.hash, after.hash)) {
                        *ret_head = after;
                        return 0;
                }
        }
        return -EBUSY;
}

static int say_report(const Ctl *ctl, const char *file, bool ok, const AuditReport *report) {
        _cleanup_json_ json_t *j = NULL;

        if (!ctl->json && ok)
                say_line("ok: %" PRIu64 " lines, %" PRIu64 " sealed, %" PRIu64 " behind the last seal", report->lines,
                         report->sealed, report->unsealed_tail);
        else if (!ctl->json)
                say_line("%s: line %" PRIu64 " %s", file, report->bad_line, report->why ? report->why : "is bad");
        if (!ctl->json)
                return ok ? STATUS_OK : STATUS_NO;
        j = json_pack("{s:s, s:b, s:I, s:I, s:I}", "file", file, "ok", (int) ok, "lines", (json_int_t) report->lines,
                      "sealed", (json_int_t) report->sealed, "unsealed_tail", (json_int_t) report->unsealed_tail);
        if (!j || (!ok && (json_object_set_new(j, "bad_line", json_integer((json_int_t) report->bad_line)) < 0 ||
                           json_object_set_new(j, "why", json_string(report->why ? report->why : "is bad")) < 0)))
                return say_no_memory();
        (void) say_json(j);
        return ok ? STATUS_OK : STATUS_NO;
}

static int file_fault(const char *path, int error) {
        return say_error(error == -EACCES ? STATUS_FORBIDDEN : STATUS_NO, "%s: %s", path,
                         error == -EBADMSG ? "this is not what should stand there" : strerror(-error));
}

static int read_key(const char *path, EVP_PKEY **ret) {
        _cleanup_free_ char *pem = NULL;
        int r = input_read(path, 4096, &pem);

        if (r >= 0)
                r = audit_key_from_pem(pem, false, ret);
        return r < 0 ? file_fault(path, r) : STATUS_OK;
}

static int verify(const Ctl *ctl, const char *file, const char *key_path, const char *head_path) {
        static const cookie_io_functions_t limited = {.read = on_limited_read};
        JIT_CLEANUP(audit_key_freep) EVP_PKEY *key = NULL;
        _cleanup_close_ int fd = -1;
        _cleanup_fclose_ FILE *f = NULL;
        AuditReport report = {0};
        AuditHead head;
        Limited l = {0};
        int status, r;

        status = read_key(key_path, &key);
        if (status != STATUS_OK)
                return status;
        fd = l.fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return file_fault(file, -errno);
        r = snapshot(&l, head_path, &head);
        if (r < 0)
                return file_fault(head_path ? head_path : file, r);
        f = fopencookie(&l, "r", limited);
        if (!f)
                return say_no_memory();
        r = audit_file_check(f, key, head_path ? &head : NULL, &report);
        if (r < 0 && r != -EBADMSG)
                return file_fault(file, r);
        return say_report(ctl, file, r >= 0, &report);
}

static int verb_audit_verify(const Ctl *ctl, char *const *args, const void *options) {
        const VerifyOptions *o = options;
        _cleanup_free_ char *file = NULL, *key = NULL, *head = NULL;

        if (asprintf(&file, "%s/audit.jsonl", ctl->state_dir) < 0 ||
            asprintf(&key, "%s/audit.pub", ctl->state_dir) < 0 || asprintf(&head, "%s/audit.head", ctl->state_dir) < 0)
                return say_no_memory();
        return verify(ctl, args[0] ? args[0] : file, o->key ? o->key : key, o->head ? o->head : args[0] ? NULL : head);
}

const Verb verbs_audit[] = {
                {"audit verify", "[FILE]", 0, 1, "Find any change, cut or gap in the audit file", verify_options,
                 sizeof(VerifyOptions),
                 "Without FILE: this host's, with what its end must be. Says which line is the first bad one, and "
                 "why.\n\n"
                 "Example: here, and a copy elsewhere with the key that was noted down before\n"
                 "  sudo jitctl audit verify\n"
                 "  jitctl audit verify db1-audit.jsonl --key db1-audit.pub --head db1-audit.head\n",
                 verb_audit_verify},
                {0},
};
