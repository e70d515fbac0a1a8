/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_URL_ORIGIN_H
#define JIT_URL_ORIGIN_H

/* Scheme, host and port at the start of an absolute http or https URL: fixed text, whatever is filled in behind it. */

#include "url-template.h"

/* NULL, or what is wrong ("has no host"; static). *ret_length: of the part of url that it is; *ret: as
 * url_template_origin() gives it, for free(), or NULL if there was no memory. */
const char *url_origin_parse(const char *url, size_t *ret_length, char **ret);

#endif
