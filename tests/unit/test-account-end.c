/* SPDX-License-Identifier: Apache-2.0 */

#include "account-end.h"
#include "cleanup.h"
#include "test.h"
#include "timefmt.h"

#define TICK_USEC (10 * USEC_PER_MSEC)

TEST(ends) {
        uint64_t now = now_usec(CLOCK_BOOTTIME) / TICK_USEC;
        Manager m = {};

        CHECK(!account_end_is_after(&m, "jit-a", 0)); /* nothing has ended */
        account_end_note(&m, "jit-a");
        CHECK(account_end_is_after(&m, "jit-a", now - 1) && account_end_is_after(&m, "jit-a", 0));
        CHECK(!account_end_is_after(&m, "jit-a", now + 2));
        CHECK(!account_end_is_after(&m, "jit-b", 0) && !account_end_is_after(&m, "jit-", 0) && !account_end_is_after(&m, "jit-aa", 0));
        account_ends_free(&m);
        CHECK(!account_end_is_after(&m, "jit-a", 0));
}

/* What is not known any more counts as if it had just ended. */
TEST(too_many_to_know) {
        uint64_t now = now_usec(CLOCK_BOOTTIME) / TICK_USEC;
        char account[32];
        Manager m = {};

        account_end_note(&m, "jit-a");
        for (unsigned i = 0; i < 511; i++) {
                (void) snprintf(account, sizeof(account), "jit-x%u", i);
                account_end_note(&m, account);
        }
        CHECK(!account_end_is_after(&m, "jit-other", 0));
        CHECK(account_end_is_after(&m, "jit-a", now - 1));
        account_end_note(&m, "jit-y");
        CHECK(account_end_is_after(&m, "jit-a", now - 1)); /* forgotten, and so it counts for all */
        CHECK(account_end_is_after(&m, "jit-other", now - 1));
        CHECK(!account_end_is_after(&m, "jit-other", now + 1000));
        account_end_note(&m, "jit-y"); /* known: in its own place */
        CHECK(account_end_is_after(&m, "jit-x510", now - 1));
        account_ends_free(&m);
}

TEST_MAIN
