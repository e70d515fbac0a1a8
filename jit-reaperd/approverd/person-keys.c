/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "file-io.h"
#include "log.h"
#include "name.h"
#include "person-keys.h"

static int add_line(const char *line, size_t max, char ***keys) {
        char key[4096];

        line += strspn(line, " \t");
        if (*line == '#' || *line == '\0' || ssh_key_parse(line, key, sizeof(key)) < 0)
                return 0;
        if (strv_contains(*keys, key) || strv_length(*keys) >= max)
                return 0;
        return strv_extend(keys, key);
}

int person_keys_add(char *const *list, size_t max, char ***keys) {
        STRV_FOREACH (line, list) {
                int r = add_line(*line, max, keys);
                if (r < 0)
                        return r;
        }
        return 0;
}

int person_keys_load(const char *etc, const char *person, char ***keys) {
        _cleanup_free_ char *text = NULL, *folder = NULL;
        _cleanup_close_ int fd = -1;
        char *state = NULL;
        int r;

        if (!person_name_is_valid(person))
                return -EINVAL;
        if (asprintf(&folder, "%s/keys.d", etc) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        if ((fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = file_read_capped(fd, person, PERSON_KEYS_FILE_MAX, true, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (char *line = strtok_r(text, "\r\n", &state); line; line = strtok_r(NULL, "\r\n", &state))
                if ((r = add_line(line, PERSON_KEYS_MAX, keys)) < 0)
                        return r;
        return 0;
}

int requester_keys_load(const char *etc, char *const *requesters, char *const *ssh_keys, const char *person,
                        char ***ret_person, char ***ret_all) {
        _cleanup_strv_ char **all = NULL, **own = NULL;
        int r;

        STRV_FOREACH (name, requesters) {
                _cleanup_strv_ char **keys = NULL;
                if (!ret_all && !streq(*name, person))
                        continue;
                r = person_keys_load(etc, *name, &keys);
                if (r < 0 && r != -ENOMEM)
                        log_warning("%s/keys.d/%s: ignoring: %s", etc, *name, strerror(-r));
                if (r == -ENOMEM || (r = person_keys_add(ssh_keys, PERSON_KEYS_MAX, &keys)) < 0 ||
                    (ret_all &&
                     (r = person_keys_add(keys, (size_t) PERSON_KEYS_MAX * TICKET_REQUESTERS_MAX, &all)) < 0))
                        return r;
                if (streq(*name, person)) {
                        strv_free(own);
                        own = take_ptr(keys);
                }
        }
        if (ret_all)
                *ret_all = take_ptr(all);
        *ret_person = take_ptr(own);
        return 0;
}
