/* SPDX-License-Identifier: Apache-2.0 */

/* Which grant: by its account, its UID, its person, its id; what it is called. */

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <strings.h>

#include "account-end.h"
#include "cleanup.h"
#include "grant.h"

/* ---- the trees ---- */

static int compare_account(const void *a, const void *b) {
        return strcmp(((const Grant *) a)->account, ((const Grant *) b)->account);
}

static int compare_number(uid_t x, uid_t y) {
        return (x > y) - (x < y);
}

static int compare_uid(const void *a, const void *b) {
        return compare_number(((const Grant *) a)->uid, ((const Grant *) b)->uid);
}

static int compare_person(const void *a, const void *b) {
        return compare_number(((const Grant *) a)->person_uid, ((const Grant *) b)->person_uid);
}

static Grant *find(void *const *tree, const Grant *key, int (*compare)(const void *, const void *)) {
        Grant *const *node = tfind(key, tree, compare);

        return node ? *node : NULL;
}

static bool insert(void **tree, Grant *g, int (*compare)(const void *, const void *)) {
        Grant **node = tsearch(g, tree, compare);

        return node && *node == g;
}

static void take_out(void **tree, const Grant *g, int (*compare)(const void *, const void *)) {
        if (find(tree, g, compare) == g)
                (void) tdelete(g, tree, compare);
}

static int link_account(Grant *g) {
        Manager *m = g->manager;

        if (grant_by_account(m, g->account) || grant_by_uid(m, g->uid))
                return -EEXIST;
        if (!insert(&m->grants_by_account, g, compare_account))
                return -ENOMEM;
        if (insert(&m->grants_by_uid, g, compare_uid))
                return 0;
        take_out(&m->grants_by_account, g, compare_account);
        return -ENOMEM;
}

static int link_person(Grant *g) {
        Manager *m = g->manager;

        if (grant_by_person(m, g->person_uid))
                return -EEXIST;
        return insert(&m->grants_by_person, g, compare_person) ? 0 : -ENOMEM;
}

int grant_link(Grant *g) {
        Manager *m = g->manager;
        int r = 0;

        if (g->state != GRANT_FORGOTTEN)
                r = g->way == WAY_ELEVATION ? link_person(g) : link_account(g);
        if (r < 0)
                return r;
        g->next = m->grants;
        g->prev = &m->grants;
        if (g->next)
                g->next->prev = &g->next;
        m->grants = g;
        m->n_grants++;
        return 0;
}

void grant_forget_account(Grant *g) {
        Manager *m = g->manager;

        if (g->way == WAY_ELEVATION) {
                take_out(&m->grants_by_person, g, compare_person);
                return;
        }
        if (grant_by_account(m, g->account) == g)
                account_end_note(m, g->account);
        take_out(&m->grants_by_account, g, compare_account);
        take_out(&m->grants_by_uid, g, compare_uid);
}

/* ---- finding ---- */

Grant *grant_by_account(const Manager *m, const char *account) {
        Grant key = {};

        if (strlen(account) > ACCOUNT_NAME_MAX)
                return NULL;
        memcpy(key.account, account, strlen(account) + 1);
        return find(&m->grants_by_account, &key, compare_account);
}

Grant *grant_by_uid(const Manager *m, uid_t uid) {
        const Grant key = {.uid = uid};

        return find(&m->grants_by_uid, &key, compare_uid);
}

Grant *grant_by_person(const Manager *m, uid_t person_uid) {
        const Grant key = {.person_uid = person_uid};

        return find(&m->grants_by_person, &key, compare_person);
}

GrantRef grant_ref(const Grant *g) {
        GrantRef ref = {.uid = grant_user_uid(g), .way = g->way};

        memcpy(ref.id, g->id, sizeof(ref.id));
        return ref;
}

Grant *grant_get(const Manager *m, const GrantRef *ref) {
        Grant *g = ref->way == WAY_ELEVATION ? grant_by_person(m, ref->uid) : grant_by_uid(m, ref->uid);

        return g && streq(g->id, ref->id) ? g : NULL;
}

/* ---- names ---- */

const char *grant_user(const Grant *g) {
        return g->way == WAY_ELEVATION ? g->requester : g->account;
}

uid_t grant_user_uid(const Grant *g) {
        return g->way == WAY_ELEVATION ? g->person_uid : g->uid;
}

const char *grant_way_to_string(Way w) {
        return w == WAY_ELEVATION ? "elevation" : "account";
}

const char *grant_slice(const Grant *g, char ret[static SLICE_NAME_MAX]) {
        if (g->way == WAY_ELEVATION)
                (void) snprintf(ret, SLICE_NAME_MAX, "jit-%s.slice", g->id);
        else
                (void) snprintf(ret, SLICE_NAME_MAX, "user-%u.slice", g->uid);
        return ret;
}

bool grant_matches(const Grant *g, const char *what) {
        char account[ACCOUNT_NAME_MAX + 1];

        if (streq(g->id, what) || strcasecmp(g->ticket, what) == 0 || streq(grant_user(g), what))
                return true;
        return g->way == WAY_ACCOUNT && account_name_parse(what, account) >= 0 && streq(g->account, account);
}

/* ---- the other way ---- */

static bool is_sibling(const Grant *g, const Grant *of) {
        return g->state == GRANT_ACTIVE && g->way != of->way && g->provider == of->provider && streq(g->requester, of->requester) &&
               strcasecmp(g->ticket, of->ticket) == 0;
}

/* An account by a ticket has one of two names (verdict_is_for()). */
static Grant *sibling_account(const Grant *g) {
        char ticket[TICKET_ID_MAX + 1], names[2][sizeof(ACCOUNT_PREFIX) + TICKET_ID_MAX + 1 + PERSON_NAME_MAX];

        if (ticket_id_parse(g->ticket, ticket) < 0)
                return NULL;
        (void) snprintf(names[0], sizeof(names[0]), ACCOUNT_PREFIX "%s", ticket);
        (void) snprintf(names[1], sizeof(names[1]), ACCOUNT_PREFIX "%s-%s", ticket, g->requester);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                Grant *found = grant_by_account(g->manager, names[i]);
                if (found && is_sibling(found, g))
                        return found;
        }
        return NULL;
}

typedef struct Search {
        const Grant *of;
        Grant *found;
} Search;

static void look_for_sibling(const void *node, VISIT visit, void *userdata) {
        Grant *g = *(Grant *const *) node;
        Search *s = userdata;

        if ((visit == postorder || visit == leaf) && is_sibling(g, s->of))
                s->found = g;
}

Grant *grant_sibling(const Grant *g) {
        Search s = {.of = g};

        if (g->way == WAY_ELEVATION)
                return sibling_account(g);
        twalk_r(g->manager->grants_by_person, look_for_sibling, &s);
        return s.found;
}

/* ---- by id ---- */

typedef struct IdSearch {
        const char *id;
        Grant *found;
} IdSearch;

static void look_for_id(const void *node, VISIT visit, void *userdata) {
        Grant *g = *(Grant *const *) node;
        IdSearch *s = userdata;

        if ((visit == postorder || visit == leaf) && streq(g->id, s->id))
                s->found = g;
}

Grant *grant_by_id(const Manager *m, const char *id) {
        IdSearch s = {.id = id};
        Grant *g = m->grants;

        /* Elevations are few, and asked for at each sudo; the list may be long. */
        twalk_r(m->grants_by_person, look_for_id, &s);
        if (s.found)
                return s.found;
        while (g && !streq(g->id, id))
                g = g->next;
        return g;
}
