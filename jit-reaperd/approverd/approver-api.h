/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVER_API_H
#define JIT_APPROVER_API_H

/* The methods of io.pamjit.Approver, in three files: questions (approver-api.c), tickets asked for and
 * ended (approver-tickets.c), approvals brought (approver-delivery.c). */

#include "approver.h"

/* approver-providers.c */
int vl_method_recheck(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_notice(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_test_provider(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_list_providers(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int ticket_create_elsewhere(Approver *a, VarlinkLink *l, const char *provider, const json_t *object, const Caller *c);

int vl_method_new_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_add_approval(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_deny_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_close_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_import_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata);

/* The errors of the interface, as answers to l. */
int reply_no_such_ticket(VarlinkLink *l, const char *id);
int reply_not_allowed(VarlinkLink *l, const char *reason, const char *message);
int reply_bad_ticket(VarlinkLink *l, const TicketFault *fault);
int reply_bad_signature(VarlinkLink *l, const char *reason, const char *message);
int reply_try_again(VarlinkLink *l, const char *message);

/* ---- approver-tickets.c ---- */

/* Whether a ticket may come here now: not over, and not too far ahead. -EBADMSG and *ret_fault. */
int ticket_check_window(const Ticket *t, uint64_t now, TicketFault *ret_fault);
/* Whether each account of t would be t's, and no account of another ticket would be lost. */
bool ticket_names_are_free(const Approver *a, const Ticket *t);
/* To the journal, with JIT_TICKET=. */
void log_ticket(const Ticket *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Answers for a ticket_store_put() that failed. */
int ticket_store_failed(VarlinkLink *l, const Ticket *t, int error);

/* 0: c is who calls, and may call. 1: was answered (rate limit). */
int caller_enter(Approver *a, VarlinkLink *l, unsigned cost, Caller *ret);

#endif
