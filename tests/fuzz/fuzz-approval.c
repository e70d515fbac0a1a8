/* SPDX-License-Identifier: Apache-2.0 */

/* A question whose answers are anybody's, to every jq program that we ship, to the canonical approval, to the shipped
 * policy: nothing crashes, nothing that passes is unfit to be shown or used, and nothing is allowed that the reference
 * decision does not allow.
 *
 * libjq is not instrumented, so the programs' own messages are the coverage; and questions are changed as trees, for
 * what is not JSON gets no further than json_parse_strict(), which has a fuzzer. */

#include <dirent.h>
#include <stdlib.h>

#include "../../jit-reaperd/approverd/providers/approval-record.h"
#include "../../jit-reaperd/approverd/jq-program.h"
#include "../../jit-reaperd/approverd/policy-input.h"
#include "../../jit-reaperd/approverd/policy.h"
#include "json.h"
#include "reference-decision.h"
#include "strv.h"

#define FOLDER "examples/providers"

enum { PROGRAMS_MAX = 64, NODES_MAX = 4096, COUNTERS = 8192, INPUT_MAX = 256 * 1024 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* jq 1.6 loses what a program made in an iteration that an error ends; test-jq-program.c looks after the input's part.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
        return "leak:libjq.so";
}
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
const char *__lsan_default_options(void) {
        return "print_suppressions=0";
}

static JqProgram *programs[PROGRAMS_MAX];
static bool bodies[PROGRAMS_MAX]; /* programs of requests' bodies */
static size_t n_programs;
static Policy *policy;

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static void require(bool condition) {
        if (!condition)
                abort();
}

static int is_program(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return n > 3 && streq(entry->d_name + n - 3, ".jq");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        struct dirent **entries = NULL;
        int n = scandir(FOLDER, &entries, is_program, alphasort);
        char why[JQ_WHY_MAX] = "";

        (void) argc, (void) argv;
        require(n > 0 && n <= PROGRAMS_MAX);
        for (int i = 0; i < n; i++) {
                bodies[n_programs] = strstr(entries[i]->d_name, "-comment.jq") ||
                                     strstr(entries[i]->d_name, "-new.jq") || strstr(entries[i]->d_name, "-body.jq");
                if (jq_program_load(FOLDER, entries[i]->d_name, &programs[n_programs++], why) < 0) {
                        fprintf(stderr, "%s\n", why);
                        abort();
                }
                free(entries[i]);
        }
        free(entries);
        require(policy_load("/nonexistent", "jit-reaperd/approverd", &policy, why) >= 0);
        return 0;
}

/* ---- one question ---- */

/* Which program came how far: as much of its message as is its own. */
static void mark(size_t program, const char *why) {
        uint32_t h = (uint32_t) program * 2654435761U + 5381;

        for (size_t i = 0; why[i] && i < 40; i++)
                h = h * 33 + (unsigned char) why[i];
        counters[h % COUNTERS] = 1;
}

static void check_people(const ApprovalBy *by, size_t n, bool invalid) {
        require(n <= TICKET_APPROVALS_MAX);
        for (size_t i = 0; i < n; i++)
                require(person_name_is_valid(by[i].name) && invalid == (by[i].reason != NULL));
}

static void check_record(const ApprovalRecord *r, const char *ticket) {
        const Approval *a = &r->approval;
        char key[TICKET_ID_MAX + 1];

        require(ticket_id_parse(a->ticket, key) == 0 && streq(key, ticket) && role_name_is_valid(a->role));
        require(ticket_text_is_plain(a->title, false) && strlen(a->title) <= TICKET_TITLE_MAX && *a->title);
        require(ticket_text_is_plain(a->reason, false) && strlen(a->reason) <= TICKET_REASON_MAX);
        require(!a->state_reason || ticket_text_is_plain(a->state_reason, false));
        require(a->not_before < a->not_after && a->not_after - a->not_before <= TICKET_WINDOW_MAX_USEC);
        require(strlen(a->digest) == TICKET_DIGEST_HEX && strv_length(a->requesters) > 0 && strv_length(a->hosts) > 0);
        require(!a->ssh_keys || strv_length(a->requesters) == 1);
        check_people(a->approvers, a->n_approvers, false);
        check_people(a->invalid, a->n_invalid, true);
}

