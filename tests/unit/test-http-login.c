/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/stat.h>

#include "http-login.h"
#include "http-token.h"
#include "test-http.h"

static TestServer server;

static void credential_write(const char *name, const char *content, size_t length) {
        const char *folder = in_folder("credentials");
        char path[160];
        _cleanup_close_ int fd = -1;

        (void) mkdir(folder, 0700);
        (void) setenv("CREDENTIALS_DIRECTORY", folder, 1);
        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        (void) unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
        if (fd < 0 || write(fd, content, length) != (ssize_t) length)
                abort();
}

static void credential_text(const char *name, const char *content) {
        credential_write(name, content, strlen(content));
}

TEST(credentials) {
        static const char *const bad[] = {"", ".", "..", "../token", ".hidden", "a/b", "a b", "tok\nen"};
        char *secret = NULL, *path = NULL, big[64 * 1024 + 1];

        credential_text("token", "s3cret\n\n");
        CHECK_EQ_INT(credential_load("token", &secret), 0);
        CHECK_STREQ(secret, "s3cret");
        secret = credential_free(secret);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                CHECK_EQ_INT(credential_load(bad[i], &secret), -EINVAL);
                CHECK_EQ_INT(credential_path(bad[i], &path), -EINVAL);
        }
        CHECK_EQ_INT(credential_load("missing", &secret), -ENOENT);
        credential_write("nul", "a\0b", 3);
        CHECK_EQ_INT(credential_load("nul", &secret), -EINVAL);
        memset(big, 'x', sizeof(big));
        credential_write("big", big, sizeof(big));
        CHECK_EQ_INT(credential_load("big", &secret), -EFBIG);
        CHECK_EQ_INT(credential_path("token", &path), 0);
        CHECK(path && strstr(path, "/credentials/token"));
        free(path);
        CHECK(!secret);
        (void) unsetenv("CREDENTIALS_DIRECTORY");
        CHECK_EQ_INT(credential_load("token", &secret), -ENOENT);
        CHECK_EQ_INT(credential_path("token", &path), -ENOENT);
}

/* ---- headers ---- */

typedef struct Header {
        bool done;
        unsigned times;
        ProviderResult result;
        char text[512], why[HTTP_WHY_MAX];
        HttpLogin *free_login;
} Header;

static void on_header(ProviderResult result, const char *header, const char *why, void *userdata) {
        Header *h = userdata;

        h->done = true;
        h->times++;
        h->result = result;
        (void) snprintf(h->text, sizeof(h->text), "%s", header ?: "");
        (void) snprintf(h->why, sizeof(h->why), "%s", why ?: "");
        CHECK((result == PROVIDER_OK) == !why);
        h->free_login = http_login_free(h->free_login);
}

static uint64_t soon(void) {
        return now_usec(CLOCK_BOOTTIME) + LONG_USEC;
}

static HttpLogin *login_of(HttpServer *s, const HttpLoginSettings *settings) {
        HttpLogin *l = NULL;

        CHECK_EQ_INT(http_login_new(s, settings, &l), 0);
        return l;
}

static void header_get(HttpLogin *l, Header *h) {
        *h = (Header){0};
        http_login_header(l, soon(), on_header, h);
        if (!run_until(&h->done))
                TEST_FAIL("no header");
}

TEST(fixed_headers) {
        static const struct {
                HttpLoginSettings settings;
                const char *content, *header; /* NULL: refused */
        } table[] = {
                        {{.kind = LOGIN_NONE}, "", ""},
                        {{.kind = LOGIN_BEARER, .credential = "c"},
                         "abc.DEF-_~+/==\n",
                         "Authorization: Bearer abc.DEF-_~+/=="},
                        {{.kind = LOGIN_BEARER, .credential = "c", .header = "token"},
                         "1-14-ab",
                         "Authorization: token 1-14-ab"},
                        {{.kind = LOGIN_BEARER, .credential = "c"}, "a b", NULL},
                        {{.kind = LOGIN_BEARER, .credential = "c"}, "a\nX: y", NULL},
                        {{.kind = LOGIN_BEARER, .credential = "c"}, "a=b", NULL},
                        {{.kind = LOGIN_BEARER, .credential = "c"}, "", NULL},
                        {{.kind = LOGIN_BASIC, .credential = "c"},
                         "jit:s3cret",
                         "Authorization: Basic aml0OnMzY3JldA=="},
                        {{.kind = LOGIN_BASIC, .credential = "c"}, "no-colon", NULL},
                        {{.kind = LOGIN_HEADER, .credential = "c", .header = "X-Api-Key"}, "k e y", "X-Api-Key: k e y"},
                        {{.kind = LOGIN_HEADER, .credential = "c", .header = "X-Api-Key"}, "k\r\ney", NULL},
                        {{.kind = LOGIN_HEADER, .credential = "missing", .header = "X-Api-Key"}, "", NULL},
        };
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                HttpLogin *l = login_of(s, &table[i].settings);
                Header h;

                credential_text("c", table[i].content);
                header_get(l, &h);
                CHECK_EQ_INT(h.result, table[i].header ? PROVIDER_OK : PROVIDER_LOGIN);
                CHECK_STREQ(h.text, table[i].header ?: "");
                CHECK(!http_login_forget(l, soon())); /* asking again brings the same */
                http_login_free(l);
        }
        http_server_free(s);
}

