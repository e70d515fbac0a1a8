/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_READER_H
#define JIT_PROVIDER_READER_H

/* Inside provider-file*.c: a file that is being read. Lines (shared/config-ini.c) come to provider-file.c, which gives
 * them to the table of single settings (provider-file-table.c) or to that of requests (provider-file-request.c). What
 * needs the whole file is looked at afterwards (provider-file-check.c). */

#include "config-parse.h"
#include "provider-file.h"

typedef struct ProviderReader {
        ProviderFile *file;
        const char *folder, *text;
        size_t length;
        ConfigTable table;
        char **sections; /* in the order they came */
        unsigned n_programs;
        uint32_t seen[PROVIDER_REQUESTS_MAX +
                      3]; /* keys assigned in the requests, the stream, the comment, the creation */
        char *why;        /* of the caller, PROVIDER_WHY_MAX bytes */
} ProviderReader;

/* A config_assign_t's end: what is wrong with NAME=. Returns -EBADMSG. */
__attribute__((format(printf, 3, 4))) int assign_refuse(char *ret_why, const char *name, const char *format, ...);
/* As that for the whole: at the nth (from 0) assignment of key in section, or, with key NULL, at the section's start;
 * with section NULL at none. */
__attribute__((format(printf, 5, 6))) int reader_refuse(const ProviderReader *r, const char *section, const char *key,
                                                        size_t nth, const char *format, ...);

/* NAME.jq in the file's folder, compiled. -EBADMSG with a sentence without a key in ret_why (PROVIDER_WHY_MAX). */
int reader_program_load(ProviderReader *r, const char *name, JqProgram **ret, char *ret_why);
/* From the file itself. */
int reader_program_compile(ProviderReader *r, const char *text, JqProgram **ret, char *ret_why);

/* ---- provider-file-table.c ---- */
extern const ConfigKey provider_keys[];
/* Whether the file has name= in section, which are of that table. */
bool provider_key_is_set(const ProviderReader *r, const char *section, const char *name);
/* RFC 9110 section 5.6.2, at most 64 characters. */
bool http_token_is_valid(const char *text);
/* Program= as it stands; the file's name with .jq until it is assigned. */
bool program_name_is_valid(const char *name);

/* ---- provider-file-request.c ---- */
/* Whether section is that of a request (also of one with a wrong name). */
bool request_section(const char *section);
int request_assign(ProviderReader *r, const char *section, const char *name, const char *value, char *ret_why);
/* Whether the file has name= in q's section. */
bool request_key_is_set(const ProviderReader *r, const ProviderRequest *q, const char *name);
ProviderRequest *provider_request_free(ProviderRequest *q); /* of the stream, the comment, the creation */
void provider_request_clear(ProviderRequest *q);

/* ---- provider-file-pattern.c ---- */
/* Compiles f->ticket_pattern. NULL, or what is wrong with it (static). */
const char *provider_pattern_compile(ProviderFile *f);

/* ---- provider-file-check.c ---- */
int provider_file_check(ProviderReader *r);

#endif
