/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "url-origin.h"

/* Stricter than RFC 3986: what is taken here is read in one way by every parser of URLs. */

enum { HOST_MAX = 253, LABEL_MAX = 63 }; /* RFC 1035 section 2.3.4 */

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "127.1", "0x7f.1" and "2130706433" are addresses to some parsers and names to others: the last label decides. */
static bool label_is_number(const char *label) {
        return label[strspn(label, "0123456789")] == '\0' || (label[0] == '0' && (label[1] | 0x20) == 'x');
}

static bool host_name_is_valid(const char *host) {
        const char *label = host;
        struct in_addr address;

        for (const char *p = host;; p++) {
                if (*p == '.' || *p == '\0') {
                        if (p == label || p - label > LABEL_MAX || label[0] == '-' || p[-1] == '-')
                                return false;
                        if (*p == '\0')
                                break;
                        label = p + 1;
                } else if (!is_alnum(*p) && *p != '-')
                        return false;
        }
        return !label_is_number(label) || inet_pton(AF_INET, host, &address) == 1;
}

/* host: with its brackets; rewritten as RFC 5952 has it, so that equal addresses are equal texts. */
static bool host_normalize_address6(char *host, size_t size) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr address;
        size_t n = strlen(host);

        if (n < 4 || n - 2 >= sizeof(text) || host[n - 1] != ']')
                return false;
        memcpy(text, host + 1, n - 2);
        text[n - 2] = '\0';
        if (inet_pton(AF_INET6, text, &address) != 1 || !inet_ntop(AF_INET6, &address, text, sizeof(text)))
                return false;
        (void) snprintf(host, size, "[%s]", text);
        return true;
}

/* Decimal, no leading zero, 1 to 65535. */
static bool port_is_valid(const char *port, size_t length) {
        unsigned n = 0;

        if (length == 0 || length > 5 || port[0] == '0')
                return false;
        for (size_t i = 0; i < length; i++) {
                if (port[i] < '0' || port[i] > '9')
                        return false;
                n = n * 10 + (unsigned) (port[i] - '0');
        }
        return n <= 65535;
}

const char *url_origin_parse(const char *url, size_t *ret_length, char **ret) {
        bool tls = strncmp(url, "https://", 8) == 0;
        char host[HOST_MAX + 1];

        if (!tls && strncmp(url, "http://", 7) != 0)
                return "must start with https://";

        const char *start = url + (tls ? 8 : 7);
        size_t length = strcspn(start, "/?#"), host_length = length;
        const char *port = NULL;
        if (memchr(start, '@', length))
                return "has a user or password in it: [Login] is for that";
        if (memchr(start, '{', length) || memchr(start, '}', length))
                return "has a name in its host or port: only the path and what follows may have one";

        const char *colon = *start == '[' ? memchr(start, ']', length) : start - 1;
        if (colon)
                colon = memchr(colon + 1, ':', length - (size_t) (colon + 1 - start));
        if (colon) {
                port = colon + 1;
                host_length = (size_t) (colon - start);
                if (!port_is_valid(port, length - host_length - 1))
                        return "has a port that is no number from 1 to 65535";
        }
        if (host_length == 0 || host_length > HOST_MAX)
                return "has no host, or one of more than 253 characters";
        for (size_t i = 0; i < host_length; i++)
                host[i] = (char) tolower((unsigned char) start[i]);
        host[host_length] = '\0';
        if (*host == '[' ? !host_normalize_address6(host, sizeof(host)) : !host_name_is_valid(host))
                return "has a host that is neither a name of letters, digits, '-' and dots nor an address";

        const char *shown = port ? port : tls ? "443" : "80";
        size_t shown_length = port ? length - host_length - 1 : strlen(shown);
        if (asprintf(ret, "%s://%s:%.*s", tls ? "https" : "http", host, (int) shown_length, shown) < 0)
                *ret = NULL;
        *ret_length = (size_t) (start - url) + length;
        return NULL;
}

bool url_origin_is_plain(const char *origin) {
        return strncmp(origin, "http://", 7) == 0;
}

bool url_origin_is_loopback(const char *origin) {
        const char *host = strstr(origin, "://");
        char text[INET_ADDRSTRLEN];
        struct in_addr address;

        if (!host)
                return false;
        host += 3;
        if (strncmp(host, "[::1]:", 6) == 0)
                return true;
        size_t n = strcspn(host, ":");
        if (n >= sizeof(text))
                return false;
        memcpy(text, host, n);
        text[n] = '\0';
        return streq(text, "localhost") ||
               (inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}
