/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>

#include "test-provider.h"

#include "../../jit-reaperd/approverd/providers/outbox-file.h"

#define ONE "[Request ticket]\nURL=@/tickets/{1}\nValue=id .id\n"
#define COMMENT "[Comment]\nMethod=POST\nURL=@/comments/{1}\nBody=comment.jq\n"
#define GRANT_A "00000000000000aa"
#define GRANT_B "00000000000000bb"

static Outbox *outbox;

static void outbox_begin(void) {
        CHECK_EQ_INT(outbox_new(&approver, test_folder, &outbox), 0);
        approver.outbox = outbox;
}

static void begin(const char *comment) {
        char rest[1024];

        (void) snprintf(rest, sizeof(rest), ONE "%s", comment);
        put_program("comment.jq",
                    "{kind: .event.kind, grant: .event.grant, who: .event.person, ticket, id: .values.id}");
        provider_begin("", rest, ".answers.ticket");
        outbox_begin();
}

static void end(void) {
        providers_end();
        outbox = outbox_free(outbox);
        (void) nftw(in_folder("outbox"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int comment(const char *grant, const char *kind, const char *ticket) {
        _cleanup_json_ json_t *event = json_pack("{s:s, s:s}", "ticket", ticket, "person", "alice");

        return outbox_put(outbox, "t", grant, kind, event);
}

static bool exists(const char *name) {
        char path[64];

        (void) snprintf(path, sizeof(path), "outbox/%s", name);
        return access(in_folder(path), F_OK) == 0;
}

static bool wait_for(const char *name) {
        uint64_t deadline = now_usec(CLOCK_BOOTTIME) + LONG_USEC;

        while (!exists(name) && now_usec(CLOCK_BOOTTIME) < deadline)
                run_for(10 * USEC_PER_MSEC);
        return exists(name);
}

static const char *body_of(const char *path, size_t i) {
        static char text[1024];
        _cleanup_json_ json_t *entry = logged(path, i);

        (void) snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(entry, "body")) ?: "(none)");
        return text;
}

TEST(written_once) {
        begin(COMMENT);
        route("{\"method\":\"POST\",\"path_re\":\"/comments/.*\",\"status\":201,\"text\":\"thanks\"}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "T-1"), 0);
        CHECK(exists(GRANT_A "-start.json"));
        CHECK_EQ_INT(outbox_waiting(outbox), 1);
        CHECK_EQ_INT(comment(GRANT_A, "start", "T-1"), 0); /* twice is once */
        CHECK_EQ_INT(outbox_waiting(outbox), 1);
        CHECK(wait_for(GRANT_A "-start.done"));
        CHECK_STREQ(body_of("/comments/1", 0),
                    "{\"kind\":\"start\",\"grant\":\"" GRANT_A "\",\"who\":\"alice\",\"ticket\":\"t-1\",\"id\":null}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "T-1"), 0); /* also later */
        CHECK_EQ_INT(outbox_waiting(outbox), 0);
        outbox = outbox_free(outbox);
        outbox_begin(); /* also by another process */
        CHECK_EQ_INT(comment(GRANT_A, "start", "T-1"), 0);
        outbox_kick(outbox);
        run_for(100 * USEC_PER_MSEC);
        CHECK_EQ_INT(asked("/comments/"), 1);
        end();
}

TEST(in_their_order) {
        begin(COMMENT);
        route("{\"method\":\"POST\",\"path_re\":\"/comments/.*\",\"delay\":0.05,\"json\":{}}");
        CHECK_EQ_INT(comment(GRANT_B, "start", "t-1"), 0);
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        CHECK_EQ_INT(comment(GRANT_A, "end", "t-1"), 0);
        CHECK_EQ_INT(comment(GRANT_B, "end", "t-1"), 0);
        outbox = outbox_free(outbox); /* and read back in it */
        outbox_begin();
        CHECK_EQ_INT(outbox_waiting(outbox), 4);
        CHECK(wait_for(GRANT_B "-end.done"));
        CHECK_EQ_INT(asked("/comments/"), 4);
        CHECK(strstr(body_of("/comments/1", 0), GRANT_B) && strstr(body_of("/comments/1", 0), "start"));
        CHECK(strstr(body_of("/comments/1", 1), GRANT_A) && strstr(body_of("/comments/1", 1), "start"));
        CHECK(strstr(body_of("/comments/1", 2), GRANT_A) && strstr(body_of("/comments/1", 2), "end"));
        CHECK(strstr(body_of("/comments/1", 3), GRANT_B) && strstr(body_of("/comments/1", 3), "end"));
        end();
}

/* Refused for now: it is sent again; the one behind it waits, another ticket's does not. */
TEST(tried_again) {
        begin(COMMENT);
        route("{\"method\":\"POST\",\"path\":\"/comments/1\",\"uses\":1,\"status\":503,\"text\":\"\"},"
              "{\"method\":\"POST\",\"path\":\"/comments/1\",\"uses\":1,\"status\":429,\"text\":\"\"},"
              "{\"method\":\"POST\",\"path_re\":\"/comments/.*\",\"json\":{}}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        CHECK_EQ_INT(comment(GRANT_A, "end", "t-1"), 0);
        for (int i = 0; i < 1000 && !exists(GRANT_A "-end.done"); i++) {
                run_for(20 * USEC_PER_MSEC);
                if (!exists(GRANT_A "-start.sent"))
                        outbox_kick(outbox); /* its own time would be 5 s, 10 s */
        }
        CHECK(exists(GRANT_A "-start.done") && exists(GRANT_A "-end.done"));
        CHECK(strstr(body_of("/comments/1", asked("/comments/1") - 1), "end"));
        end();
}

TEST(refused) {
        begin(COMMENT);
        route("{\"method\":\"POST\",\"path\":\"/comments/1\",\"status\":422,\"json\":{}}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        CHECK_EQ_INT(comment(GRANT_B, "start", "t-2"), 0); /* 404 */
        CHECK(wait_for(GRANT_A "-start.done") && wait_for(GRANT_B "-start.done"));
        outbox_kick(outbox);
        run_for(100 * USEC_PER_MSEC);
        CHECK_EQ_INT(asked("/comments/"), 2);
        end();
}

/* The connection breaks when the request is there: nobody knows. */
TEST(perhaps_written) {
        begin("[Comment]\nMethod=POST\nURL=@/hostile/reset\nBody=comment.jq\n");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        CHECK(wait_for(GRANT_A "-start.sent"));
        while (outbox_waiting(outbox) > 0)
                run_for(10 * USEC_PER_MSEC);
        CHECK(exists(GRANT_A "-start.sent"));
        outbox_kick(outbox);
        outbox = outbox_free(outbox);
        outbox_begin();
        CHECK_EQ_INT(outbox_waiting(outbox), 0);
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        outbox_kick(outbox);
        run_for(100 * USEC_PER_MSEC);
        CHECK_EQ_INT(asked("/hostile/reset"), 1);
        end();
}

/* A daemon that dies while one is being sent. */
TEST(killed_while_sending) {
        begin(COMMENT);
        route("{\"method\":\"POST\",\"path_re\":\"/comments/.*\",\"json\":{}}");
        tell(&server, "POST", "/hold", "{\"path\":\"/comments/1\"}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        while (asked("/comments/1") == 0)
                run_for(10 * USEC_PER_MSEC);
        CHECK(exists(GRANT_A "-start.sent"));
        outbox = outbox_free(outbox);
        tell(&server, "POST", "/release", "{\"path\":\"/comments/1\"}");
        outbox_begin();
        CHECK_EQ_INT(outbox_waiting(outbox), 0);
        run_for(100 * USEC_PER_MSEC);
        CHECK_EQ_INT(asked("/comments/1"), 1);
        end();
}

/* The provider goes while one waits for its login: it was not sent, and waits. */
TEST(not_sent_when_the_provider_goes) {
        put("secret", "s3cret\n");
        (void) setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
        begin(COMMENT "[Login]\nKind=oauth2\nCredential=secret\nTokenURL=@/oauth/token\nClientId=jit\n");
        route("{\"method\":\"POST\",\"path\":\"/oauth/token\",\"delay\":20,\"json\":{}}");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        CHECK(wait_for(GRANT_A "-start.sent"));
        provider_set_reload(approver.providers, true);
        CHECK(wait_for(GRANT_A "-start.json"));
        CHECK_EQ_INT(outbox_waiting(outbox), 1);
        CHECK_EQ_INT(asked("/comments/"), 0);
        end();
}

TEST(values_are_asked_for) {
        begin("[Comment]\nMethod=POST\nURL=@/comments/{id}\nBody=comment.jq\n");
        route("{\"path\":\"/tickets/1\",\"json\":{\"id\":\"sys42\"}},"
              "{\"method\":\"POST\",\"path\":\"/comments/sys42\",\"json\":{}}");
        CHECK_EQ_INT(comment(GRANT_A, "end", "t-1"), 0);
        CHECK(wait_for(GRANT_A "-end.done"));
        CHECK(strstr(body_of("/comments/sys42", 0), "\"id\":\"sys42\""));
        CHECK_EQ_INT(asked("/tickets/1"), 1);
        end();
}

TEST(no_provider) {
        begin("");
        CHECK_EQ_INT(comment(GRANT_A, "start", "t-1"), 0);
        run_for(100 * USEC_PER_MSEC);
        CHECK(exists(GRANT_A "-start.json"));
        CHECK_EQ_INT(outbox_waiting(outbox), 1);
        end();
}

TEST(what_is_none) {
        _cleanup_json_ json_t *event = json_pack("{s:s}", "ticket", "t-1"), *none = json_object();
        char *big = calloc(1, OUTBOX_TEXT_MAX + 1);

        begin(COMMENT);
        CHECK_EQ_INT(outbox_put(outbox, "t", "../../00000000aa", "start", event), -EINVAL);
        CHECK_EQ_INT(outbox_put(outbox, "t", "00", "start", event), -EINVAL);
        CHECK_EQ_INT(outbox_put(outbox, "t", GRANT_A, "starts", event), -EINVAL);
        CHECK_EQ_INT(outbox_put(outbox, "../t", GRANT_A, "start", event), -EINVAL);
        CHECK_EQ_INT(outbox_put(outbox, "t", GRANT_A, "start", none), -EINVAL);
        memset(big, 'a', OUTBOX_TEXT_MAX);
        (void) json_object_set_new(event, "reason", json_string(big));
        CHECK_EQ_INT(outbox_put(outbox, "t", GRANT_A, "start", event), -EINVAL);
        CHECK_EQ_INT(outbox_waiting(outbox), 0);
        free(big);
        end();
}

/* What is old goes; what is foreign stays, and hurts nobody. */
TEST(leftovers) {
        struct timespec old[2] = {{.tv_sec = time(NULL) - 8 * 24 * 3600}, {.tv_sec = time(NULL) - 8 * 24 * 3600}};
        Outbox *o;

        begin("");
        put("outbox/" GRANT_A "-start.done", "{}");
        put("outbox/" GRANT_A "-end.sent", "{}");
        put("outbox/" GRANT_B "-start.done", "{}");
        put("outbox/" GRANT_B "-end.json", "not json");
        put("outbox/README", "");
        put("outbox/." GRANT_B "-end.json.tmp", "");
        CHECK_EQ_INT(utimensat(AT_FDCWD, in_folder("outbox/" GRANT_A "-start.done"), old, 0), 0);
        CHECK_EQ_INT(utimensat(AT_FDCWD, in_folder("outbox/" GRANT_A "-end.sent"), old, 0), 0);
        CHECK_EQ_INT(outbox_new(&approver, test_folder, &o), 0);
        CHECK_EQ_INT(outbox_waiting(o), 0);
        CHECK(!exists(GRANT_A "-start.done") && !exists(GRANT_A "-end.sent"));
        CHECK(exists(GRANT_B "-start.done") && exists(GRANT_B "-end.json") && exists("README"));
        CHECK(!exists("." GRANT_B "-end.json.tmp"));
        outbox_free(o);
        end();
}

TEST_HTTP_MAIN("outbox")
