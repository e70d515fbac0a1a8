/* SPDX-License-Identifier: Apache-2.0 */

/* One job is one signature, asked of ssh-keygen in up to three processes, each of which says only yes or no (its words
 * are for people and change between releases):
 *
 *   | verify -r revoked | check-novalidate | verify without -r | result   |
 *   | yes               |                  |                   | valid    |
 *   | no                | no               |                   | tampered |
 *   | no                | yes              | yes               | revoked  |
 *   | no                | yes              | no                | unknown  |
 *
 * States of a job: queued, running (one process), answered. Equal questions share a job. */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "file-io.h"
#include "log.h"
#include "signature.h"
#include "timefmt.h"

#define JOB_TIMEOUT_USEC (5 * USEC_PER_SEC)  /* for all of its processes */
#define TIMED_CACHE_USEC (60 * USEC_PER_SEC) /* when the approvers file names times */
enum {
        WAITERS_MAX = 1024,
        NOT_RUN = 127, /* posix_spawn(3): what a child exits with that could not be told to have failed; not a status of
                          ssh-keygen's */
};

typedef enum Stage { STAGE_VERIFY, STAGE_NOVALIDATE, STAGE_UNREVOKED } Stage;

typedef struct Waiter {
        struct Waiter *next;
        signature_done_t done;
        void *userdata;
} Waiter;

typedef struct Job {
        TAILQ_ENTRY(Job) entries;
        SignatureVerifier *verifier;
        unsigned char digest[SIGNATURE_DIGEST];
        uint64_t generation;
        char *message, *approver, *signature;
        size_t length;
        Waiter *waiters;
        bool running;
        Stage stage;
        int message_fd, signature_fd;
        pid_t pid; /* 0: none */
        bool timed_out;
        sd_event_source *child, *timer;
} Job;

struct SignatureVerifier {
        sd_event *event;
        ApproversFile *approvers;
        const char *program;
        SignatureCache *cache;
        uint64_t generation; /* counts flushes: an answer of before is not remembered */
        uint64_t spawned;
        unsigned n_running, n_queued, n_waiters;
        TAILQ_HEAD(JobList, Job) running, queued;
};

static int job_start(Job *j);
static void queue_run(SignatureVerifier *v);

const char *signature_result_reason(SignatureResult r) {
        static const char *const reasons[] = {"approved", "ticket-tampered", "approver-unknown", "approver-revoked"};

        return reasons[r];
}

static Job *job_free(Job *j) {
        if (!j)
                return NULL;
        sd_event_source_disable_unref(j->child);
        sd_event_source_disable_unref(j->timer);
        closep(&j->message_fd);
        closep(&j->signature_fd);
        free(j->message);
        free(j->approver);
        free(j->signature);
        for (Waiter *w = j->waiters, *next; w; w = next) {
                next = w->next;
                free(w);
        }
        free(j);
        return NULL;
}

static void job_unlink(Job *j) {
        SignatureVerifier *v = j->verifier;

        if (j->running) {
                TAILQ_REMOVE(&v->running, j, entries);
                v->n_running--;
        } else {
                TAILQ_REMOVE(&v->queued, j, entries);
                v->n_queued--;
        }
}

static void job_answer(Job *j, int error, SignatureResult result) {
        SignatureVerifier *v = j->verifier;

        job_unlink(j);
        if (error == 0 && j->generation == v->generation) {
                uint64_t now = now_usec(CLOCK_BOOTTIME);
                uint64_t until = approvers_file_is_timed(v->approvers) ? now + TIMED_CACHE_USEC : USEC_INFINITY;
                signature_cache_put(v->cache, j->digest, until, result);
        }
        for (Waiter *w = j->waiters; w; w = w->next) {
                v->n_waiters--;
                w->done(error, result, w->userdata);
        }
        job_free(j);
}

/* What a stage's yes or no means: true if *ret_result is the answer, else *ret_stage comes next. */
static bool stage_decide(const Job *j, bool yes, SignatureResult *ret_result, Stage *ret_stage) {
        const ApproversFile *a = j->verifier->approvers;

        switch (j->stage) {
        case STAGE_VERIFY:
                *ret_result = SIGNATURE_VALID;
                *ret_stage = STAGE_NOVALIDATE;
                return yes;
        case STAGE_NOVALIDATE:
                if (yes && (approvers_file_revokes_all(a) || approvers_file_revoked_fd(a) >= 0)) {
                        *ret_stage = STAGE_UNREVOKED;
                        return false;
                }
                *ret_result = yes ? SIGNATURE_UNKNOWN : SIGNATURE_TAMPERED;
                return true;
        case STAGE_UNREVOKED:
                *ret_result = yes ? SIGNATURE_REVOKED : SIGNATURE_UNKNOWN;
                return true;
        }
        return false;
}