static void check_policy(size_t program, const json_t *object, const ApprovalRecord *record, const ReferenceCase *c) {
        JIT_CLEANUP(policy_result_done) PolicyResult result = {0};
        _cleanup_json_ json_t *input = NULL;
        Role role = {.name = (char *) record->approval.role,
                     .approvers = c->approvers,
                     .ttl_usec = USEC_PER_HOUR,
                     .run_as = (char *) "root"};
        Reference reference = {0};
        const PolicyInput in = {.reference = &reference,
                                .account = "jit-any",
                                .approval = &record->approval,
                                .role = &role,
                                .host_names = (char *const *) c->hosts,
                                .phase = "account",
                                .now = c->now};

        (void) snprintf(reference.ticket, sizeof(reference.ticket), "%s", c->ticket);
        (void) snprintf(reference.person, sizeof(reference.person), "%s", c->person);
        require((input = policy_input(&in)) && policy_run(policy, input, &result) >= 0);
        mark(program, result.reasons[0]);
        if (result.allow && !reference_allows(object, c)) {
                char *text = json_canonical(object);
                fprintf(stderr, "allowed for %s: %s\n", c->person, text ? text : "");
                abort();
        }
}

/* Where a wrong comparison would show; a double has usec exactly until the year 2255. */
static void check_edges(size_t program, const json_t *object, const ApprovalRecord *record, const ReferenceCase *in) {
        const Approval *a = &record->approval;
        const uint64_t nows[] = {a->not_before - 1, a->not_before, a->not_after - 1, a->not_after};
        ReferenceCase c = *in;

        for (size_t i = 0; i < ELEMENTSOF(nows); i++)
                if (nows[i] <= UINT64_C(1) << 53) {
                        c.now = nows[i];
                        check_policy(program, object, record, &c);
                }
}

