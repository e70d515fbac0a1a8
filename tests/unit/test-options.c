/* SPDX-License-Identifier: Apache-2.0 */

#include "options.h"
#include "strv.h"
#include "test.h"
#include "verb-ticket.h"

typedef struct Common {
        bool json;
} Common;

typedef struct Own {
        const char *role;
        char **hosts, **keys;
        bool yes;
} Own;

static const Option common_table[] = {
                {"json", OPTION_BOOL, offsetof(Common, json), 0, NULL, "as JSON"},
                {0},
};

static const Option own_table[] = {
                {"role", OPTION_STRING, offsetof(Own, role), 'r', "ROLE", "a role"},
                {"host", OPTION_LIST, offsetof(Own, hosts), 'H', "PATTERN", "a host"},
                {"key", OPTION_LINES, offsetof(Own, keys), 0, "KEY", NULL},
                {"yes", OPTION_BOOL, offsetof(Own, yes), 'y', NULL, "yes"},
                {0},
};

static int parse(Common *common, Own *own, bool stop, int *ret_rest, char **argv) {
        OptionSet sets[2] = {{common_table, common}, {own_table, own}};
        int argc = 0;

        while (argv[argc])
                argc++;
        return options_parse(sets, argc, argv, stop, ret_rest);
}

#define ARGV(...)                                                                                                      \
        (char *[]) {                                                                                                   \
                (char *) "jitctl", __VA_ARGS__, NULL                                                                   \
        }

TEST(options_and_words_may_be_mixed) {
        Common common = {0};
        Own own = {0};
        OptionSet set = {own_table, &own};
        int rest = 0;
        char **argv = ARGV("ID", "--host", "a,b", "-r", "dba", "--json", "-Hc", "--key", "ssh-ed25519 AAAA a,b", "-y");

        CHECK_EQ_INT(parse(&common, &own, false, &rest, argv), 0);
        CHECK_STREQ(argv[rest], "ID");
        CHECK(!argv[rest + 1]);
        CHECK(common.json && own.yes);
        CHECK_STREQ(own.role, "dba");
        CHECK_EQ_INT(strv_length(own.hosts), 3);
        CHECK(strv_contains(own.hosts, "b") && strv_contains(own.hosts, "c"));
        CHECK_EQ_INT(strv_length(own.keys), 1);
        CHECK_STREQ(own.keys[0], "ssh-ed25519 AAAA a,b");
        options_done(&set);
        CHECK(!own.hosts && !own.keys);
}

TEST(words_can_end_the_options) {
        Common common = {0};
        Own own = {0};
        int rest = 0;

        CHECK_EQ_INT(parse(&common, &own, true, &rest, ARGV("--json", "list", "--yes")), 0);
        CHECK_EQ_INT(rest, 2);
        CHECK(common.json && !own.yes);
        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("--", "--yes")), 0);
        CHECK(!own.yes);
}

TEST(wrong_options_are_refused) {
        Common common = {0};
        Own own = {0};
        int rest = 0;

        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("--nonsense")), -EINVAL);
        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("-x")), -EINVAL);
        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("--role")), -EINVAL);
        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("--json=1")), -EINVAL);
}

TEST(empty_items_of_a_list_are_nothing) {
        Common common = {0};
        Own own = {0};
        OptionSet set = {own_table, &own};
        int rest = 0;

        CHECK_EQ_INT(parse(&common, &own, false, &rest, ARGV("--host", ",a,,")), 0);
        CHECK_EQ_INT(strv_length(own.hosts), 1);
        options_done(&set);
}

TEST(a_ticket_for_a_system) {
        NewOptions o = {0};
        Common common = {0};
        OptionSet sets[2] = {{common_table, &common}, {new_options, &o}};
        char **argv = ARGV("--provider", "rt", "--role=dba", "-H", "db1", "--for", "1h");
        int rest = 0;

        CHECK_EQ_INT(options_parse(sets, 8, argv, false, &rest), 0);
        CHECK_EQ_INT(rest, 8);
        CHECK_STREQ(o.provider, "rt");
        CHECK_STREQ(o.role, "dba");
        CHECK_STREQ(o.span, "1h");
        CHECK_EQ_INT(strv_length(o.hosts), 1);
        options_done(sets + 1);
}

/* The verb's own --help needs an example, and its table an end. */
TEST(every_verb_can_be_explained) {
        static const Verb *const all[] = {verbs_ticket,   verbs_grants, verbs_show,  verbs_explain,
                                          verbs_provider, verbs_policy, verbs_audit, verbs_check};

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                for (const Verb *v = all[i]; v->name; v++) {
                        if (!strstr(v->help, "xample") || !strstr(v->help, "jitctl") ||
                            v->help[strlen(v->help) - 1] != '\n' || v->max_args < v->min_args)
                                TEST_FAIL("%s", v->name);
                        for (const Option *o = v->options; o && o->name; o++)
                                if (o->offset >= v->options_size)
                                        TEST_FAIL("%s --%s", v->name, o->name);
                }
}

TEST(help_comes_from_the_table) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        options_print(own_table, f);
        (void) fclose(f);
        CHECK_STREQ(text, "  -r, --role ROLE             a role\n"
                          "  -H, --host PATTERN          a host\n"
                          "  -y, --yes                   yes\n");
        free(text);
}

TEST_MAIN
