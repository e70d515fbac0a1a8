/* SPDX-License-Identifier: Apache-2.0 */

#include <pwd.h>

#include "cleanup.h"
#include "input.h"
#include "name.h"
#include "process.h"
#include "sign.h"

enum { PUBLIC_KEY_MAX = 16 * 1024 };

int key_find(const char *ending, char **ret) {
        static const char *const names[] = {"id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"};
        const struct passwd *pw = getpwuid(getuid()); /* not HOME: sudo(8) may leave another user's */
        char *path = NULL;

        for (size_t i = 0; pw && i < ELEMENTSOF(names); i++) {
                if (asprintf(&path, "%s/.ssh/%s%s", pw->pw_dir, names[i], ending) < 0)
                        return -ENOMEM;
                if (access(path, R_OK) == 0) {
                        *ret = path;
                        return 0;
                }
                free(path);
        }
        *ret = NULL;
        return 0;
}

int sign_text(const char *key_file, const char *text, char **ret_signature) {
        const char *const argv[] = {"ssh-keygen", "-q", "-Y", "sign", "-n", SIGN_NAMESPACE, "-f", key_file, NULL};
        _cleanup_free_ char *output = NULL;
        int status, r;

        r = process_run(argv, text, strlen(text), false, &output, &status);
        if (r < 0)
                return r;
        if (status != 0 || strncmp(output, "-----BEGIN SSH SIGNATURE-----\n", 30) != 0)
                return -EKEYREJECTED;
        *ret_signature = take_ptr(output);
        return 0;
}

int key_fingerprint(const char *key, char **ret) {
        static const char *const argv[] = {"ssh-keygen", "-l", "-f", "-", NULL};
        _cleanup_free_ char *output = NULL, *line = NULL;
        int status, r;

        if (asprintf(&line, "%s\n", key) < 0) {
                line = NULL;
                return -ENOMEM;
        }
        r = process_run(argv, line, strlen(line), true, &output, &status);
        if (r < 0)
                return r;
        if (status != 0)
                return -EINVAL;
        output[strcspn(output, "\n")] = 0;
        *ret = take_ptr(output);
        return 0;
}

int key_read_public(const char *text_or_file, char **ret) {
        _cleanup_free_ char *text = NULL;
        char key[PUBLIC_KEY_MAX];
        int r;

        if (ssh_key_parse(text_or_file, key, sizeof(key)) >= 0)
                text = strdup(text_or_file);
        else {
                r = input_read(text_or_file, PUBLIC_KEY_MAX, &text);
                if (r < 0)
                        return r;
                text[strcspn(text, "\r\n")] = 0;
                if (ssh_key_parse(text, key, sizeof(key)) < 0)
                        return -EINVAL;
        }
        if (!text)
                return -ENOMEM;
        *ret = take_ptr(text);
        return 0;
}
