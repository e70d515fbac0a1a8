/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SIGNATURE_H
#define JIT_SIGNATURE_H

/* SSH signatures (PROTOCOL.sshsig of OpenSSH), judged by ssh-keygen in a process of its own: no cryptography on
 * strangers' bytes here.
 *
 * MUST: give ssh-keygen the very bytes that the answer is cached for (memfds, not paths that may change in between).
 * MUST NOT: wait for ssh-keygen. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cleanup.h"

struct sd_event;

#define SIGNATURE_NAMESPACE "approval@pamjit"

enum {
        SIGNATURE_TEXT_MAX = 8 * 1024,
        SIGNATURE_KEY_MAX = 4 * 1024, /* bytes of the public key (or certificate) inside */
        SIGNATURE_PROCESSES_MAX = 8,
        SIGNATURE_QUEUE_MAX = 256,
        SIGNATURE_CACHE_MAX = 4096,
};

/* ---- the armour (signature-parse.c) ---- */

typedef struct SignatureKey {
        unsigned char blob[SIGNATURE_KEY_MAX]; /* the signer's public key as RFC 4253, 6.6 has it, or an OpenSSH
                                                  certificate */
        size_t length;
} SignatureKey;

/* Looks whether text is one armoured signature of our namespace and nothing else, and takes the key out. Proves
 * nothing. -EBADMSG. */
int signature_parse(const char *text, size_t length, SignatureKey *ret);
/* Whether line ("type base64 ...") is that key. */
bool signature_key_is(const SignatureKey *key, const char *line);
bool signature_key_is_among(const SignatureKey *key, char *const *lines);
bool signature_key_equal(const SignatureKey *a, const SignatureKey *b);

/* ---- who may approve (approvers-file.c): /etc/jit/approvers and /etc/jit/revoked ---- */

typedef struct ApproversFile ApproversFile;
/* directory: /etc/jit; copied. Nothing is read yet. -ENOMEM. */
int approvers_file_new(const char *directory, ApproversFile **ret);
ApproversFile *approvers_file_free(ApproversFile *a);
DEFINE_CLEANUP(ApproversFile, approvers_file_free);
/* Looks whether either file is another one than before and then takes a copy of it. 1: changed, 0: as before. A file
 * that cannot be trusted or read is logged and counts as one that nobody is in (approvers) or that everybody is in
 * (revoked). */
int approvers_file_refresh(ApproversFile *a);
/* The next refresh reads both files, however they look. */
void approvers_file_forget(ApproversFile *a);
/* Whether name stands in the approvers file word for word (a pattern that would match it does not count). */
char *const *approvers_file_names(const ApproversFile *a); /* borrowed until it is refreshed; may be NULL */
bool approvers_file_lists(const ApproversFile *a, const char *name);
/* Whether answers may change with time alone (valid-after, valid-before, cert-authority). */
bool approvers_file_is_timed(const ApproversFile *a);
int approvers_file_fd(const ApproversFile *a);         /* borrowed; -1: nobody may approve */
int approvers_file_revoked_fd(const ApproversFile *a); /* borrowed; -1: no key is revoked */
bool approvers_file_revokes_all(const ApproversFile *a);

/* ---- the judgement (signature.c) ---- */

typedef enum SignatureResult {
        SIGNATURE_VALID,
        SIGNATURE_TAMPERED, /* not a signature of these bytes */
        SIGNATURE_UNKNOWN,  /* a good one, but not by a key that the approvers file has for that person (now) */
        SIGNATURE_REVOKED,  /* a good one by a key that is revoked */
} SignatureResult;

const char *signature_result_reason(SignatureResult r); /* reason code */

typedef struct SignatureRequest {
        const char *message;
        size_t length;
        const char *approver;
        const char *signature;
        bool urgent; /* a login waits for it: goes before the deliveries of approvals */
} SignatureRequest;

/* error: 0; -ETIMEDOUT, -ECANCELED (shutdown) or what starting ssh-keygen failed with: then result says nothing. */
typedef void (*signature_done_t)(int error, SignatureResult result, void *userdata);

typedef struct SignatureVerifier SignatureVerifier;
/* approvers is borrowed. program: NULL for /usr/bin/ssh-keygen. SIGCHLD must be blocked (sd_event_add_child). */
int signature_verifier_new(struct sd_event *event, ApproversFile *approvers, const char *program,
                           SignatureVerifier **ret);
/* Ends what runs; its done functions get -ECANCELED. */
SignatureVerifier *signature_verifier_free(SignatureVerifier *v);
DEFINE_CLEANUP(SignatureVerifier, signature_verifier_free);
/* 1: known, *ret_result is set and done will not be called. 0: done will be called, never before this returns; what
 * request points to is copied. -EAGAIN: too many wait. */
int signature_verify(SignatureVerifier *v, const SignatureRequest *request, signature_done_t done, void *userdata,
                     SignatureResult *ret_result);
/* Forgets every answer; what runs is still answered, but not remembered. */
void signature_verifier_flush(SignatureVerifier *v);
/* For tests: processes started so far. */
uint64_t signature_verifier_spawned(const SignatureVerifier *v);

/* ---- one process (signature-process.c) ---- */

typedef struct SignatureProcess {
        const char *program;
        const char *approver;
        int message_fd, signature_fd;
        int approvers_fd; /* -1: only whether it is a signature of these bytes at all (check-novalidate) */
        int revoked_fd;   /* -1: none */
} SignatureProcess;

/* Starts ssh-keygen with an environment of its own, no descriptors but these and no output. Exit status 0 will mean
 * yes. */
int signature_process_start(const SignatureProcess *p, pid_t *ret);

/* ---- remembered answers (signature-cache.c) ---- */

enum { SIGNATURE_DIGEST = 32 };
typedef struct SignatureCache SignatureCache;
SignatureCache *signature_cache_new(void); /* NULL: no memory */
SignatureCache *signature_cache_free(SignatureCache *c);
int signature_cache_digest(const SignatureRequest *request, unsigned char ret[static SIGNATURE_DIGEST]);
/* now, until: CLOCK_BOOTTIME. */
bool signature_cache_get(SignatureCache *c, const unsigned char digest[static SIGNATURE_DIGEST], uint64_t now,
                         SignatureResult *ret);
void signature_cache_put(SignatureCache *c, const unsigned char digest[static SIGNATURE_DIGEST], uint64_t until,
                         SignatureResult result);
void signature_cache_flush(SignatureCache *c);

#endif
