/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TIMEFMT_H
#define JIT_TIMEFMT_H

/* Times: microseconds (usec) in uint64_t. Wall clock: since 1970 UTC. Deadlines: CLOCK_BOOTTIME. */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_INFINITY UINT64_MAX

uint64_t now_usec(clockid_t clock);

enum { TIME_TEXT_MAX = 40 };
/* RFC 3339 in UTC with 'Z', whole seconds or up to six decimals: 2026-11-22T14:00:00Z. Years 1970 to 9999. -EINVAL. */
int time_parse_rfc3339(const char *text, uint64_t *ret_usec);
/* The same as other systems write it: also with a numeric zone ("+02:00", RFC 3339 4.2) and more decimals, which are
 * dropped. */
int time_parse_rfc3339_zone(const char *text, uint64_t *ret_usec);
/* Writes "2026-11-22T14:00:00Z" (rounded down) and returns ret. */
const char *time_format_rfc3339(uint64_t usec, char ret[static TIME_TEXT_MAX]);
/* With microseconds, for records: "2026-11-22T14:00:00.123456Z". */
const char *time_format_rfc3339_usec(uint64_t usec, char ret[static TIME_TEXT_MAX]);
/* "42 min", "3 h 12 min", "2 d 4 h", "9 s": at most two units, rounded down. */
const char *time_format_span(uint64_t usec, char ret[static TIME_TEXT_MAX]);
/* systemd.time(7) spans of whole numbers: "90", "90s", "5min", "1h 30min", "2d", "1w"; a bare number is seconds.
 * -EINVAL, -ERANGE. */
int time_parse_span(const char *text, uint64_t *ret_usec);

#endif