static int on_job_exit(sd_event_source *source, const siginfo_t *info, void *userdata) {
        Job *j = userdata;
        SignatureVerifier *v = j->verifier;
        SignatureResult result = SIGNATURE_UNKNOWN;
        Stage next = STAGE_VERIFY;
        int r;

        (void) source;
        j->pid = 0;
        j->child = sd_event_source_disable_unref(j->child);
        if (j->timed_out)
                job_answer(j, -ETIMEDOUT, result);
        else if (info->si_code != CLD_EXITED ||
                 info->si_status == NOT_RUN) /* killed: by the memory limit, or by root */
                job_answer(j, -EIO, result);
        else if (j->generation == v->generation && stage_decide(j, info->si_status == 0, &result, &next))
                job_answer(j, 0, result);
        else { /* the next question; the first again if approvers or revoked have changed meanwhile */
                j->generation = v->generation;
                j->stage = next;
                if ((r = job_start(j)) < 0)
                        job_answer(j, r, result);
        }
        queue_run(v);
        return 0;
}

static int on_job_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;

        (void) source, (void) usec;
        j->timed_out = true;
        if (j->pid > 0) /* not reaped before on_job_exit(), so the number is still its own */
                (void) kill(j->pid, SIGKILL);
        return 0;
}

static int memfd_holding(const char *name, const char *data, size_t length, int *ret) {
        int r;

        if (*ret >= 0)
                return 0;
        *ret = memfd_create(name, MFD_CLOEXEC);
        if (*ret < 0)
                return -errno;
        if ((r = write_all(*ret, data, length)) < 0)
                closep(ret);
        return r;
}

/* Starts the process of the job's stage. */
static int job_start(Job *j) {
        SignatureVerifier *v = j->verifier;
        SignatureProcess p = {.program = v->program, .approver = j->approver, .approvers_fd = -1, .revoked_fd = -1};
        pid_t pid;
        int r;

        if ((r = memfd_holding("message", j->message, j->length, &j->message_fd)) < 0 ||
            (r = memfd_holding("signature", j->signature, strlen(j->signature), &j->signature_fd)) < 0)
                return r;
        if (lseek(j->message_fd, 0, SEEK_SET) < 0)
                return -errno;
        if (!j->timer && (r = sd_event_add_time_relative(v->event, &j->timer, CLOCK_BOOTTIME, JOB_TIMEOUT_USEC, 0,
                                                         on_job_timeout, j)) < 0)
                return r;
        /* Without approvers, or with a list of revoked keys that cannot be read, the first answer is no without asking.
         */
        if (j->stage == STAGE_VERIFY &&
            (approvers_file_fd(v->approvers) < 0 || approvers_file_revokes_all(v->approvers)))
                j->stage = STAGE_NOVALIDATE;
        p.message_fd = j->message_fd;
        p.signature_fd = j->signature_fd;
        if (j->stage != STAGE_NOVALIDATE)
                p.approvers_fd = approvers_file_fd(v->approvers);
        if (j->stage == STAGE_VERIFY)
                p.revoked_fd = approvers_file_revoked_fd(v->approvers);
        if ((r = signature_process_start(&p, &pid)) < 0)
                return r;
        v->spawned++;
        r = sd_event_add_child(v->event, &j->child, pid, WEXITED, on_job_exit, j);
        if (r < 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }
        j->pid = pid;
        return 0;
}

static void job_set_running(Job *j) {
        SignatureVerifier *v = j->verifier;

        job_unlink(j);
        j->running = true;
        TAILQ_INSERT_TAIL(&v->running, j, entries);
        v->n_running++;
}

static void queue_run(SignatureVerifier *v) {
        Job *j;
        int r;

        while (v->n_running < SIGNATURE_PROCESSES_MAX && (j = TAILQ_FIRST(&v->queued))) {
                job_set_running(j);
                if ((r = job_start(j)) < 0)
                        job_answer(j, r, SIGNATURE_UNKNOWN);
        }
}

/* ---- questions ---- */

static Job *find_job(SignatureVerifier *v, const unsigned char *digest) {
        struct JobList *lists[] = {&v->running, &v->queued};
        Job *j;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                TAILQ_FOREACH(j, lists[i], entries)
        if (j->generation == v->generation && memcmp(j->digest, digest, SIGNATURE_DIGEST) == 0)
                return j;
        return NULL;
}

