/* SPDX-License-Identifier: Apache-2.0 */

#include "json.h"
#include "policy-input.h"

/* 0: not known. */
static json_t *time_text(uint64_t usec) {
        char text[TIME_TEXT_MAX];

        return usec == 0 ? json_null() : json_string(time_format_rfc3339(usec, text));
}

static json_t *request_to_json(const PolicyInput *in) {
        return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:o}", "account", in->account, "person",
                         in->reference->person, "phase", in->phase, "service", in->service, "rhost", in->rhost, "tty",
                         in->tty, "way", in->way, "target", in->target, "now", (json_int_t) in->now, "now_rfc3339", time_text(in->now));
}

static json_t *people_to_json(const ApprovalBy *by, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < n; i++) {
                json_t *person = json_pack("{s:s, s:o, s:s*}", "name", by[i].name, "at", time_text(by[i].at), "reason",
                                           by[i].reason);
                if (json_array_append_new(list, person) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static json_t *approval_to_json(const Approval *a, const Provider *provider) {
        static const char *const states[] = {"pending", "approved", "denied", "closed"};

        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:s, s:o, s:o, s:b, s:s, s:s*, "
                         "s:s*, s:s*}",
                         "ticket", a->ticket, "title", a->title, "state", states[a->state], "requesters",
                         json_from_strv(a->requesters), "approvers", people_to_json(a->approvers, a->n_approvers),
                         "invalid_approvals", people_to_json(a->invalid, a->n_invalid), "hosts",
                         json_from_strv(a->hosts), "role", a->role, "not_before", time_text(a->not_before), "not_after",
                         time_text(a->not_after), "not_before_usec", (json_int_t) a->not_before, "not_after_usec",
                         (json_int_t) a->not_after, "reason", a->reason, "commands", json_from_strv(a->commands),
                         "ssh_keys", json_from_strv(a->ssh_keys), "emergency", (int) a->emergency, "digest", a->digest,
                         "state_by", a->state_by, "state_reason", a->state_reason, "provider",
                         provider ? provider->name : NULL);
}

static json_t *ways_to_json(unsigned ways) {
        static const char *const names[] = {"account", "elevate", "gate"}; /* as the bits of ROLE_WAY_* */
        json_t *list = json_array();

        for (unsigned i = 0; i < ELEMENTSOF(names); i++)
                if (ways & (1u << i))
                        (void) json_array_append_new(list, json_string(names[i]));
        return list;
}

static json_t *role_to_json(const Role *r) {
        if (!r)
                return json_null();
        return json_pack("{s:s, s:s?, s:I, s:I, s:I, s:o, s:o, s:s?, s:b, s:o, s:b}", "name", r->name, "description",
                         r->description, "approvers", (json_int_t) r->approvers, "ttl_usec", (json_int_t) r->ttl_usec,
                         "idle_usec", (json_int_t) r->idle_usec, "groups", json_from_strv(r->groups), "commands",
                         json_from_strv(r->commands), "run_as", r->run_as, "reactivate", (int) r->reactivate,
                         "ways", ways_to_json(r->ways), "workloads", (int) r->workloads);
}

json_t *policy_input(const PolicyInput *in) {
        return json_pack("{s:o, s:o, s:o, s:{s:o}}", "request", request_to_json(in), "approval",
                         approval_to_json(in->approval, in->reference->provider), "role", role_to_json(in->role),
                         "host", "names", json_from_strv(in->host_names));
}
