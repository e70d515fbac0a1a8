/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "timefmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* Any instant can be written, and reads back as it was. */
static void check_instant(uint64_t usec) {
        char text[TIME_TEXT_MAX];
        uint64_t back = 0;

        require(strlen(time_format_span(usec, text)) < TIME_TEXT_MAX);
        require(strlen(time_format_rfc3339_usec(usec, text)) < TIME_TEXT_MAX);
        if (usec < UINT64_C(253402300800) * USEC_PER_SEC) /* the year 10000 */
                require(time_parse_rfc3339(text, &back) == 0 && back == usec);
        else
                require(time_parse_rfc3339(text, &back) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);
        uint64_t usec = 0, zoned = 0;

        require(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';

        if (time_parse_rfc3339_zone(text, &zoned) == 0)
                check_instant(zoned);
        if (time_parse_rfc3339(text, &usec) == 0) {
                require(time_parse_rfc3339_zone(text, &zoned) == 0 && zoned == usec);
                check_instant(usec);
        }
        if (time_parse_span(text, &usec) == 0)
                check_instant(usec);
        if (size >= sizeof(usec)) {
                memcpy(&usec, data, sizeof(usec));
                check_instant(usec);
        }
        free(text);
        return 0;
}
