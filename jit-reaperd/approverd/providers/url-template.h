/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_URL_TEMPLATE_H
#define JIT_URL_TEMPLATE_H

/* "https://rt.example.com/REST/2.0/ticket/{1}": text with names in braces; "{{" is a brace. Parsed and checked when the
 * provider's file is read, filled for each question.
 *
 * MUST: percent-encode everything but RFC 3986's unreserved characters of a value, wherever it lands.
 * MUST: refuse a value that is not [A-Za-z0-9] and then at most 127 of [A-Za-z0-9._@+:-]: what a system answers can
 * neither leave its place in a URL nor add a header.
 * MUST: have scheme, host and port as fixed text. */

#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

enum { TEMPLATE_TEXT_MAX = 2048, TEMPLATE_VALUE_MAX = 128, TEMPLATE_NAMES_MAX = 16, TEMPLATE_WHY_MAX = 192 };

typedef enum TemplateKind {
        TEMPLATE_URL,    /* an absolute https URL (http for tests on loopback), names after the authority only */
        TEMPLATE_QUERY,  /* the value of one query parameter: all of it is encoded, fixed text too */
        TEMPLATE_HEADER, /* the value of a header: nothing is encoded; fixed text is printable ASCII */
} TemplateKind;

typedef struct UrlTemplate UrlTemplate;
/* -EBADMSG and ret_why ("has a name without an end", TEMPLATE_WHY_MAX bytes); -ENOMEM. */
int url_template_parse(TemplateKind kind, const char *text, UrlTemplate **ret, char *ret_why);
UrlTemplate *url_template_free(UrlTemplate *t);
DEFINE_CLEANUP(UrlTemplate, url_template_free);
/* The names it uses, so that the file's reader can refuse unknown ones; NULL-ended, borrowed. */
char *const *url_template_names(const UrlTemplate *t);

typedef struct TemplateValue {
        const char *name, *value;
} TemplateValue;
/* values end with a NULL name. -EINVAL and ret_why: a value that may not stand there; -ENOENT: a name without a value;
 * -ENAMETOOLONG: longer than TEMPLATE_TEXT_MAX * 4 in all. */
int url_template_fill(const UrlTemplate *t, const TemplateValue *values, char **ret, char *ret_why);
bool template_value_is_valid(const char *value);

/* TEMPLATE_URL: "https://host.example:443", in lower case and always with the port; borrowed. NULL for other kinds. */
const char *url_template_origin(const UrlTemplate *t);
bool url_origin_is_plain(const char *origin);    /* http:// */
bool url_origin_is_loopback(const char *origin); /* localhost, 127.0.0.0/8 or [::1], as a literal */
/* Every character but the unreserved ones as %XX; free(). -ENOMEM. */
int url_encode(const char *text, char **ret);

#endif