/* ---- OAuth2 ---- */

static HttpLogin *oauth_login(HttpServer *s) {
        HttpLoginSettings settings = {.kind = LOGIN_OAUTH2,
                                      .credential = "secret",
                                      .client_id = "jit",
                                      .scope = "tickets:read notes",
                                      .token_url = url_of(&server, "/oauth/token")};

        credential_text("secret", "s3cret\n");
        tell(&server, "POST", "/token", "{}");
        return login_of(s, &settings);
}

TEST(token_is_fetched_once) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpLogin *l = oauth_login(s);
        _cleanup_json_ json_t *log = NULL;
        const char *body;
        Header all[50] = {0}, again;

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                http_login_header(l, soon(), on_header, &all[i]);
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                CHECK(run_until(&all[i].done));
                CHECK_EQ_INT(all[i].result, PROVIDER_OK);
                CHECK_STREQ(all[i].text, all[0].text);
        }
        CHECK(strncmp(all[0].text, "Authorization: Bearer t-", 24) == 0);
        header_get(l, &again);
        CHECK_STREQ(again.text, all[0].text);
        CHECK_EQ_INT(stat_of(&server, "tokens"), 1);
        log = control(&server, "GET", "/log", "");
        body = json_string_value(json_object_get(json_array_get(log, 0), "body"));
        CHECK_STREQ(body, "grant_type=client_credentials&scope=tickets%3Aread+notes");
        http_login_free(l);
        http_server_free(s);
}

/* Kept until 30 s before its end. */
TEST(short_tokens_are_fetched_anew) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpLogin *l = oauth_login(s);
        Header first, second;

        tell(&server, "POST", "/token", "{\"expires_in\":30}");
        header_get(l, &first);
        header_get(l, &second);
        CHECK_EQ_INT(second.result, PROVIDER_OK);
        CHECK(!streq(first.text, second.text));
        CHECK_EQ_INT(stat_of(&server, "tokens"), 2);
        tell(&server, "POST", "/token", "{\"expires_in\":3600}");
        header_get(l, &first);
        header_get(l, &second);
        CHECK_STREQ(first.text, second.text);
        CHECK_EQ_INT(stat_of(&server, "tokens"), 3);
        http_login_free(l);
        http_server_free(s);
}

static unsigned ask_with(HttpServer *s, const Header *header) {
        char *headers[] = {(char *) header->text, NULL};
        HttpRequest r = get_of(url_of(&server, "/protected"));
        unsigned status;
        Heard h;

        r.headers = headers;
        ask(s, &r, &h);
        status = h.answer.status;
        heard_clear(&h);
        return status;
}

TEST(a_token_is_revoked) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpLogin *l = oauth_login(s);
        uint64_t handed;
        Header h;

        tell(&server, "POST", "/routes",
             "{\"routes\":[{\"path\":\"/protected\",\"require\":{\"oauth\":true},\"json\":{}}]}");
        header_get(l, &h);
        handed = now_usec(CLOCK_BOOTTIME);
        CHECK_EQ_INT(ask_with(s, &h), 200);
        tell(&server, "POST", "/revoke-tokens", "");
        CHECK_EQ_INT(ask_with(s, &h), 401);
        CHECK(http_login_forget(l, handed));
        header_get(l, &h);
        CHECK_EQ_INT(ask_with(s, &h), 200);
        CHECK_EQ_INT(stat_of(&server, "tokens"), 2);
        /* Others had the old one too, and hear of it later: the new one stays. */
        CHECK(http_login_forget(l, handed));
        header_get(l, &h);
        CHECK_EQ_INT(stat_of(&server, "tokens"), 2);
        http_login_free(l);
        http_server_free(s);
}

