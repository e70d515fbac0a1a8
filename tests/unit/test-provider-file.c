/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file-io.h"
#include "provider-file.h"
#include "test.h"

static char folder[] = "/tmp/test-provider-file.XXXXXX";

static void file_write(const char *name, const char *text, mode_t mode) {
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
                TEST_FAIL("%s: %s", path, strerror(errno));
        closep(&fd);
}

__attribute__((constructor)) static void folder_make(void) {
        if (!mkdtemp(folder))
                abort();
        file_write("t.jq", ".", 0644);
        file_write("body.jq", "{a: .ticket, known: .knownow}", 0644);
        file_write("clock.jq", "{a: (now)}", 0644);
        file_write("broken.jq", "{a: ", 0644);
        file_write("open.jq", ".", 0666);
        char path[256];
        (void) snprintf(path, sizeof(path), "%s/link.jq", folder);
        if (symlink("t.jq", path) < 0)
                abort();
}

__attribute__((destructor)) static void folder_remove(void) {
        DIR *d = opendir(folder);

        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
                if (e->d_name[0] != '.')
                        (void) unlinkat(dirfd(d), e->d_name, 0);
        if (d)
                (void) closedir(d);
        (void) rmdir(folder);
}

static int parse_as(const char *name, const char *text, ProviderFile **ret, char *ret_why) {
        ret_why[0] = '\0';
        return provider_file_parse(folder, name, text, strlen(text), ret, ret_why);
}

static ProviderFile *parse_good(const char *text) {
        char why[PROVIDER_WHY_MAX];
        ProviderFile *f = NULL;

        if (parse_as("t", text, &f, why) < 0)
                TEST_FAIL("refused: %s\n%s", why, text);
        return f;
}

/* part: "LINE: what", where LINE is "-" for a message without one. */
static void check_refused(const char *text, const char *part) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = NULL;
        char why[PROVIDER_WHY_MAX], start[320];
        const char *colon = strchr(part, ':');

        if (parse_as("t", text, &f, why) != -EBADMSG || f) {
                TEST_FAIL("taken:\n%s", text);
                return;
        }
        if (part[0] == '-')
                (void) snprintf(start, sizeof(start), "%s/t.conf: ", folder);
        else
                (void) snprintf(start, sizeof(start), "%s/t.conf:%.*s: ", folder, (int) (colon - part), part);
        if (strncmp(why, start, strlen(start)) != 0 || !strstr(why + strlen(start), colon + 2))
                TEST_FAIL("\"%s\" is not \"%s\" with \"%s\":\n%s", why, start, colon + 2, text);
}

typedef struct Case {
        const char *text, *part;
} Case;

static void check_all_refused(const Case *cases, size_t n) {
        for (size_t i = 0; i < n; i++)
                check_refused(cases[i].text, cases[i].part);
}

#define HEAD "[Provider]\nKind=http\nTicket=chg([0-9]{7})\n" /* lines 1 to 3 */
#define ONE "[Request one]\nURL=https://h/x/{1}\n"           /* two lines */
#define P HEAD ONE
#define POLICY "[Provider]\nKind=policy\n[Request ask]\nMethod=POST\nBody=body.jq\nURL=https://h/v1/data/jit\n"

TEST(defaults) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = parse_good(P);

        if (!f)
                return;
        CHECK_STREQ(f->name, "t");
        CHECK_EQ_INT(f->kind, PROVIDER_FILE_TICKETS);
        CHECK_EQ_INT(f->timeout_usec, 8 * USEC_PER_SEC);
        CHECK_EQ_INT(f->cache_usec, 2 * USEC_PER_SEC);
        CHECK_EQ_INT(f->negative_usec, 10 * USEC_PER_SEC);
        CHECK_EQ_INT(f->recheck_usec, 15 * USEC_PER_SEC);
        CHECK_EQ_INT(f->grace_usec, 10 * USEC_PER_MINUTE);
        CHECK_EQ_INT(f->connections_max, 8);
        CHECK_EQ_INT(f->queue_max, 256);
        CHECK_EQ_INT(f->rate_per_sec, 50);
        CHECK_EQ_INT(f->rate_burst, 100);
        CHECK(!f->allow_plain && !f->context && !f->upper && !f->unsigned_answers && !f->uses_now);
        CHECK_EQ_INT(f->login, LOGIN_NONE);
        CHECK(!f->ca_file && !f->proxy && !f->pinned_key && !f->stream && !f->comment && !f->create && f->program);
        CHECK_EQ_INT(f->n_requests, 1);
        CHECK_STREQ(f->requests[0].name, "one");
        CHECK_STREQ(f->requests[0].method, "GET");
        CHECK(f->requests[0].safe && !f->requests[0].body && !f->requests[0].each);
        CHECK(f->requests[0].null_statuses && f->requests[0].null_statuses[0] == 404 &&
              f->requests[0].null_statuses[1] == 0);
}

