/* SPDX-License-Identifier: Apache-2.0 */

/* Tickets from the store. The store may have been written by anybody: an approval counts only if its signature is good
 * for the very bytes that the file holds now. */

#include "approver.h"
#include "person-keys.h"
#include "strv.h"

typedef struct SignedProvider {
        Provider provider;
        Approver *approver;
} SignedProvider;

typedef struct Question {
        SignedProvider *provider;
        TicketDocument *document;
        char **keys;           /* person's */
        char **requester_keys; /* all requesters' */
        char person[PERSON_NAME_MAX + 1];
        SignatureKey *signers; /* one for each approval */
        SignatureResult results[TICKET_APPROVALS_MAX];
        unsigned waiting; /* for so many signatures */
        ProviderResult result; /* the first that could not be judged */
        provider_answer_t answer;
        void *userdata;
} Question;

typedef struct Waiting { /* one signature of a question */
        Question *question;
        size_t index;
} Waiting;

static Question *question_free(Question *q) {
        if (!q)
                return NULL;
        ticket_document_free(q->document);
        strv_free(q->keys);
        strv_free(q->requester_keys);
        free(q->signers);
        free(q);
        return NULL;
}

DEFINE_CLEANUP(Question, question_free);

/* ---- which ticket ---- */

static const TicketEntry *find_entry(const TicketStore *s, const char *key, size_t length) {
        size_t n, low = 0;
        const TicketEntry *entries = ticket_store_entries(s, &n);

        while (low < n) {
                size_t middle = low + (n - low) / 2;
                int c = strncmp(entries[middle].key, key, length);

                if (c == 0)
                        c = entries[middle].key[length] != '\0'; /* a longer key comes behind */
                if (c == 0)
                        return &entries[middle];
                if (c < 0)
                        low = middle + 1;
                else
                        n = middle;
        }
        return NULL;
}

static int refer(Provider *p, const TicketEntry *e, const char *person, Reference *ret) {
        *ret = (Reference){.provider = p};
        (void) snprintf(ret->ticket, sizeof(ret->ticket), "%s", e->key);
        (void) snprintf(ret->person, sizeof(ret->person), "%s", person);
        return 0;
}

/* The whole as a ticket's id first, then the shortest person. One account for each person: a ticket with one requester
 * is named alone, one with several never. */
static int signed_resolve(Provider *p, const char *account, Reference *ret) {
        const TicketStore *s = ((SignedProvider *) p)->approver->store;
        const char *name = account + strlen(ACCOUNT_PREFIX);
        const TicketEntry *e = find_entry(s, name, strlen(name));

        if (e)
                return strv_length(e->requesters) == 1 ? refer(p, e, e->requesters[0], ret) : -ENOENT;
        for (size_t i = strlen(name); i-- > 1;)
                if (name[i] == '-' && (e = find_entry(s, name, i)) && strv_length(e->requesters) > 1 &&
                    strv_contains(e->requesters, name + i + 1))
                        return refer(p, e, name + i + 1, ret);
        return -ENOENT;
}

static int signed_refer(Provider *p, const char *ticket, const char *person, Reference *ret) {
        const TicketEntry *e = find_entry(((SignedProvider *) p)->approver->store, ticket, strlen(ticket));

        return e && strv_contains(e->requesters, person) ? refer(p, e, person, ret) : -ENOENT;
}

/* ---- what it comes to ---- */

static bool signed_by_requester(const Question *q, size_t i) {
        return signature_key_is_among(&q->signers[i], q->requester_keys);
}

static bool signed_before(const Question *q, const Approval *a, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (q->results[j] == SIGNATURE_VALID && signature_key_equal(&q->signers[j], &q->signers[i]))
                        for (size_t k = 0; k < a->n_approvers; k++)
                                if (streq(a->approvers[k].name, q->document->approvals[j].approver))
                                        return true;
        return false;
}

/* NULL: the i-th approval counts. */
static const char *why_not(const Question *q, const Approval *a, size_t i) {
        if (q->results[i] != SIGNATURE_VALID)
                return signature_result_reason(q->results[i]);
        /* One key, one voice: whoever holds the key that opens the account would approve the own ticket, whatever the
         * approver's name. */
        if (signed_by_requester(q, i))
                return "self-approved";
        return signed_before(q, a, i) ? "same-key" : NULL;
}

static void fill_approvers(const Question *q, Approval *ret) {
        const TicketDocument *d = q->document;

        for (size_t i = 0; i < d->n_approvals; i++) {
                ApprovalBy by = {.name = d->approvals[i].approver,
                                 .at = d->approvals[i].at,
                                 .reason = why_not(q, ret, i)};
                if (by.reason) {
                        ret->invalid[ret->n_invalid++] = by;
                        continue;
                }
                ret->approvers[ret->n_approvers++] = by;
                if (d->state == TICKET_OPEN && !strv_contains(d->ticket->requesters, by.name))
                        ret->state = APPROVAL_APPROVED; /* by somebody; whether by enough is for the policy to say */
        }
}

static ProviderResult result_of(int error) {
        return error == -ENOENT      ? PROVIDER_UNKNOWN
               : error == -EBADMSG   ? PROVIDER_INVALID
               : error == -ENOMEM    ? PROVIDER_NO_MEMORY
               : error == -ECANCELED ? PROVIDER_CANCELED
                                     : PROVIDER_UNREACHABLE;
}

