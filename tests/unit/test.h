/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_H
#define JIT_TEST_H

/* The whole test framework: TEST(name) { CHECK(...); } ... and one TEST_MAIN at the end of the file. */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TestCase {
        const char *name;
        void (*run)(void);
        struct TestCase *next;
} TestCase;

static TestCase *test_first, **test_last = &test_first;
static bool test_failed;

#define TEST(id)                                                                                             \
        static void test_##id(void);                                                                         \
        static TestCase test_case_##id = {.name = #id, .run = test_##id};                                    \
        __attribute__((constructor)) static void test_register_##id(void) {                                  \
                *test_last = &test_case_##id;                                                                \
                test_last = &test_case_##id.next;                                                            \
        }                                                                                                    \
        static void test_##id(void)

#define TEST_FAIL(...)                                                                                       \
        do {                                                                                                 \
                test_failed = true;                                                                          \
                fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                              \
                fprintf(stderr, __VA_ARGS__);                                                                \
                fputc('\n', stderr);                                                                         \
        } while (0)

#define CHECK(cond)                                                                                          \
        do {                                                                                                 \
                if (!(cond))                                                                                 \
                        TEST_FAIL("%s", #cond);                                                              \
        } while (0)

#define CHECK_EQ_INT(a, b)                                                                                   \
        do {                                                                                                 \
                intmax_t _a = (intmax_t) (a), _b = (intmax_t) (b);                                           \
                if (_a != _b)                                                                                \
                        TEST_FAIL("%s is %" PRIdMAX ", not %s (%" PRIdMAX ")", #a, _a, #b, _b);              \
        } while (0)

#define CHECK_STREQ(a, b)                                                                                    \
        do {                                                                                                 \
                const char *_a = (a), *_b = (b);                                                             \
                if (!_a || !_b || strcmp(_a, _b) != 0)                                                       \
                        TEST_FAIL("%s is \"%s\", not \"%s\"", #a, _a ? _a : "(null)", _b ? _b : "(null)");   \
        } while (0)

#define TEST_MAIN                                                                                            \
        int main(void) {                                                                                     \
                int failures = 0;                                                                            \
                for (TestCase *t = test_first; t; t = t->next) {                                             \
                        test_failed = false;                                                                 \
                        t->run();                                                                            \
                        printf("%s %s\n", test_failed ? "not ok" : "ok", t->name);                           \
                        failures += test_failed;                                                             \
                }                                                                                            \
                return failures ? EXIT_FAILURE : EXIT_SUCCESS;                                               \
        }

#endif