static void check_output(size_t program, const json_t *object, const char *ticket, uint64_t now) {
        static const char *const hosts[] = {"db1", "db1.prod.example.com", "web1.prod.example.com",
                                            "mail1.prod.example.com", NULL};
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *record = NULL;
        char why[APPROVAL_WHY_MAX] = "";
        ReferenceCase c = {.ticket = ticket, .hosts = hosts, .now = now};

        if (approval_record_new(object, ticket, &record, why) < 0) {
                mark(program, why);
                return;
        }
        check_record(record, ticket);
        for (c.approvers = 1; c.approvers <= 2; c.approvers++) {
                c.person = record->approval.requesters[0];
                check_edges(program, object, record, &c);
                STRV_FOREACH (r, record->approval.requesters) {
                        c.person = *r;
                        check_policy(program, object, record, &c);
                }
                for (size_t i = 0; i < record->approval.n_approvers; i++) {
                        c.person = record->approval.approvers[i].name;
                        check_policy(program, object, record, &c);
                }
                c.person = "mallory";
                check_policy(program, object, record, &c);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *question = NULL;
        char ticket[TICKET_ID_MAX + 1];
        json_int_t now;

        if (json_parse_strict((const char *) data, size, INPUT_MAX, &question, NULL) < 0 ||
            ticket_id_parse(json_string_value(json_object_get(question, "ticket")), ticket) < 0)
                return 0;
        now = json_integer_value(json_object_get(question, "now"));
        if (now < 0 || now > INT64_C(4000000000))
                return 0;
        for (size_t i = 0; i < n_programs; i++) {
                _cleanup_json_ json_t *object = NULL;
                if (bodies[i] && size % 4 != 0)
                        continue; /* what they make is no approval: they are there for what they do to libjq */
                char why[JQ_WHY_MAX] = "";

                if (jq_program_run(programs[i], question, INPUT_MAX, &object, why) < 0)
                        mark(i, why);
                else
                        check_output(i, object, ticket, (uint64_t) now * USEC_PER_SEC);
        }
        return 0;
}

/* ---- other questions ---- */

typedef struct Node {
        json_t *parent, *value;
        const char *key; /* of an object's member */
        size_t index;    /* of an array's element */
} Node;

typedef struct Tree {
        Node nodes[NODES_MAX];
        size_t n;
} Tree;

static void collect(Tree *t, json_t *j) {
        const char *key;
        json_t *value;
        size_t i;

        json_object_foreach (j, key, value)
                if (t->n < NODES_MAX) {
                        t->nodes[t->n++] = (Node){j, value, key, 0};
                        collect(t, value);
                }
        json_array_foreach (j, i, value)
                if (t->n < NODES_MAX) {
                        t->nodes[t->n++] = (Node){j, value, NULL, i};
                        collect(t, value);
                }
}

static unsigned pick(unsigned *seed, size_t n) {
        return (unsigned) rand_r(seed) % (unsigned) n;
}

/* Values that mean something to some system. */
static json_t *known_value(unsigned *seed) {
        static const char *const values[] = {
                        "null",
                        "true",
                        "false",
                        "0",
                        "-1",
                        "1",
                        "2",
                        "3",
                        "1e308",
                        "4503599627370497.5",
                        "\"\"",
                        "[]",
                        "{}",
                        "[null]",
                        "\"0\"",
                        "\"1\"",
                        "\"alice\"",
                        "\"bob\"",
                        "\"carol\"",
                        "\"ALICE\"",
                        "\"alice@example.com\"",
                        "\"approved\"",
                        "\"denied\"",
                        "\"closed\"",
                        "\"pending\"",
                        "\"requested\"",
                        "\"rejected\"",
                        "\"declined\"",
                        "\"canceled\"",
                        "\"done\"",
                        "\"resolved\"",
                        "\"true\"",
                        "\"false\"",
                        "\"db1\"",
                        "\"*\"",
                        "\"db1,web-01\"",
                        "\"dba\"",
                        "\"1970-01-01T00:00:00Z\"",
                        "\"2017-02-28T09:24:59.366-0600\"",
                        "\"2026-11-22 09:00:00\"",
                        "\"2099-01-01T00:00:00Z\"",
                        "\"\\u0000\"",
                        "\"\\u001b[0m\"",
                        "\"\\ud83d\\ude00\"",
                        "\"a\\nb\"",
                        "\"nan\"",
                        "{\"value\":\"\",\"display_value\":\"\"}",
        };

        return json_loads(values[pick(seed, ELEMENTSOF(values))], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static void node_set(const Node *n, json_t *value) {
        if (n->key)
                (void) json_object_set_new(n->parent, n->key, value);
        else
                (void) json_array_set_new(n->parent, n->index, value);
}

/* 5 and "5" are one thing to a person. */
static json_t *other_type(const json_t *j) {
        char text[32];

        if (json_is_integer(j)) {
                (void) snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(j));
                return json_string(text);
        }
        if (json_is_string(j))
                return json_integer(atoll(json_string_value(j)));
        return json_pack("[O]", j);
}

static void mutate(Tree *t, unsigned *seed) {
        const Node *a = t->nodes + pick(seed, t->n), *b = t->nodes + pick(seed, t->n);

        for (unsigned i = 0; i < 8 && json_typeof(a->value) != json_typeof(b->value); i++)
                b = t->nodes + pick(seed, t->n);
        switch (pick(seed, 8)) {
        case 0:
                node_set(a, known_value(seed));
                break;
        case 1: /* the same elsewhere */
                node_set(a, json_deep_copy(b->value));
                break;
        case 2:
                node_set(a, other_type(a->value));
                break;
        case 3:
                if (a->key)
                        (void) json_object_del(a->parent, a->key);
                else
                        (void) json_array_remove(a->parent, a->index);
                break;
        case 4: /* once more */
                if (json_is_array(a->parent))
                        (void) json_array_insert_new(a->parent, a->index, json_deep_copy(b->value));
                else
                        node_set(a, json_pack("[o,o]", json_deep_copy(a->value), json_deep_copy(b->value)));
                break;
        case 5: /* hours, minutes or one more or less */
                if (json_is_integer(a->value))
                        node_set(a, json_integer(json_integer_value(a->value) + (json_int_t[]){3600, -3600, 60, -60,
                                                                                               86400, -86400, 1,
                                                                                               -1}[pick(seed, 8)]));
                else
                        node_set(a, json_deep_copy(b->value));
                break;
        case 6:
                if (json_is_array(a->value))
                        (void) json_array_append_new(a->value, known_value(seed));
                else
                        (void) json_object_set_new(a->parent, b->key ? b->key : "state", known_value(seed));
                break;
        default: /* a string that is nearly the same */
                if (json_is_string(a->value) && json_string_length(a->value) > 0) {
                        _cleanup_free_ char *text = strdup(json_string_value(a->value));
                        if (text && *text)
                                text[pick(seed, strlen(text))] ^= (char) (1 << pick(seed, 6));
                        node_set(a, text ? json_string(text) : NULL);
                }
        }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
        static Tree tree;
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;

        if (pick(&seed, 16) == 0 || json_parse_strict((const char *) data, size, INPUT_MAX, &j, NULL) < 0)
                return LLVMFuzzerMutate(data, size, max);
        for (unsigned i = 0, times = 1 + pick(&seed, 3); i < times; i++) {
                tree.n = 0;
                collect(&tree, j);
                if (tree.n > 0)
                        mutate(&tree, &seed);
        }
        text = json_dumps(j, JSON_COMPACT);
        if (!text || strlen(text) > max)
                return LLVMFuzzerMutate(data, size, max);
        memcpy(data, text, strlen(text));
        return strlen(text);
}