static const char everything[] = "# a comment\n"
                                 "[Provider]\nKind=http\nTicket=(chg)([0-9]{7})\nUpper=yes\nProgram=clock.jq\n"
                                 "TimeoutSec=1s\nCacheSec=0\nNegativeCacheSec=5min\nRecheckSec=1s\nGraceSec=1d\n"
                                 "[Server]\nCAFile=/etc/ssl/our.pem\n"
                                 "PinnedKey=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;sha256//"
                                 "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB+/=\n"
                                 "ClientCertificate=our.crt\nClientKey=our.key\nProxy=http://proxy.example:3128\n"
                                 "ConnectionsMax=64\nQueueMax=1\nRatePerSec=1000\nRateBurst=1\nAllowPlain=yes\n"
                                 "[Login]\nKind=oauth2\nCredential=secret\nTokenURL=https://login.example/token\n"
                                 "ClientId=jit\nScope=read write\n"
                                 "[Request first]\nURL=http://127.0.0.1:8080/q/{2}\nQuery=fields[Queue]=Name\n"
                                 "Query=q=number={ticket}^x={host}\nQuery=include[]=a\nQuery=include[]=b\n"
                                 "Query=empty=\nHeader=X-Ticket: {1}-{2}\nNullStatus=404 410\n"
                                 "Value=sys_id .result[0].sys_id\nValue=all [.result[].id]\n"
                                 "[Request second]\nURL=http://127.0.0.1:8080/{all}/{sys_id}\nForEach=all\n"
                                 "NullStatus=none\nSafe=no\n"
                                 "[Request third]\nMethod=POST\nBody=body.jq\nSafe=yes\nURL=http://127.0.0.1:8080/\n"
                                 "[Stream]\nURL=http://127.0.0.1:8080/events?h={host}\nKind=poll\nTicket=.ticket\n"
                                 "[Comment]\nMethod=PATCH\nURL=http://127.0.0.1:8080/{sys_id}\nBody=body.jq\n"
                                 "[Create]\nURL=http://127.0.0.1:8080/new\nBody=body.jq\nTicket=.number\n";

TEST(everything_that_can_be_said) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = parse_good(everything);

        if (!f)
                return;
        CHECK(f->upper && f->allow_plain && f->uses_now);
        CHECK_EQ_INT(f->timeout_usec, USEC_PER_SEC);
        CHECK_EQ_INT(f->cache_usec, 0);
        CHECK_EQ_INT(f->grace_usec, 24 * USEC_PER_HOUR);
        CHECK_STREQ(f->proxy, "http://proxy.example:3128");
        CHECK_STREQ(f->client_key, "our.key");
        CHECK_EQ_INT(f->login, LOGIN_OAUTH2);
        CHECK_STREQ(f->token_url, "https://login.example/token");
        CHECK_STREQ(f->scope, "read write");
        CHECK_EQ_INT(f->n_requests, 3);

        const ProviderRequest *q = f->requests;
        CHECK_EQ_INT(q[0].n_queries, 5);
        CHECK_STREQ(q[0].queries[0].name, "fields%5BQueue%5D");
        CHECK_STREQ(q[0].queries[2].name, "include%5B%5D");
        CHECK_EQ_INT(q[0].n_headers, 1);
        CHECK_STREQ(q[0].headers[0].name, "X-Ticket");
        CHECK(q[0].null_statuses[0] == 404 && q[0].null_statuses[1] == 410 && q[0].null_statuses[2] == 0);
        CHECK_EQ_INT(q[0].n_values, 2);
        CHECK_STREQ(q[0].values[1].name, "all");
        CHECK_STREQ(q[1].each, "all");
        CHECK(!q[1].safe && (!q[1].null_statuses || q[1].null_statuses[0] == 0));
        CHECK(q[2].safe && q[2].body);
        CHECK(f->stream && f->stream->ticket && f->stream_kind == STREAM_POLL && f->stream->safe);
        CHECK(f->comment && f->comment->body && !f->comment->safe);
        CHECK_STREQ(f->comment ? f->comment->method : NULL, "PATCH");
        CHECK(f->create && f->create->ticket && !f->create->safe);
        CHECK_STREQ(f->create ? f->create->method : NULL, "POST");
}

