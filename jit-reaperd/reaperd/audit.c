/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "audit-chain.h"
#include "audit.h"
#include "cleanup.h"
#include "file-io.h"
#include "log.h"
#include "timefmt.h"

#define LINES_NAME "audit.jsonl"
#define HEAD_NAME "audit.head"

struct Audit {
        int fd, head_fd;
        AuditHead head;
        EVP_PKEY *key;
        const char *trouble;
        /* The disk may take seconds: only this thread waits for it. It is woken through an eventfd and shares no lock with the loop, which would wait
         * for a thread that is not running. */
        pthread_t flusher;
        int wake_fd;
        atomic_bool stop;
        bool flusher_runs;
};

/* One wait for the disk for all lines of so long. */
enum { GATHER_MSEC = 20 };

static void *flush_main(void *userdata) {
        Audit *a = userdata;
        eventfd_t n;

        while (eventfd_read(a->wake_fd, &n) >= 0) {
                (void) poll(NULL, 0, atomic_load(&a->stop) ? 0 : GATHER_MSEC);
                (void) fdatasync(a->fd);
                (void) fdatasync(a->head_fd);
                if (atomic_load(&a->stop))
                        break;
        }
        return NULL;
}

static int flusher_start(Audit *a) {
        sigset_t all, before;
        pthread_attr_t attributes;
        int r;

        a->wake_fd = eventfd(0, EFD_CLOEXEC);
        if (a->wake_fd < 0)
                return -errno;
        /* Signals are the loop's; the stack is small because memory is counted. */
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        (void) pthread_attr_init(&attributes);
        (void) pthread_attr_setstacksize(&attributes, 64 * 1024);
        r = pthread_create(&a->flusher, &attributes, flush_main, a);
        (void) pthread_attr_destroy(&attributes);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        a->flusher_runs = r == 0;
        return -r;
}

static int key_load(int dir_fd, EVP_PKEY **ret) {
        _cleanup_free_ char *pem = NULL;
        size_t length;
        int r = file_read_capped(dir_fd, "audit.key", 4096, true, &pem, &length);

        if (r < 0)
                return r;
        r = audit_key_from_pem(pem, true, ret);
        OPENSSL_cleanse(pem, length);
        return r;
}

static int key_make(int dir_fd, EVP_PKEY **ret) {
        JIT_CLEANUP(audit_key_freep) EVP_PKEY *key = NULL;
        _cleanup_free_ char *private_pem = NULL, *public_pem = NULL;
        int r;

        r = audit_key_generate(&key);
        if (r < 0)
                return r;
        r = audit_key_to_pem(key, true, &private_pem);
        if (r < 0)
                return r;
        r = audit_key_to_pem(key, false, &public_pem);
        if (r >= 0)
                r = file_write_atomic(dir_fd, "audit.pub", public_pem, strlen(public_pem), 0644, 0, 0, true);
        if (r >= 0)
                r = file_write_atomic(dir_fd, "audit.key", private_pem, strlen(private_pem), 0600, 0, 0, true);
        OPENSSL_cleanse(private_pem, strlen(private_pem));
        if (r >= 0)
                *ret = take_ptr(key);
        return r;
}

/* The last line of the file without its newline, at most AUDIT_LINE_MAX; -ENODATA for an empty file, -EPIPE if the file ends in the middle of a
 * line, and then *ret_end is where the last whole one ends. */
static int last_line(int fd, char **ret, off_t *ret_end) {
        _cleanup_free_ char *buffer = NULL;
        struct stat st;
        size_t length, start;
        ssize_t n;

        if (fstat(fd, &st) < 0)
                return -errno;
        *ret_end = 0;
        if (st.st_size == 0)
                return -ENODATA;
        length = st.st_size > 2 * AUDIT_LINE_MAX ? 2 * AUDIT_LINE_MAX : (size_t) st.st_size;
        buffer = malloc(length + 1);
        if (!buffer)
                return -ENOMEM;
        n = pread(fd, buffer, length, st.st_size - (off_t) length);
        if (n != (ssize_t) length)
                return n < 0 ? -errno : -EIO;
        buffer[length] = 0;
        if (buffer[length - 1] != '\n') {
                const char *nl = memrchr(buffer, '\n', length);
                if (!nl && (off_t) length < st.st_size) /* no line of ours is so long: this is not a torn one, nothing is taken off */
                        return -EBADMSG;
                *ret_end = nl ? st.st_size - (off_t) length + (nl - buffer) + 1 : 0;
                return -EPIPE;
        }
        buffer[--length] = 0;
        for (start = length; start > 0 && buffer[start - 1] != '\n'; start--)
                ;
        *ret_end = st.st_size;
        *ret = strdup(buffer + start);
        return *ret ? 0 : -ENOMEM;
}

/* Continues the chain after the line that is there. The line's own number is read from it; whether it is the line it should be, audit.head
 * says. */
