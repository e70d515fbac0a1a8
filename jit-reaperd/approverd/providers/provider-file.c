/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "file-io.h"
#include "provider-reader.h"

/* ---- what is wrong, and where ---- */

int assign_refuse(char *ret_why, const char *name, const char *format, ...) {
        va_list args;

        int n = snprintf(ret_why, CONFIG_WHY_MAX, "%.40s=: ", name);
        va_start(args, format);
        (void) vsnprintf(ret_why + n, CONFIG_WHY_MAX - (size_t) n, format, args);
        va_end(args);
        return -EBADMSG;
}

static bool line_is_section(const char *line, size_t length, const char *section) {
        return length >= strlen(section) + 2 && line[0] == '[' && line[strlen(section) + 1] == ']' &&
               memcmp(line + 1, section, strlen(section)) == 0;
}

static bool line_is_key(const char *line, size_t length, const char *key) {
        size_t n = strlen(key);

        if (length <= n || memcmp(line, key, n) != 0)
                return false;
        while (n < length && (line[n] == ' ' || line[n] == '\t'))
                n++;
        return n < length && line[n] == '=';
}

/* Number of the line that reader_refuse() means; 0 if there is none. The file was parsed: its lines are well-formed. */
static unsigned line_find(const ProviderReader *r, const char *section, const char *key, size_t nth) {
        const char *end = r->text + r->length, *next;
        unsigned number = 0;
        bool inside = false;

        for (const char *line = r->text; line < end; line = next) {
                const char *newline = memchr(line, '\n', (size_t) (end - line));
                size_t length = (size_t) ((newline ? newline : end) - line);

                next = newline ? newline + 1 : end;
                number++;
                if (length > 0 && line[0] == '[') {
                        inside = line_is_section(line, length, section);
                        if (inside && !key)
                                return number;
                } else if (inside && key && line_is_key(line, length, key) && nth-- == 0)
                        return number;
        }
        return 0;
}

int reader_refuse(const ProviderReader *r, const char *section, const char *key, size_t nth, const char *format, ...) {
        char place[32] = "", *why = r->why;
        unsigned line = section ? line_find(r, section, key, nth) : 0;
        size_t size = PROVIDER_WHY_MAX;
        va_list args;

        if (line > 0)
                (void) snprintf(place, sizeof(place), ":%u", line);
        int n = snprintf(why, size, "%.200s%s: ", r->file->path, place);
        if (key)
                n += snprintf(why + n, size - (size_t) n, "%s=: ", key);
        va_start(args, format);
        (void) vsnprintf(why + n, size - (size_t) n, format, args);
        va_end(args);
        return -EBADMSG;
}

/* ---- programs ---- */

/* Whether "now" is a word of it: jq's clock, or the question's. */
static bool program_uses_now(const char *text) {
        static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

        for (const char *p = strstr(text, "now"); p; p = strstr(p + 1, "now"))
                if ((p == text || !strchr(word, p[-1])) && (p[3] == '\0' || !strchr(word, p[3])))
                        return true;
        return false;
}

int reader_program_compile(ProviderReader *r, const char *text, JqProgram **ret, char *ret_why) {
        if (r->n_programs == PROVIDER_PROGRAMS_MAX) {
                (void) snprintf(ret_why, PROVIDER_WHY_MAX, "is one jq program too many: at most 24 in a file");
                return -EBADMSG;
        }
        r->n_programs++;
        r->file->uses_now |= program_uses_now(text);
        return jq_program_new(text, ret, ret_why);
}

static const char *read_fault(int error) {
        switch (error) {
        case -ENOENT:
                return "does not exist";
        case -EPERM:
                return "must belong to root and be writable by nobody else";
        case -EFBIG:
                return "is longer than 64 KiB";
        case -ELOOP:
                return "is a symbolic link";
        case -EBADMSG:
                return "has a NUL byte";
        default:
                return strerror(-error);
        }
}