TEST(answers_that_are_no_token) {
        static const struct {
                const char *answer;
                ProviderResult result;
        } table[] = {
                        {"{\"status\":401,\"json\":{\"error\":\"invalid_client\"}}", PROVIDER_LOGIN},
                        {"{\"status\":400,\"json\":{\"error\":\"invalid_scope\"}}", PROVIDER_LOGIN},
                        {"{\"status\":404}", PROVIDER_LOGIN},
                        {"{\"status\":500}", PROVIDER_UNREACHABLE},
                        {"{\"status\":429}", PROVIDER_LIMIT},
                        {"{\"expires_in\":0}", PROVIDER_LOGIN},
                        {"{\"expires_in\":-1}", PROVIDER_LOGIN},
                        {"{\"expires_in\":\"3600\"}", PROVIDER_LOGIN},
                        {"{\"expires_in\":99999999999}", PROVIDER_LOGIN},
                        {"{\"json\":{\"access_token\":null}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"access_token\":\"\"}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"access_token\":\"a b\"}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"access_token\":\"a\\r\\nX: y\"}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"access_token\":7}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"token_type\":\"mac\"}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"token_type\":null}}", PROVIDER_LOGIN},
                        {"{\"json\":{\"token_type\":\"bearer\",\"id_token\":{\"a\":1}}}",
                         PROVIDER_OK}, /* more is ignored */
                        {"{\"expires_in\":null}", PROVIDER_OK},
        };
        HttpServerSettings settings = settings_default();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                HttpServer *s = server_of(&settings);
                HttpLogin *l = oauth_login(s);
                Header h;

                tell(&server, "POST", "/token", table[i].answer);
                header_get(l, &h);
                if (h.result != table[i].result)
                        TEST_FAIL("%s: result %d (%s)", table[i].answer, (int) h.result, h.why);
                CHECK((h.text[0] != '\0') == (table[i].result == PROVIDER_OK));
                http_login_free(l);
                http_server_free(s);
        }
}

TEST(a_wrong_secret_is_read_anew) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpLogin *l = oauth_login(s);
        Header h;

        credential_text("secret", "wrong");
        header_get(l, &h);
        CHECK_EQ_INT(h.result, PROVIDER_LOGIN);
        CHECK(!strstr(h.why, "wrong"));
        credential_text("secret", "s3cret");
        header_get(l, &h);
        CHECK_EQ_INT(h.result, PROVIDER_OK);
        http_login_free(l);
        http_server_free(s);
}

TEST(who_waits_may_go) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpLogin *l = oauth_login(s);
        Header gone = {0}, stays = {0}, freed = {0}, last = {0};

        http_login_header(l, soon(), on_header, &gone);
        http_login_header(l, soon(), on_header, &stays);
        http_login_cancel(l, &gone);
        CHECK(run_until(&stays.done));
        CHECK_EQ_INT(stays.result, PROVIDER_OK);
        CHECK(!gone.done);
        CHECK(http_login_forget(l, soon()));

        /* The first one's callback frees the login: the others are told. */
        freed.free_login = l;
        http_login_header(l, soon(), on_header, &freed);
        http_login_header(l, soon(), on_header, &last);
        CHECK(run_until(&last.done));
        CHECK_EQ_INT(freed.result, PROVIDER_OK);
        CHECK_EQ_INT(last.result, PROVIDER_CANCELED);
        CHECK_EQ_INT(last.times, 1);

        l = oauth_login(s);
        last = (Header){0};
        http_login_header(l, soon(), on_header, &last);
        http_login_free(l);
        CHECK_EQ_INT(last.result, PROVIDER_CANCELED);

        /* The server goes first. */
        l = oauth_login(s);
        last = (Header){0};
        http_login_header(l, soon(), on_header, &last);
        http_server_free(s);
        CHECK_EQ_INT(last.result, PROVIDER_CANCELED);
        http_login_free(l);
}

TEST_HTTP_MAIN("http_login")
