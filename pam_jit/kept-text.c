/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "kept-text.h"

static void on_text_dropped(pam_handle_t *pamh, void *data, int error_status) {
        (void) pamh;
        (void) error_status;
        free(data);
}

int kept_text_set(pam_handle_t *pamh, const char *name, const char *text) {
        char *copy = text ? strdup(text) : NULL;
        int r;

        if (text && !copy)
                return PAM_BUF_ERR;
        r = pam_set_data(pamh, name, copy, on_text_dropped);
        if (r != PAM_SUCCESS)
                free(copy);
        return r;
}

const char *kept_text_get(pam_handle_t *pamh, const char *name) {
        const void *text;

        return pam_get_data(pamh, name, &text) == PAM_SUCCESS ? text : NULL;
}

bool kept_text_is(pam_handle_t *pamh, const char *name, const char *text) {
        const char *kept = kept_text_get(pamh, name);

        return kept && streq(kept, text);
}
