/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "timefmt.h"

#define DAY (24 * USEC_PER_HOUR)

TEST(rfc3339_known_instants) {
        static const struct {
                const char *text;
                uint64_t usec;
        } known[] = {
                        {"1970-01-01T00:00:00Z", 0},
                        {"1970-01-01T00:00:00.000001Z", 1},
                        {"1970-01-01T00:00:00.1Z", 100000},
                        {"2000-02-29T23:59:59Z", UINT64_C(951868799) * USEC_PER_SEC},
                        {"2026-11-22T14:00:00Z", UINT64_C(1795356000) * USEC_PER_SEC},
                        {"2026-11-22T14:00:00.120Z", UINT64_C(1795356000) * USEC_PER_SEC + 120000},
                        {"2038-01-19T03:14:08Z", UINT64_C(2147483648) * USEC_PER_SEC},
                        {"9999-12-31T23:59:59.999999Z", UINT64_C(253402300799) * USEC_PER_SEC + 999999},
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                uint64_t usec = 77;

                CHECK_EQ_INT(time_parse_rfc3339(known[i].text, &usec), 0);
                CHECK_EQ_INT(usec, known[i].usec);
        }
}

TEST(rfc3339_refusals) {
        static const char *const bad[] = {
                        "",
                        "Z",
                        "2026",
                        "2026-11-22",
                        "2026-11-22T14:00:00",
                        "2026-11-22T14:00:00z",
                        "2026-11-22t14:00:00Z",
                        "2026-11-22 14:00:00Z",
                        "2026-11-22T14:00Z",
                        "2026-11-22T14:00:00+00:00",
                        "2026-11-22T14:00:00Z ",
                        " 2026-11-22T14:00:00Z",
                        "2026-11-22T14:00:00ZZ",
                        "2026-11-22T14:00:00.Z",
                        "2026-11-22T14:00:00.1234567Z",
                        "2026-11-22T14:00:00,5Z",
                        "2026-11-22T14:00:60Z",
                        "2026-11-22T14:60:00Z",
                        "2026-11-22T24:00:00Z",
                        "2026-11-00T14:00:00Z",
                        "2026-11-31T14:00:00Z",
                        "2026-00-22T14:00:00Z",
                        "2026-13-22T14:00:00Z",
                        "2026-02-29T00:00:00Z",
                        "2100-02-29T00:00:00Z",
                        "1969-12-31T23:59:59Z",
                        "0000-01-01T00:00:00Z",
                        "10000-01-01T00:00:00Z",
                        "-026-11-22T14:00:00Z",
                        "+026-11-22T14:00:00Z",
                        "2026-1-22T14:00:00Z",
                        "2026-11-2T014:00:00Z",
                        "20261122T140000Z",
        };
        uint64_t usec = 77;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK_EQ_INT(time_parse_rfc3339(bad[i], &usec), -EINVAL);
        CHECK_EQ_INT(usec, 77);
}

TEST(rfc3339_zones) {
        static const struct {
                const char *text;
                uint64_t seconds, rest; /* rest: usec */
        } known[] = {
                        {"2026-11-22T14:00:00Z", 1795356000, 0},
                        {"2026-11-22T16:00:00+02:00", 1795356000, 0},
                        {"2026-11-22T08:00:00-06:00", 1795356000, 0},
                        {"2026-11-22T19:30:00+05:30", 1795356000, 0},
                        {"2026-11-23T04:00:00+14:00", 1795356000, 0},
                        {"2026-11-22T14:00:00-00:00", 1795356000, 0},
                        {"2026-11-22T14:00:00.123+00:00", 1795356000, 123000},
                        {"2026-11-22T14:00:00.1234567Z", 1795356000, 123456},
                        {"2026-11-22T14:00:00.123456999+00:00", 1795356000, 123456},
                        {"1970-01-01T01:00:00+01:00", 0, 0},
                        {"9999-12-31T22:59:59-01:00", 253402300799, 0},
        };
        static const char *const bad[] = {
                        "2026-11-22T14:00:00",        "2026-11-22T14:00:00+0200",   "2026-11-22T14:00:00+02",
                        "2026-11-22T14:00:00+2:00",   "2026-11-22T14:00:00+02:00Z", "2026-11-22T14:00:00+02:60",
                        "2026-11-22T14:00:00+24:00",  "2026-11-22T14:00:00 +02:00", "2026-11-22T14:00:00+02:00 ",
                        "2026-11-22T14:00:00++02:00", "2026-11-22T14:00:00.+02:00", "1970-01-01T00:59:59+01:00",
                        "9999-12-31T23:59:59-01:00",  "2026-11-22 14:00:00Z",       "2026-11-22T14:00:00UTC",
        };
        uint64_t usec = 77;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (time_parse_rfc3339_zone(bad[i], &usec) != -EINVAL || usec != 77)
                        TEST_FAIL("%s is taken", bad[i]);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                CHECK_EQ_INT(time_parse_rfc3339_zone(known[i].text, &usec), 0);
                CHECK_EQ_INT(usec, known[i].seconds * USEC_PER_SEC + known[i].rest);
        }
}

TEST(rfc3339_ignores_the_time_zone) {
        char text[TIME_TEXT_MAX];
        uint64_t usec = 0;

        setenv("TZ", "America/New_York", 1);
        tzset();
        CHECK_EQ_INT(time_parse_rfc3339("2026-07-01T12:00:00Z", &usec), 0);
        CHECK_EQ_INT(usec, UINT64_C(1782907200) * USEC_PER_SEC);
        CHECK_STREQ(time_format_rfc3339(usec, text), "2026-07-01T12:00:00Z");
        unsetenv("TZ");
        tzset();
}