TEST(filled_query) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = parse_good(everything);
        const TemplateValue values[] = {{"ticket", "CHG0012345"}, {"host", "db1"}, {}};
        char why[TEMPLATE_WHY_MAX] = "";
        _cleanup_free_ char *filled = NULL;

        CHECK(f && url_template_fill(f->requests[0].queries[1].value, values, &filled, why) == 0);
        CHECK_STREQ(filled, "number%3DCHG0012345%5Ex%3Ddb1");
}

TEST(policies) {
        JIT_CLEANUP(provider_file_freep)
        ProviderFile *f = parse_good(POLICY "Query=h={host}\n[Login]\nKind=bearer\nCredential=opa\n");

        CHECK(f && f->kind == PROVIDER_FILE_POLICY && !f->has_pattern && !f->requests[0].null_statuses);
        CHECK(f && !f->requests[0].safe && f->requests[0].body);
        static const Case cases[] = {
                        {POLICY "Query=t={ticket}\n", "7: Query=: {ticket} is not known there; what is: {host}"},
                        {POLICY "Value=a .x\n", "7: Value=: means nothing"},
                        {POLICY "[Request b]\nURL=https://h/\n", "7: Kind=policy has one request only"},
                        {POLICY "[Comment]\nURL=https://h/\nBody=body.jq\n", "7: [Comment] means nothing"},
                        {POLICY "[Stream]\nURL=https://h/\nTicket=.\n", "7: [Stream] means nothing"},
                        {POLICY "[Answer]\nUnsigned=yes\n", "8: Unsigned=: means nothing"},
                        {"[Provider]\nTicket=a\nKind=policy\n" ONE, "2: Ticket=: means nothing"},
                        {"[Provider]\nKind=policy\nGraceSec=1min\n" ONE, "3: GraceSec=: means nothing"},
                        {"[Provider]\nKind=policy\n", "-: needs a request"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

TEST(wrong_forms) {
        static const Case cases[] = {
                        {"", "-: needs Kind="},
                        {"Kind=http\n", "1: stands before the first"},
                        {"[Provider]\nKind=http\n", "1: needs Ticket="},
                        {"[Provider]\nTicket=a\n", "1: needs Kind="},
                        {"[Provider]\nKind=signed\n", "2: must be http or policy"},
                        {HEAD, "-: needs a request: [Request NAME]"},
                        {P "[Other]\nA=b\n", "7: unknown section [Other]"},
                        {P "[Request]\nA=b\n", "7: unknown section [Request]"},
                        {P "[Provider]\nUpper=yes\n", "7: [Provider]: stands twice"},
                        {P "[Server]\nCAFile=/a\n[Request one]\nQuery=a=b\n", "9: [Request one]: stands twice"},
                        {P "[Comment]\n", "6: [Comment] has no keys"},
                        {P "[Request two]\n\n# nothing\n[Server]\nQueueMax=1\n", "6: [Request two] has no keys"},
                        {P "[Typo]\n", "6: [Typo] has no keys"},
                        {HEAD "Colour=red\n" ONE, "4: Colour=: unknown key in section [Provider]"},
                        {HEAD "Kind=http\n" ONE, "4: Kind=: set twice"},
                        {HEAD "Upper=\n" ONE, "4: Upper=: has no value"},
                        {P "URL=https://h/\n", "6: URL=: set twice in section [Request one]"},
                        {P "Colour=red\n", "6: Colour=: unknown key in section [Request one]"},
                        {P "Ticket=.\n", "6: Ticket=: unknown key"},
                        {P "[Stream]\nBody=body.jq\n", "7: Body=: unknown key in section [Stream]"},
                        {P "[Comment]\nSafe=yes\n", "7: Safe=: unknown key in section [Comment]"},
                        {P "[Request Two]\nURL=https://h/\n", "7: a request's name is of a-z"},
                        {P "[Request two ]\nURL=https://h/\n", "7: a request's name is of a-z"},
                        {P "[Request abcdefghijklmnopqrstuvwxyz1234567]\nURL=https://h/\n", "7: a request's name"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

#define PATTERN(p) "[Provider]\nKind=http\nTicket=" p "\n[Request one]\nURL=https://h/x\n"

TEST(wrong_patterns) {
        static const Case cases[] = {
                        {PATTERN("CHG[0-9]+"), "3: Ticket=: \"CHG[0-9]+\" has capitals"},
                        {PATTERN("chg\\d+"), "3: has a character other than"},
                        {PATTERN("(a)\\1"), "3: has a character other than"},
                        {PATTERN("a b"), "3: has a character other than"},
                        {PATTERN("a)|(b"), "3: is no regular expression"},
                        {PATTERN("(a"), "3: is no regular expression"},
                        {PATTERN("[a"), "3: is no regular expression"},
                        {PATTERN("[[:foo:]]"), "3: is no regular expression"},
                        {PATTERN("a*"), "3: matches the empty text"},
                        {PATTERN("a|"), "3: matches the empty text"},
                        {PATTERN("(chg)?"), "3: matches the empty text"},
                        {PATTERN("a{28}"), "3: numbers up to 27"},
                        {PATTERN("a{1,99999}"), "3: numbers up to 27"},
                        {PATTERN("a{,5}"), "3: numbers up to 27"},
                        {PATTERN("a{x}"), "3: numbers up to 27"},
                        {PATTERN("a{1"), "3: numbers up to 27"},
                        {PATTERN("(ab){2}"), "3: does not follow a character"},
                        {PATTERN("a{9}{9}"), "3: a repetition of a repetition"},
                        {PATTERN("a++++++++++++++++++++++++++++++++"), "3: a repetition of a repetition"},
                        {PATTERN("((((((((a+)+)+)+)+)+)+)+"), "3: more than two parts in parentheses with '+'"},
                        {PATTERN("((((((((((((((((((((a)*)*)*)*"), "3: more than 9 parts"},
                        {PATTERN("+a"), "3: does not follow a character"},
                        {PATTERN("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)"), "3: more than 9"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

static void check_match(const char *pattern, bool upper, const char *ticket, const char *expected) {
        char text[512], found[512] = "";
        ProviderMatch m = {};

        (void) snprintf(text, sizeof(text),
                        "[Provider]\nKind=http\nTicket=%s\nUpper=%s\n[Request one]\nURL=https://h/x\n", pattern,
                        upper ? "yes" : "no");
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = parse_good(text);
        if (!f)
                return;
        int r = provider_file_match(f, ticket, &m);
        if (r == 0)
                for (size_t i = 0, n = 0; i < m.n; i++)
                        n += (size_t) snprintf(found + n, sizeof(found) - n, "%s%s", i ? "," : "", m.text[i]);
        if (r != (expected ? 0 : -ENOENT) || !streq(found, expected ? expected : ""))
                TEST_FAIL("%s of %s: %d \"%s\"", ticket, pattern, r, found);
}

TEST(matches) {
        check_match("chg[0-9]{7}", false, "chg0012345", "chg0012345");
        check_match("chg([0-9]{7})", true, "chg0012345", "CHG0012345,0012345");
        check_match("chg([0-9]{7})", true, "CHG0012345", "CHG0012345,0012345");
        check_match("([a-z]{2,10})-([0-9]+)", true, "ops-123", "OPS-123,OPS,123");
        check_match("gl-([0-9]+)-([0-9]+)", false, "gl-7-99", "gl-7-99,7,99");
        check_match("rt([1-9][0-9]{0,8})", false, "rt017", NULL);
        check_match("a(b)?c", false, "ac", "ac,");
        check_match("(a)(b)(c)(d)(e)(f)(g)(h)(i)", false, "abcdefghi", "abcdefghi,a,b,c,d,e,f,g,h,i");
        /* the whole ticket, whatever the pattern is */
        check_match("a|b", false, "ab", NULL);
        check_match("a|b", false, "xb", NULL);
        check_match("a|b", false, "b", "b");
        check_match("rt1", false, "rt12", NULL);
        check_match("rt1", false, "xrt1", NULL);
        check_match(".+", false, "a--b", NULL);
        check_match(".+", false, "a/b", NULL);
        check_match(".+", false, "", NULL);
        check_match(".+", false, "abcdefghijklmnopqrstuvwxyz1", "abcdefghijklmnopqrstuvwxyz1");
        check_match(".+", false, "abcdefghijklmnopqrstuvwxyz12", NULL);
}

TEST(wrong_settings) {
        static const Case cases[] = {
                        {HEAD "Upper=maybe\n" ONE, "4: Upper=: must be yes or no, not \"maybe\""},
                        {HEAD "TimeoutSec=31s\n" ONE, "4: TimeoutSec=: must be a time span from 1s to 30s"},
                        {HEAD "TimeoutSec=0\n" ONE, "4: TimeoutSec=: must be"},
                        {HEAD "CacheSec=61\n" ONE, "4: CacheSec=: must be"},
                        {HEAD "CacheSec=-1\n" ONE, "4: CacheSec=: must be"},
                        {HEAD "CacheSec=20s\n" ONE, "4: CacheSec=: CacheSec= must not be longer than RecheckSec="},
                        {HEAD "RecheckSec=1s\n" ONE, "4: RecheckSec=: CacheSec= must not be longer"},
                        {HEAD "NegativeCacheSec=6min\n" ONE, "4: NegativeCacheSec=: must be"},
                        {HEAD "RecheckSec=11min\n" ONE, "4: RecheckSec=: must be"},
                        {HEAD "GraceSec=2d\n" ONE, "4: GraceSec=: must be"},
                        {HEAD "Context=yes\n" ONE, "4: Context=: needs a request with Body="},
                        {HEAD "Program=../t.jq\n" ONE, "4: Program=: must be NAME.jq"},
                        {HEAD "Program=/etc/t.jq\n" ONE, "4: Program=: must be NAME.jq"},
                        {HEAD "Program=.jq\n" ONE, "4: Program=: must be NAME.jq"},
                        {HEAD "Program=t.conf\n" ONE, "4: Program=: must be NAME.jq"},
                        {HEAD "Program=none.jq\n" ONE, "4: Program=: none.jq does not exist"},
                        {HEAD "Program=broken.jq\n" ONE, "4: Program=: broken.jq: "},
                        {HEAD "Program=open.jq\n" ONE, "4: Program=: open.jq must belong to root"},
                        {HEAD "Program=link.jq\n" ONE, "4: Program=: link.jq is a symbolic link"},
                        {P "[Server]\nCAFile=ca.pem\n", "7: CAFile=: must be the absolute path"},
                        {P "[Server]\nPinnedKey=sha256//AAA=\n", "7: PinnedKey=: must be sha256//"},
                        {P "[Server]\nPinnedKey=/etc/key.pem\n", "7: PinnedKey=: must be sha256//"},
                        {P "[Server]\nClientCertificate=/etc/a.pem\n",
                         "7: ClientCertificate=: must be the name of a credential"},
                        {P "[Server]\nClientKey=our.key\n", "7: ClientKey=: needs ClientCertificate="},
                        {P "[Server]\nProxy=socks5://h:1\n", "7: Proxy=: must be http://HOST:PORT"},
                        {P "[Server]\nProxy=http://u:p@h:1\n", "7: Proxy=: must be http://HOST:PORT"},
                        {P "[Server]\nProxy=http://h:1/x\n", "7: Proxy=: must be http://HOST:PORT"},
                        {P "[Server]\nConnectionsMax=65\n", "7: ConnectionsMax=: must be a number from 1 to 64"},
                        {P "[Server]\nConnectionsMax=0\n", "7: ConnectionsMax=: must be"},
                        {P "[Server]\nQueueMax=4097\n", "7: QueueMax=: must be"},
                        {P "[Server]\nRatePerSec=1001\n", "7: RatePerSec=: must be"},
                        {P "[Server]\nRateBurst=many\n", "7: RateBurst=: must be"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

TEST(wrong_logins) {
        static const Case cases[] = {
                        {P "[Login]\nKind=digest\n", "7: Kind=: must be none, bearer, basic, header or oauth2"},
                        {P "[Login]\nCredential=a\n", "7: Credential=: means nothing with Kind=none"},
                        {P "[Login]\nKind=bearer\n", "6: [Login] needs Credential= with Kind=bearer"},
                        {P "[Login]\nKind=basic\n", "6: [Login] needs Credential= with Kind=basic"},
                        {P "[Login]\nKind=basic\nCredential=a\nHeader=X\n",
                         "9: Header=: means nothing with Kind=basic"},
                        {P "[Login]\nKind=header\nCredential=a\n", "6: [Login] needs Header= with Kind=header"},
                        {P "[Login]\nKind=header\nHeader=X-Key\n", "6: [Login] needs Credential= with Kind=header"},
                        {P "[Login]\nKind=header\nCredential=a\nHeader=X Key\n", "9: Header=: must be one word"},
                        {P "[Login]\nKind=header\nCredential=a\nHeader=content-length\n",
                         "9: Header=: \"content-length\" cannot be set"},
                        {P "[Login]\nKind=bearer\nCredential=../shadow\n",
                         "8: Credential=: must be the name of a credential"},
                        {P "[Login]\nKind=bearer\nCredential=.a\n", "8: Credential=: must be the name of a credential"},
                        {P "[Login]\nKind=oauth2\nCredential=a\nClientId=b\n", "6: [Login] needs TokenURL="},
                        {P "[Login]\nKind=oauth2\nCredential=a\nTokenURL=https://h/\n", "6: [Login] needs ClientId="},
                        {P "[Login]\nKind=oauth2\nTokenURL=https://h/\nClientId=b\n", "6: [Login] needs Credential="},
                        {P "[Login]\nKind=oauth2\nCredential=a\nTokenURL=http://h/\nClientId=b\n",
                         "9: TokenURL=: must start with https://"},
                        {P "[Login]\nKind=oauth2\nCredential=a\nTokenURL=https://h/{1}\nClientId=b\n",
                         "9: TokenURL=: must be an https URL"},
                        {HEAD ONE "Header=X-Key: a\n[Login]\nKind=header\nHeader=x-key\nCredential=a\n",
                         "6: Header=: \"X-Key\" is set by [Login]"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

#define MANY(line) line line line line line line line line line
#define R HEAD "[Request one]\n" /* four lines */

TEST(wrong_requests) {
        static const Case cases[] = {
                        {R "Query=a=b\n", "4: [Request one] needs URL="},
                        {R "URL=http://h/\n", "5: URL=: must start with https://"},
                        {R "URL=http://10.0.0.1/\n[Server]\nAllowPlain=yes\n",
                         "5: URL=: must start with https://: AllowPlain=yes is for"},
                        {R "URL=https://{host}/\n", "5: URL=: \"https://{host}/\" has a name in its host"},
                        {R "URL=https://h/{2}\n", "5: URL=: {2} is not known there; what is: {host} {ticket} {1}"},
                        {R "URL=https://h/{sys_id}\n", "5: URL=: {sys_id} is not known there"},
                        {R "URL=https://h/{a}\nValue=a .a\n", "5: URL=: {a} is not known there"},
                        {P "Query=a={1}\nQuery=b={c}\n", "7: Query=: {c} is not known there"},
                        {P "Header=X-A: {1}\nHeader=X-B: {c}\n", "7: Header=: {c} is not known there"},
                        {P "Query=abc\n", "6: Query=: must be NAME=TEXT"},
                        {P "Query==abc\n", "6: Query=: must be NAME=TEXT"},
                        {P "Query=a&b=c\n", "6: Query=: the name \"a&b\" has"},
                        {P "Query={1}=c\n", "6: Query=: the name \"{1}\" has"},
                        {P "Query=a={b\n", "6: Query=: \"{b\" has a name without an end"},
                        {P MANY("Query=a=b\n") MANY("Query=a=b\n"), "22: Query=: is one too many: at most 16"},
                        {P "Header=Authorization: x\n", "6: Header=: \"Authorization\" cannot be set"},
                        {P "Header=host: x\n", "6: Header=: \"host\" cannot be set"},
                        {P "Header=CONTENT-LENGTH: 5\n", "6: Header=: \"CONTENT-LENGTH\" cannot be set"},
                        {P "Header=Transfer-Encoding: chunked\n", "6: Header=: \"Transfer-Encoding\" cannot be set"},
                        {P "Header=Connection: close\n", "6: Header=: \"Connection\" cannot be set"},
                        {P "Header=Proxy-Authorization: x\n", "6: Header=: \"Proxy-Authorization\" cannot be set"},
                        {P "Header=Accept-Encoding: gzip\n", "6: Header=: \"Accept-Encoding\" cannot be set"},
                        {P "Header=Range: bytes=0-1\n", "6: Header=: \"Range\" cannot be set"},
                        {P "Header=X Y: close\n", "6: Header=: must be NAME: TEXT"},
                        {P "Header=X-Y\n", "6: Header=: must be NAME: TEXT"},
                        {P "Header=: x\n", "6: Header=: must be NAME: TEXT"},
                        {P "Header=X-Y:\n", "6: Header=: \"\" is empty"},
                        {P "Header=A: x\nHeader=a: y\n", "7: Header=: \"a\" is set twice"},
                        {P "Method=DELETE\n", "6: Method=: must be GET, POST, PUT or PATCH, not \"DELETE\""},
                        {P "Method=get\n", "6: Method=: must be GET"},
                        {P "Body=body.jq\n", "6: Body=: needs Method=POST, PUT or PATCH"},
                        {P "Method=POST\nBody=sub/body.jq\n", "7: Body=: must be NAME.jq"},
                        {P "Method=POST\nBody=none.jq\n", "7: Body=: none.jq does not exist"},
                        {P "Method=POST\nBody=broken.jq\n", "7: Body=: broken.jq: "},
                        {P "NullStatus=500\n", "6: NullStatus=: must be none, or at most 8"},
                        {P "NullStatus=404 403\n", "6: NullStatus=: must be none"},
                        {P "NullStatus=429\n", "6: NullStatus=: must be none"},
                        {P "NullStatus=4040\n", "6: NullStatus=: must be none"},
                        {P "NullStatus=404 404 404 404 404 404 404 404 404\n", "6: NullStatus=: must be none"},
                        {P "Safe=perhaps\n", "6: Safe=: must be yes or no"},
                        {P "ForEach=a\n", "6: ForEach=: there is no value \"a\" of an earlier request"},
                        {P "ForEach={a}\n", "6: ForEach=: must be the name of a value"},
                        {P "Value=a\n", "6: Value=: must be NAME PROGRAM"},
                        {P "Value=A .a\n", "6: Value=: must be NAME PROGRAM"},
                        {P "Value=1 .a\n", "6: Value=: must be NAME PROGRAM"},
                        {P "Value=ticket .a\n", "6: Value=: {ticket} means something else"},
                        {P "Value=host .a\n", "6: Value=: {host} means something else"},
                        {P "Value=a .a\nValue=a .b\n", "7: Value=: there is a value \"a\" already"},
                        {P "Value=a .a |\n", "6: Value=: "},
                        {P "[Request two]\nURL=https://other/\n",
                         "7: URL=: must have the scheme, host and port of the first request (https://h:443)"},
                        {P "[Request two]\nURL=https://h:444/\n", "7: URL=: must have the scheme, host and port"},
                        {P "Value=a .a\n[Request b]\nURL=https://h/\nForEach=b\nValue=b .b\n",
                         "9: ForEach=: there is no value \"b\""},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

TEST(equal_origins_in_other_words) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = parse_good(P "[Request two]\nURL=https://H:443/\n");

        CHECK(f && f->n_requests == 2);
}

TEST(too_many_requests_and_programs) {
        char text[4096];
        int n = snprintf(text, sizeof(text), HEAD);

        for (int i = 1; i <= 9; i++)
                n += snprintf(text + n, sizeof(text) - (size_t) n, "[Request r%d]\nURL=https://h/\n", i);
        check_refused(text, "21: [Request r9]: is one too many: at most 8");

        n = snprintf(text, sizeof(text), HEAD);
        for (int i = 1; i <= 4; i++) {
                n += snprintf(text + n, sizeof(text) - (size_t) n, "[Request r%d]\nURL=https://h/\n", i);
                for (int j = 1; j <= 8 && i * 8 + j <= 33; j++)
                        n += snprintf(text + n, sizeof(text) - (size_t) n, "Value=v%d_%d .\n", i, j);
        }
        check_refused(text, "36: Value=: is one jq program too many: at most 24");
}

TEST(wrong_streams_comments_and_creations) {
        static const Case cases[] = {
                        {P "[Stream]\nTicket=.\n", "6: [Stream] needs URL="},
                        {P "[Stream]\nURL=https://h/\n", "6: [Stream] needs Ticket="},
                        {P "[Stream]\nURL=https://h/{ticket}\nTicket=.\n",
                         "7: URL=: {ticket} is not known there; what is: {host}"},
                        {P "[Stream]\nURL=https://h/\nTicket=.\nKind=push\n", "9: Kind=: must be sse or poll"},
                        {P "[Stream]\nURL=https://h/\nTicket=. |\n", "8: Ticket=: "},
                        {P "[Stream]\nURL=https://h/\nMethod=POST\n", "8: Method=: unknown key in section [Stream]"},
                        {P "[Stream]\nURL=https://other/\nTicket=.\n", "7: URL=: must have the scheme, host and port"},
                        {P "[Comment]\nURL=https://h/\n", "6: [Comment] needs Body="},
                        {P "[Comment]\nURL=https://h/\nMethod=GET\nBody=body.jq\n",
                         "8: Method=: must be POST, PUT or PATCH"},
                        {P "[Comment]\nURL=https://h/{b}\nBody=body.jq\n", "7: URL=: {b} is not known there"},
                        {P "[Create]\nURL=https://h/\nTicket=.\n", "6: [Create] needs Body="},
                        {P "[Create]\nURL=https://h/\nBody=body.jq\n", "6: [Create] needs Ticket="},
                        {P "[Create]\nURL=https://h/{1}\nBody=body.jq\nTicket=.\n", "7: URL=: {1} is not known there"},
                        {P "Value=a .a\n[Create]\nURL=https://h/{a}\nBody=body.jq\nTicket=.\n",
                         "8: URL=: {a} is not known there"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));
}

#define CONTEXT HEAD "Context=yes\n[Request one]\nMethod=POST\nBody=body.jq\nURL=https://h/\n"

TEST(signed_answers) {
        static const Case cases[] = {
                        {CONTEXT, "4: Context=: needs [Answer] with KeysFile="},
                        {CONTEXT "[Answer]\nUnsigned=no\n", "4: Context=: needs [Answer]"},
                        {CONTEXT "[Answer]\nKeysFile=keys\n", "10: KeysFile=: must be the absolute path"},
                        {CONTEXT "[Answer]\nKeysFile=/etc/jit/k\nUnsigned=yes\n",
                         "11: Unsigned=: contradicts KeysFile="},
                        {CONTEXT "[Request two]\nURL=https://h/\n[Answer]\nKeysFile=/etc/jit/k\n",
                         "12: KeysFile=: is for files with one request"},
        };
        check_all_refused(cases, ELEMENTSOF(cases));

        JIT_CLEANUP(provider_file_freep)
        ProviderFile *with_keys = parse_good(CONTEXT "[Answer]\nKeysFile=/etc/jit/k\n");
        CHECK(with_keys && with_keys->context && streq(with_keys->jwks_file, "/etc/jit/k"));
        JIT_CLEANUP(provider_file_freep) ProviderFile *without = parse_good(CONTEXT "[Answer]\nUnsigned=yes\n");
        CHECK(without && without->unsigned_answers && !without->uses_now);
}

TEST(names) {
        static const char *const wrong[] = {"",    "signed", "Rt",   "1rt",
                                            "r_t", "a.b",    "../x", "abcdefghijklmnopqrstuvwxyz12"};
        char why[PROVIDER_WHY_MAX];

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                ProviderFile *f = NULL;
                CHECK_EQ_INT(parse_as(wrong[i], P, &f, why), -EBADMSG);
                CHECK(!f && strstr(why, "a provider's name is"));
        }
        ProviderFile *f = NULL;
        CHECK_EQ_INT(parse_as("other", P, &f, why), -EBADMSG);
        CHECK(!f && strstr(why, "other.jq does not exist"));
}

/* Whoever ships an example ships one that is taken. */
TEST(examples_are_taken) {
        DIR *d = opendir("examples/providers");
        unsigned n = 0;

        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                size_t length = strlen(e->d_name), text_length = 0;
                if (length < 6 || !streq(e->d_name + length - 5, ".conf"))
                        continue;
                _cleanup_free_ char *name = strndup(e->d_name, length - 5), *text = NULL;
                char why[PROVIDER_WHY_MAX] = "";
                ProviderFile *f = NULL;

                CHECK_EQ_INT(file_read_capped(dirfd(d), e->d_name, 64 * 1024, false, &text, &text_length), 0);
                if (text && provider_file_parse("examples/providers", name, text, text_length, &f, why) < 0)
                        TEST_FAIL("%s", why);
                provider_file_free(f);
                n++;
        }
        if (d)
                (void) closedir(d);
        CHECK(n > 0);
}

static bool credential_is_declared(const char *text, const char *name) {
        char line[128];

        (void) snprintf(line, sizeof(line), "\nLoadCredential=%s\n", name);
        return strstr(text, line) != NULL;
}

/* The drop-in has the credentials of all examples, and no path: a file that is not there would keep the unit from
 * starting. */
TEST(examples_have_their_credentials) {
        _cleanup_free_ char *drop_in = NULL;
        DIR *d = opendir("examples/providers");

        CHECK_EQ_INT(file_read_capped(AT_FDCWD, "examples/systemd/jit-approverd.service.d/credentials.conf", 65536,
                                      false, &drop_in, NULL),
                     0);
        for (struct dirent *e = d && drop_in ? readdir(d) : NULL; e; e = readdir(d)) {
                _cleanup_free_ char *text = NULL;
                const char *key;

                if (!strstr(e->d_name, ".conf") || file_read_capped(dirfd(d), e->d_name, 65536, false, &text, NULL) < 0)
                        continue;
                if ((key = strstr(text, "\nCredential="))) {
                        _cleanup_free_ char *name = strndup(key + 12, strcspn(key + 12, "\n"));
                        if (!name || !credential_is_declared(drop_in, name))
                                TEST_FAIL("%s: no LoadCredential=%s", e->d_name, name);
                }
        }
        if (d)
                (void) closedir(d);
}

TEST_MAIN