static int job_add_waiter(Job *j, signature_done_t done, void *userdata) {
        Waiter *w;

        if (j->verifier->n_waiters >= WAITERS_MAX)
                return -EAGAIN;
        if (!(w = malloc(sizeof(*w))))
                return -ENOMEM;
        *w = (Waiter){.next = j->waiters, .done = done, .userdata = userdata};
        j->waiters = w;
        j->verifier->n_waiters++;
        return 0;
}

static int job_new(SignatureVerifier *v, const SignatureRequest *request, const unsigned char *digest, Job **ret) {
        Job *j = calloc(1, sizeof(*j));

        if (!j)
                return -ENOMEM;
        *j = (Job){.verifier = v,
                   .generation = v->generation,
                   .length = request->length,
                   .message_fd = -1,
                   .signature_fd = -1};
        memcpy(j->digest, digest, SIGNATURE_DIGEST);
        j->message = malloc(request->length + 1);
        j->approver = strdup(request->approver);
        j->signature = strdup(request->signature);
        if (!j->message || !j->approver || !j->signature) {
                job_free(j);
                return -ENOMEM;
        }
        memcpy(j->message, request->message, request->length);
        *ret = j;
        return 0;
}

/* A job that cannot start at once because of its start, not for lack of room, is refused here: done is never called
 * early. */
static int job_submit(SignatureVerifier *v, Job *j, bool urgent) {
        int r;

        v->n_queued++;
        if (urgent)
                TAILQ_INSERT_HEAD(&v->queued, j, entries);
        else
                TAILQ_INSERT_TAIL(&v->queued, j, entries);
        if (v->n_running >= SIGNATURE_PROCESSES_MAX)
                return 0;
        job_set_running(j);
        r = job_start(j);
        if (r < 0)
                job_unlink(j);
        return r;
}

int signature_verify(SignatureVerifier *v, const SignatureRequest *request, signature_done_t done, void *userdata,
                     SignatureResult *ret_result) {
        unsigned char digest[SIGNATURE_DIGEST];
        Job *j;
        int r;

        if (approvers_file_refresh(v->approvers) > 0)
                signature_verifier_flush(v);
        if ((r = signature_cache_digest(request, digest)) < 0)
                return r;
        if (signature_cache_get(v->cache, digest, now_usec(CLOCK_BOOTTIME), ret_result))
                return 1;
        if ((j = find_job(v, digest)))
                return job_add_waiter(j, done, userdata);
        if (v->n_queued >= SIGNATURE_QUEUE_MAX)
                return -EAGAIN;
        if ((r = job_new(v, request, digest, &j)) < 0)
                return r;
        if ((r = job_add_waiter(j, done, userdata)) < 0) {
                job_free(j);
                return r;
        }
        if ((r = job_submit(v, j, request->urgent)) < 0) {
                v->n_waiters--;
                job_free(j);
                log_warning("%s: cannot be started: %s", v->program, strerror(-r));
        }
        return r;
}

void signature_verifier_flush(SignatureVerifier *v) {
        v->generation++;
        signature_cache_flush(v->cache);
}

uint64_t signature_verifier_spawned(const SignatureVerifier *v) {
        return v->spawned;
}

int signature_verifier_new(sd_event *event, ApproversFile *approvers, const char *program, SignatureVerifier **ret) {
        SignatureVerifier *v = calloc(1, sizeof(*v));

        if (!v || !(v->cache = signature_cache_new())) {
                free(v);
                return -ENOMEM;
        }
        v->event = sd_event_ref(event);
        v->approvers = approvers;
        v->program = program ? program : "/usr/bin/ssh-keygen";
        TAILQ_INIT(&v->running);
        TAILQ_INIT(&v->queued);
        *ret = v;
        return 0;
}

static void job_abandon(Job *j) {
        if (j->pid > 0) {
                j->child = sd_event_source_disable_unref(j->child);
                (void) kill(j->pid, SIGKILL);
                (void) waitpid(j->pid, NULL, 0); /* SIGKILL was sent: at once */
        }
        job_answer(j, -ECANCELED, SIGNATURE_UNKNOWN);
}

SignatureVerifier *signature_verifier_free(SignatureVerifier *v) {
        Job *j;

        if (!v)
                return NULL;
        while ((j = TAILQ_FIRST(&v->queued)))
                job_abandon(j);
        while ((j = TAILQ_FIRST(&v->running)))
                job_abandon(j);
        signature_cache_free(v->cache);
        sd_event_unref(v->event);
        free(v);
        return NULL;
}