static int chain_resume(Audit *a, const char *line, const AuditHead *recorded) {
        _cleanup_json_ json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        const char *prev = json_string_value(json_object_get(j, "prev")), *why = NULL;
        json_int_t seq = json_integer_value(json_object_get(j, "seq"));
        AuditHead head;
        int r;

        a->head = *recorded; /* for a line that cannot be followed: what comes next follows the one that was written */
        if (!line || !prev || strlen(prev) != AUDIT_HASH_HEX || seq < 1) {
                a->trouble = "the last line of audit.jsonl is not a line of ours";
                return -EBADMSG;
        }
        head.seq = (uint64_t) seq - 1;
        memcpy(head.hash, prev, AUDIT_HASH_HEX + 1);
        r = audit_line_check(&head, line, strlen(line), NULL, NULL, &why);
        if (r < 0) {
                a->trouble = "the last line of audit.jsonl is damaged";
                return r;
        }
        a->head = head;
        /* A kill between the line and audit.head leaves the head one behind. */
        if (recorded->seq > a->head.seq || recorded->seq + 1 < a->head.seq)
                a->trouble = "audit.jsonl does not end where audit.head says: lines were cut off or added";
        else if (recorded->seq == a->head.seq && !streq(recorded->hash, a->head.hash))
                a->trouble = "the last line of audit.jsonl was changed";
        return 0;
}

static int head_read(int fd, AuditHead *ret) {
        char text[AUDIT_HEAD_TEXT + 1] = "";
        ssize_t n = pread(fd, text, AUDIT_HEAD_TEXT, 0);

        audit_head_init(ret);
        if (n == 0)
                return 0;
        return n == AUDIT_HEAD_TEXT ? audit_head_parse(text, ret) : -EBADMSG;
}

static int head_write(Audit *a) {
        char text[AUDIT_HEAD_TEXT + 1];

        audit_head_format(&a->head, text);
        return pwrite(a->head_fd, text, AUDIT_HEAD_TEXT, 0) == AUDIT_HEAD_TEXT ? 0 : -EIO;
}

static int chain_open(Audit *a) {
        _cleanup_free_ char *line = NULL;
        AuditHead recorded;
        off_t end = 0;
        int r;

        if (head_read(a->head_fd, &recorded) < 0) {
                a->trouble = "audit.head is damaged";
                if (ftruncate(a->head_fd, 0) < 0)
                        return -errno;
        }
        r = last_line(a->fd, &line, &end);
        if (r == -EPIPE) {
                /* A power cut in the middle of a line: nobody was told that it was written. */
                if (ftruncate(a->fd, end) < 0)
                        return -errno;
                r = last_line(a->fd, &line, &end);
        }
        if (r == -ENODATA) {
                if (recorded.seq > 0)
                        a->trouble = "audit.jsonl is empty, but audit.head knows lines";
                a->head = recorded; /* a gap stays visible: numbers go on */
                return 0;
        }
        if (r == -EBADMSG) {
                a->trouble = "audit.jsonl does not end in a line of ours";
                a->head = recorded;
                return write_all(a->fd, "\n", 1);
        }
        if (r < 0)
                return r;
        r = chain_resume(a, line, &recorded);
        return r == -EBADMSG ? 0 : r;
}

int audit_open(int dir_fd, Audit **ret) {
        Audit *a = calloc(1, sizeof(*a));
        bool new_key = false;
        int r;

        if (!a)
                return -ENOMEM;
        *a = (Audit){.fd = -1, .head_fd = -1, .wake_fd = -1};
        audit_head_init(&a->head);
        r = key_load(dir_fd, &a->key);
        if (r == -ENOENT) {
                new_key = true;
                r = key_make(dir_fd, &a->key);
        }
        if (r < 0)
                goto fail;
        r = -ENODEV;
        a->fd = openat(dir_fd, LINES_NAME, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        a->head_fd = openat(dir_fd, HEAD_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (a->fd < 0 || a->head_fd < 0)
                goto fail;
        r = chain_open(a);
        if (r < 0)
                goto fail;
        r = flusher_start(a);
        if (r < 0)
                goto fail;
        if (!a->trouble && new_key && a->head.seq > 0)
                a->trouble = "audit.key was gone: the seals of the lines before are another key's";
        if (a->trouble)
                log_fields(LOG_ALERT, NULL, "The audit chain is broken: %s", a->trouble);
        *ret = a;
        return 0;
fail:
        audit_free(a);
        return r;
}

Audit *audit_free(Audit *a) {
        if (!a)
                return NULL;
        if (a->flusher_runs) {
                atomic_store(&a->stop, true);
                (void) eventfd_write(a->wake_fd, 1);
                (void) pthread_join(a->flusher, NULL);
        }
        if (a->fd >= 0)
                (void) close(a->fd);
        if (a->head_fd >= 0)
                (void) close(a->head_fd);
        if (a->wake_fd >= 0)
                (void) close(a->wake_fd);
        EVP_PKEY_free(a->key);
        free(a);
        return NULL;
}

int audit_write(Audit *a, json_t *event, bool seal) {
        _cleanup_free_ char *line = NULL;
        AuditHead before = a->head;
        struct stat st;
        int r;

        if (fstat(a->fd, &st) < 0) {
                json_decref(event);
                return -errno;
        }
        r = audit_line_make(&a->head, event, now_usec(CLOCK_REALTIME), seal ? a->key : NULL, &line);
        if (r < 0)
                return r;
        r = write_all(a->fd, line, strlen(line));
        if (r < 0) {
                /* Half a line on a full disk: take it off again, so that the next one starts where this one did. */
                a->head = before;
                if (ftruncate(a->fd, st.st_size) < 0)
                        a->trouble = "audit.jsonl ends in half a line that cannot be taken off";
                return r;
        }
        if (head_write(a) < 0)
                log_warning("Cannot write audit.head, ignoring: %m");
        (void) eventfd_write(a->wake_fd, 1);
        return 0;
}

const char *audit_last_hash(const Audit *a) {
        return a->head.hash;
}

const char *audit_trouble(const Audit *a) {
        return a->trouble;
}
