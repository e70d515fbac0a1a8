/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "url-origin.h"
#include "url-template.h"

enum { NAME_MAX_LENGTH = 31, FILLED_MAX = TEMPLATE_TEXT_MAX * 4 };

typedef struct TemplatePart {
        char *text; /* as it goes out, or a name */
        bool is_name;
} TemplatePart;

struct UrlTemplate {
        TemplateKind kind;
        char *origin;
        TemplatePart parts[2 * TEMPLATE_NAMES_MAX + 1];
        size_t n_parts;
        char *names[TEMPLATE_NAMES_MAX + 1]; /* point into parts; each once */
        size_t n_names, n_uses;
};

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set) {
        return c && strchr(set, c);
}

/* RFC 3986 section 2.3. */
static bool is_unreserved(char c) {
        return is_alnum(c) || is_one_of(c, "-._~");
}

/* ret: room for 4 bytes. How many there are. */
static size_t encode_byte(char c, char *ret) {
        static const char hex[] = "0123456789ABCDEF";

        if (is_unreserved(c)) {
                ret[0] = c;
                return 1;
        }
        ret[0] = '%';
        ret[1] = hex[(unsigned char) c >> 4];
        ret[2] = hex[(unsigned char) c & 15];
        return 3;
}

int url_encode(const char *text, char **ret) {
        char *encoded = malloc(3 * strlen(text) + 1);
        size_t n = 0;

        if (!encoded)
                return -ENOMEM;
        for (; *text; text++)
                n += encode_byte(*text, encoded + n);
        encoded[n] = '\0';
        *ret = encoded;
        return 0;
}

bool template_value_is_valid(const char *value) {
        size_t n = strlen(value);

        if (n == 0 || n > TEMPLATE_VALUE_MAX || !is_alnum(value[0]))
                return false;
        for (size_t i = 1; i < n; i++)
                if (!is_alnum(value[i]) && !is_one_of(value[i], "._@+:-"))
                        return false;
        return true;
}

/* ---- parsing ---- */

/* A template that is being parsed: literal text is collected until a name or the end comes. */
typedef struct TemplateText {
        UrlTemplate *template;
        char literal[3 * TEMPLATE_TEXT_MAX + 4];
        size_t length;
} TemplateText;

static int template_refuse(char *ret_why, const char *sentence) {
        (void) snprintf(ret_why, TEMPLATE_WHY_MAX, "%s", sentence);
        return -EBADMSG;
}

static int part_add(UrlTemplate *t, const char *text, size_t length, bool is_name) {
        char *copy = strndup(text, length);

        if (!copy)
                return -ENOMEM;
        t->parts[t->n_parts++] = (TemplatePart){.text = copy, .is_name = is_name};
        return 0;
}

static int literal_flush(TemplateText *x) {
        int r = x->length > 0 ? part_add(x->template, x->literal, x->length, false) : 0;

        x->length = 0;
        return r;
}

/* NULL, or why the character at p may not stand in fixed text of this kind. */
static const char *literal_fault(TemplateKind kind, const char *p) {
        if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f)
                return "has a character other than printable ASCII";
        if (kind != TEMPLATE_URL)
                return NULL;
        if (*p == '%')
                return isxdigit((unsigned char) p[1]) && isxdigit((unsigned char) p[2])
                                       ? NULL
                                       : "has a '%' without two hexadecimal digits behind it";
        if (*p == '#')
                return "has a fragment ('#'), which is never sent";
        /* RFC 3986 sections 3.3 and 3.4 */
        if (!is_unreserved(*p) && !is_one_of(*p, "!$&'()*+,;=:@/?"))
                return "has a character that a URL may not have: write it as %XX, or use Query=";
        return NULL;
}

static void literal_add(TemplateText *x, char c) {
        if (x->template->kind == TEMPLATE_QUERY)
                x->length += encode_byte(c, x->literal + x->length);
        else
                x->literal[x->length++] = c;
}

/* "1" to "9", or a value's name. */
static bool name_is_valid(const char *name, size_t length) {
        if (length == 1 && name[0] >= '1' && name[0] <= '9')
                return true;
        if (length == 0 || length > NAME_MAX_LENGTH || name[0] < 'a' || name[0] > 'z')
                return false;
        for (size_t i = 1; i < length; i++)
                if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') && name[i] != '_')
                        return false;
        return true;
}

/* *p: at the opening brace; then behind the closing one. */
static int name_parse(TemplateText *x, const char **p, char *ret_why) {
        UrlTemplate *t = x->template;
        const char *name = *p + 1, *end = strchr(name, '}');

        if (!end)
                return template_refuse(ret_why, "has a name without an end: '{' and no '}'");
        if (!name_is_valid(name, (size_t) (end - name)))
                return template_refuse(ret_why, "has a name that is neither {1} to {9} nor of a-z, 0-9 and _, a letter "
                                                "first, at most 31 characters");
        if (t->n_uses == TEMPLATE_NAMES_MAX)
                return template_refuse(ret_why, "has more than 16 names in braces");

        int r = literal_flush(x);
        if (r >= 0)
                r = part_add(t, name, (size_t) (end - name), true);
        if (r < 0)
                return r;
        t->n_uses++;
        char *added = t->parts[t->n_parts - 1].text;
        size_t i = 0;
        while (i < t->n_names && !streq(t->names[i], added))
                i++;
        if (i == t->n_names)
                t->names[t->n_names++] = added;
        *p = end + 1;
        return 0;
}