int reader_program_load(ProviderReader *r, const char *name, JqProgram **ret, char *ret_why) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char why[JQ_WHY_MAX] = "";

        if (asprintf(&path, "%s/%s", r->folder, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        int error = file_read_capped(AT_FDCWD, path, JQ_TEXT_MAX, true, &text, NULL);
        if (error == -ENOMEM)
                return error;
        if (error < 0) {
                (void) snprintf(ret_why, PROVIDER_WHY_MAX, "%s %s", name, read_fault(error));
                return -EBADMSG;
        }
        error = reader_program_compile(r, text, ret, why);
        if (error == -EBADMSG)
                (void) snprintf(ret_why, PROVIDER_WHY_MAX, "%s: %.400s", name, why);
        return error;
}

/* ---- the file ---- */

/* A section that is left and entered again would hide what belongs together. */
static int section_enter(ProviderReader *r, const char *section, char *ret_why) {
        size_t n = strv_length(r->sections);

        if (n > 0 && streq(r->sections[n - 1], section))
                return 0;
        if (strv_contains(r->sections, section)) {
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "[%.49s]: stands twice in the file", section);
                return -EBADMSG;
        }
        return strv_extend(&r->sections, section);
}

static int on_provider_assign(void *userdata, const char *section, const char *name, const char *value, char *ret_why) {
        ProviderReader *r = userdata;

        if (*section) {
                int result = section_enter(r, section, ret_why);
                if (result < 0)
                        return result;
        }
        if (!*value)
                return assign_refuse(ret_why, name, "has no value: leave it out for its default");
        return request_section(section) ? request_assign(r, section, name, value, ret_why)
                                        : config_table_assign(&r->table, section, name, value, ret_why);
}

bool provider_name_is_valid(const char *name) {
        return role_name_is_valid(name) && !streq(name, "signed");
}

static ProviderFile *provider_file_new(const char *folder, const char *name) {
        ProviderFile *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        f->name = strdup(name);
        if (asprintf(&f->path, "%s/%s.conf", folder, name) < 0)
                f->path = NULL;
        return f->name && f->path && config_table_defaults(provider_keys, f) >= 0 ? f : provider_file_free(f);
}

int provider_file_parse(const char *folder, const char *name, const char *text, size_t length, ProviderFile **ret,
                        char *ret_why) {
        JIT_CLEANUP(provider_file_freep) ProviderFile *f = provider_file_new(folder, name);
        ProviderReader r = {
                        .file = f,
                        .folder = folder,
                        .text = text,
                        .length = length,
                        .table = {.keys = provider_keys, .target = f},
                        .why = ret_why,
        };

        _Static_assert((int) PROVIDER_WHY_MAX == (int) CONFIG_WHY_MAX, "one buffer for both");
        if (!f)
                return -ENOMEM;
        if (!provider_name_is_valid(name))
                return reader_refuse(&r, NULL, NULL, 0,
                                     "a provider's name is a small letter, then a-z 0-9 -, at most 27 in all, and not "
                                     "\"signed\"");
        if (length > CONFIG_FILE_MAX)
                return reader_refuse(&r, NULL, NULL, 0, "is longer than 64 KiB");

        int result = config_ini_parse(f->path, text, length, on_provider_assign, &r, ret_why);
        if (result >= 0)
                result = provider_file_check(&r);
        strv_free(r.sections);
        if (result < 0)
                return result;
        *ret = take_ptr(f);
        return 0;
}

ProviderFile *provider_file_free(ProviderFile *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < f->n_requests; i++)
                provider_request_clear(&f->requests[i]);
        provider_request_free(f->stream);
        provider_request_free(f->comment);
        provider_request_free(f->create);
        if (f->has_pattern)
                regfree(&f->pattern);
        jq_program_free(f->program);

        char *const strings[] = {
                        f->name,         f->path,        f->ticket_pattern, f->program_name, f->ca_file,
                        f->pinned_key,   f->client_cert, f->client_key,     f->proxy,        f->credential,
                        f->login_header, f->token_url,   f->client_id,      f->scope,        f->jwks_file,
        };
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                free(strings[i]);
        free(f);
        return NULL;
}