/* Every day of four centuries, there and back. */
TEST(rfc3339_round_trip) {
        char text[TIME_TEXT_MAX];

        for (uint64_t day = 0; day < 146097; day++) {
                uint64_t usec = day * DAY + (day % 86400) * USEC_PER_SEC + day, back = 0;

                CHECK_EQ_INT(time_parse_rfc3339(time_format_rfc3339_usec(usec, text), &back), 0);
                CHECK_EQ_INT(back, usec);
                CHECK_EQ_INT(time_parse_rfc3339(time_format_rfc3339(usec, text), &back), 0);
                CHECK_EQ_INT(back, usec / USEC_PER_SEC * USEC_PER_SEC);
        }
}

TEST(rfc3339_format) {
        char text[TIME_TEXT_MAX];

        CHECK_STREQ(time_format_rfc3339(0, text), "1970-01-01T00:00:00Z");
        CHECK_STREQ(time_format_rfc3339(999999, text), "1970-01-01T00:00:00Z");
        CHECK_STREQ(time_format_rfc3339_usec(1, text), "1970-01-01T00:00:00.000001Z");
        CHECK_STREQ(time_format_rfc3339_usec(UINT64_C(1795356000) * USEC_PER_SEC + 123456, text),
                    "2026-11-22T14:00:00.123456Z");
        CHECK_STREQ(time_format_rfc3339_usec(USEC_INFINITY, text), "586524-01-19T08:01:49.551615Z");
}

TEST(span_format) {
        static const struct {
                uint64_t usec;
                const char *text;
        } known[] = {
                        {0, "0 s"},
                        {USEC_PER_SEC - 1, "0 s"},
                        {9 * USEC_PER_SEC, "9 s"},
                        {USEC_PER_MINUTE - 1, "59 s"},
                        {USEC_PER_MINUTE, "1 min"},
                        {75 * USEC_PER_SEC, "1 min 15 s"},
                        {42 * USEC_PER_MINUTE, "42 min"},
                        {USEC_PER_HOUR + 30 * USEC_PER_SEC, "1 h"},
                        {3 * USEC_PER_HOUR + 12 * USEC_PER_MINUTE + 59 * USEC_PER_SEC, "3 h 12 min"},
                        {DAY - 1, "23 h 59 min"},
                        {2 * DAY + 4 * USEC_PER_HOUR + 59 * USEC_PER_MINUTE, "2 d 4 h"},
                        {31 * DAY, "31 d"},
                        {USEC_INFINITY, "213503982 d 8 h"},
        };
        char text[TIME_TEXT_MAX];

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                CHECK_STREQ(time_format_span(known[i].usec, text), known[i].text);
}

TEST(span_parse) {
        static const struct {
                const char *text;
                uint64_t usec;
        } known[] = {
                        {"0", 0},
                        {"90", 90 * USEC_PER_SEC},
                        {"90s", 90 * USEC_PER_SEC},
                        {"90 s", 90 * USEC_PER_SEC},
                        {" 5min ", 5 * USEC_PER_MINUTE},
                        {"5m", 5 * USEC_PER_MINUTE},
                        {"1h 30min", 90 * USEC_PER_MINUTE},
                        {"1h30min", 90 * USEC_PER_MINUTE},
                        {"1h 30", USEC_PER_HOUR + 30 * USEC_PER_SEC},
                        {"30s 1h", USEC_PER_HOUR + 30 * USEC_PER_SEC},
                        {"2d", 2 * DAY},
                        {"1w", 7 * DAY},
                        {"2 weeks 1 day 3 hours 1 minute 1 second", 15 * DAY + 3 * USEC_PER_HOUR + 61 * USEC_PER_SEC},
                        {"250ms", 250 * USEC_PER_MSEC},
                        {"7us", 7},
                        {"18446744073709551615us", UINT64_MAX},
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                uint64_t usec = 77;

                CHECK_EQ_INT(time_parse_span(known[i].text, &usec), 0);
                CHECK_EQ_INT(usec, known[i].usec);
        }
}

TEST(span_refusals) {
        static const char *const bad[] = {
                        "",       " ",    "s",   "min", "-1s", "+1s", "1.5h", "1,5h", "1x",   "1h,30min",   "infinity",
                        "1 h 5x", "0x10", "1\n", "1M",  "1y",  "1H",  "1S",   "1h-5", "five", "1s\xc2\xa0",
        };
        uint64_t usec = 77;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK_EQ_INT(time_parse_span(bad[i], &usec), -EINVAL);
        CHECK_EQ_INT(time_parse_span("18446744073709551616us", &usec), -ERANGE);
        CHECK_EQ_INT(time_parse_span("18446744073709551615s", &usec), -ERANGE);
        CHECK_EQ_INT(time_parse_span("18446744073709551615us 1us", &usec), -ERANGE);
        CHECK_EQ_INT(time_parse_span("99999999999999999999999999999999w", &usec), -ERANGE);
        CHECK_EQ_INT(time_parse_span("30500569w 30500569w", &usec), -ERANGE);
        CHECK_EQ_INT(usec, 77);
}

TEST(clocks_go_forward) {
        uint64_t a = now_usec(CLOCK_BOOTTIME), b = now_usec(CLOCK_BOOTTIME);

        CHECK(a > 0 && b >= a);
        CHECK(now_usec(CLOCK_REALTIME) > UINT64_C(1700000000) * USEC_PER_SEC);
}

TEST_MAIN