static void answer_failure(ProviderResult result, provider_answer_t answer, void *userdata) {
        answer(&(ProviderAnswer){.result = result,
                                 .detail = result == PROVIDER_INVALID ? "what is stored is not a ticket" : NULL},
               userdata);
}

static void question_answer(Question *q) {
        static const ApprovalState states[] = {[TICKET_OPEN] = APPROVAL_PENDING,
                                               [TICKET_DENIED] = APPROVAL_DENIED,
                                               [TICKET_CLOSED] = APPROVAL_CLOSED};
        const TicketDocument *d = q->document;
        const Ticket *t = d->ticket;
        Approval a = {
                        .ticket = t->id,
                        .title = t->title,
                        .role = t->role,
                        .reason = t->reason,
                        .digest = t->digest,
                        .requesters = t->requesters,
                        .hosts = t->hosts,
                        .commands = t->commands,
                        .ssh_keys = t->ssh_keys,
                        .may_approve = approvers_file_names(q->provider->approver->approvers),
                        .not_before = t->not_before,
                        .not_after = t->not_after,
                        .emergency = t->emergency,
                        .state = states[d->state],
                        .state_by = d->state_by,
                        .state_reason = d->state_reason,
                        .state_at = d->state_at,
        };

        if (q->result != PROVIDER_OK)
                answer_failure(q->result, q->answer, q->userdata);
        else {
                fill_approvers(q, &a);
                q->answer(&(ProviderAnswer){.approval = &a, .person = q->person, .keys = q->keys}, q->userdata);
        }
        question_free(q);
}

static void on_signature(int error, SignatureResult result, void *userdata) {
        Waiting *w = userdata;
        Question *q = w->question;

        q->results[w->index] = result;
        if (error < 0 && q->result == PROVIDER_OK)
                q->result = result_of(error);
        free(w);
        if (--q->waiting == 0)
                question_answer(q);
}

/* 1: waits for an answer, 0: has it. */
static int ask_signature(Question *q, size_t i, bool urgent) {
        const TicketApproval *a = &q->document->approvals[i];
        SignatureRequest request = {.message = q->document->ticket->canonical,
                                    .length = q->document->ticket->canonical_length,
                                    .approver = a->approver,
                                    .signature = a->signature,
                                    .urgent = urgent};
        Waiting *w;
        int r;

        if (signature_parse(a->signature, strlen(a->signature), &q->signers[i]) < 0) {
                q->results[i] = SIGNATURE_TAMPERED;
                return 0;
        }
        if (!(w = malloc(sizeof(*w))))
                return -ENOMEM;
        *w = (Waiting){q, i};
        r = signature_verify(q->provider->approver->verifier, &request, on_signature, w, &q->results[i]);
        if (r == 0)
                return 1;
        free(w);
        return r < 0 ? r : 0;
}

static int question_new(SignedProvider *s, const Reference *reference, Question **ret) {
        JIT_CLEANUP(question_freep) Question *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;
        q->provider = s;
        memcpy(q->person, reference->person, sizeof(q->person));
        if ((r = ticket_store_get(s->approver->store, reference->ticket, &q->document)) < 0)
                return r;
        if (*reference->person && !strv_contains(q->document->ticket->requesters, reference->person))
                return -ENOENT;
        if (!(q->signers = calloc(q->document->n_approvals + 1, sizeof(*q->signers))))
                return -ENOMEM;
        r = requester_keys_load(s->approver->etc, q->document->ticket->requesters, q->document->ticket->ssh_keys,
                                reference->person, &q->keys, &q->requester_keys);
        if (r < 0)
                return r;
        *ret = take_ptr(q);
        return 0;
}

static void signed_ask(Provider *p, const Reference *reference, const QuestionContext *context, bool urgent,
                       provider_answer_t answer, void *userdata) {
        Question *q;
        int r = question_new((SignedProvider *) p, reference, &q);

        (void) context; /* what was signed does not depend on it */
        if (r < 0) {
                answer_failure(result_of(r), answer, userdata);
                return;
        }
        q->answer = answer;
        q->userdata = userdata;
        q->waiting = 1; /* for ourselves, until all are asked */
        for (size_t i = 0; i < q->document->n_approvals; i++) {
                r = ask_signature(q, i, urgent);
                if (r > 0)
                        q->waiting++;
                else if (r < 0 && q->result == PROVIDER_OK)
                        q->result = result_of(r);
        }
        if (--q->waiting == 0)
                question_answer(q);
}

static Provider *signed_free(Provider *p) {
        free(p->name);
        free(p);
        return NULL;
}

int provider_signed_new(Approver *approver, Provider **ret) {
        SignedProvider *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        *s = (SignedProvider){{.kind = "signed",
                               .name = strdup("signed"),
                               .grace_usec = USEC_INFINITY,
                               .resolve = signed_resolve,
                               .refer = signed_refer,
                               .ask = signed_ask,
                               .free = signed_free},
                              approver};
        if (!s->provider.name) {
                free(s);
                return -ENOMEM;
        }
        *ret = &s->provider;
        return 0;
}
