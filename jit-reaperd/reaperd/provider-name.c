/* SPDX-License-Identifier: Apache-2.0 */

#include "provider-name.h"

enum { NAMES_MAX = 4096 }; /* ever seen: files of providers.d come and go while we run */

uint16_t provider_name_number(Manager *m, const char *name) {
        uint16_t n = 0;

        if (!name)
                return 0;
        STRV_FOREACH (s, m->provider_names) {
                n++;
                if (streq(*s, name))
                        return n;
        }
        return n < NAMES_MAX && strv_extend(&m->provider_names, name) >= 0 ? n + 1 : 0;
}

const char *provider_name(const Manager *m, uint16_t number) {
        return number > 0 ? m->provider_names[number - 1] : NULL;
}