static int text_parse(TemplateText *x, const char *p, char *ret_why) {
        while (*p) {
                if (p[0] == '{' && p[1] != '{') {
                        int r = name_parse(x, &p, ret_why);
                        if (r < 0)
                                return r;
                        continue;
                }
                const char *fault = literal_fault(x->template->kind, p);
                if (fault)
                        return template_refuse(ret_why, fault);
                literal_add(x, *p);
                p += *p == '{' ? 2 : 1;
        }
        return literal_flush(x);
}

/* Whether the path has a part that is "." or "..", in any spelling: it would be another path for some. */
static bool path_has_dots(const char *path) {
        size_t dots = 0, others = 0;

        for (const char *p = path;; p++) {
                if (*p == '/' || *p == '?' || *p == '\0') {
                        if (others == 0 && (dots == 1 || dots == 2))
                                return true;
                        if (*p != '/')
                                return false;
                        dots = others = 0;
                } else if (*p == '.')
                        dots++;
                else if (strncasecmp(p, "%2e", 3) == 0) {
                        dots++;
                        p += 2;
                } else
                        others++;
        }
}

/* *p: at the URL's start; then behind the authority, which is collected as it stands. */
static int origin_parse(TemplateText *x, const char **p, char *ret_why) {
        size_t length = 0;

        const char *fault = url_origin_parse(*p, &length, &x->template->origin);
        if (fault)
                return template_refuse(ret_why, fault);
        if (!x->template->origin)
                return -ENOMEM;
        if ((*p)[length] && (*p)[length] != '/')
                return template_refuse(ret_why, "must have a path that starts with '/' behind its host");
        if (path_has_dots(*p + length))
                return template_refuse(ret_why, "has '.' or '..' as a part of its path");
        memcpy(x->literal, *p, length);
        x->length = length;
        *p += length;
        return 0;
}

int url_template_parse(TemplateKind kind, const char *text, UrlTemplate **ret, char *ret_why) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = calloc(1, sizeof(*t));
        TemplateText x = {.template = t};
        int r = 0;

        if (!t)
                return -ENOMEM;
        t->kind = kind;
        if (strlen(text) > TEMPLATE_TEXT_MAX)
                return template_refuse(ret_why, "is longer than 2048 bytes");
        if (kind == TEMPLATE_HEADER && !*text)
                return template_refuse(ret_why, "is empty");
        if (kind == TEMPLATE_URL)
                r = origin_parse(&x, &text, ret_why);
        if (r >= 0)
                r = text_parse(&x, text, ret_why);
        if (r < 0)
                return r;
        *ret = take_ptr(t);
        return 0;
}

UrlTemplate *url_template_free(UrlTemplate *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_parts; i++)
                free(t->parts[i].text);
        free(t->origin);
        free(t);
        return NULL;
}

char *const *url_template_names(const UrlTemplate *t) {
        return t->names;
}

const char *url_template_origin(const UrlTemplate *t) {
        return t->origin;
}

/* ---- filling ---- */

static int value_find(const TemplateValue *values, const char *name, const char **ret, char *ret_why) {
        for (const TemplateValue *v = values; v->name; v++) {
                if (!streq(v->name, name))
                        continue;
                if (!v->value)
                        break;
                if (!template_value_is_valid(v->value)) {
                        (void) snprintf(ret_why, TEMPLATE_WHY_MAX,
                                        "{%s}: its value is not a letter or digit and at most 127 of A-Z a-z 0-9 . _ "
                                        "@ + : -",
                                        name);
                        return -EINVAL;
                }
                *ret = v->value;
                return 0;
        }
        (void) snprintf(ret_why, TEMPLATE_WHY_MAX, "{%s} has no value", name);
        return -ENOENT;
}

int url_template_fill(const UrlTemplate *t, const TemplateValue *values, char **ret, char *ret_why) {
        char filled[FILLED_MAX + 4]; /* the last character may take three */
        size_t n = 0;

        for (size_t i = 0; i < t->n_parts; i++) {
                const TemplatePart *part = t->parts + i;
                const char *text = part->text;

                if (part->is_name) {
                        int r = value_find(values, part->text, &text, ret_why);
                        if (r < 0)
                                return r;
                }
                for (; *text && n <= FILLED_MAX; text++)
                        if (part->is_name && t->kind != TEMPLATE_HEADER)
                                n += encode_byte(*text, filled + n);
                        else
                                filled[n++] = *text;
        }
        if (n > FILLED_MAX) {
                (void) snprintf(ret_why, TEMPLATE_WHY_MAX, "is longer than %d bytes with its values", FILLED_MAX);
                return -ENAMETOOLONG;
        }

        char *made = strndup(filled, n);
        if (!made)
                return -ENOMEM;
        *ret = made;
        return 0;
}
