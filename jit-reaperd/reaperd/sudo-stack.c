/* SPDX-License-Identifier: Apache-2.0 */

#include "sudo-stack.h"

#include "cleanup.h"

enum { DEPTH_MAX = 8, PATH_LENGTH_MAX = 256 };

static bool stack_has_us(const char *folder, const char *service, unsigned depth);

static char *next_word(char **state) {
        return strtok_r(NULL, " \t\n", state);
}

/* What stands between brackets is one word (pam.conf(5)). */
static char *next_control(char **state) {
        char *word = next_word(state), *first = word;

        if (word && *word == '[')
                while (word && !strchr(word, ']'))
                        word = next_word(state);
        return word ? first : NULL;
}

/* "TYPE CONTROL MODULE ARGUMENTS", or Debian's "@include SERVICE". */
static bool line_has_us(const char *folder, char *line, unsigned depth) {
        char *state = NULL, *type = strtok_r(line, " \t\n", &state);

        if (!type || *type == '#')
                return false;
        if (streq(type, "@include")) {
                const char *service = next_word(&state);
                return service && stack_has_us(folder, service, depth + 1);
        }
        if (strcasecmp(type, "session") != 0)
                return false;

        const char *control = next_control(&state), *module = next_word(&state);
        if (!control || !module)
                return false;
        if (streq(control, "include") || streq(control, "substack"))
                return stack_has_us(folder, module, depth + 1);
        const char *slash = strrchr(module, '/');
        if (!streq(slash ? slash + 1 : module, "pam_jit.so"))
                return false;
        for (const char *argument; (argument = next_word(&state));)
                if (streq(argument, "inside")) /* looks where the process is, and opens nothing */
                        return false;
        return true;
}

static bool stack_has_us(const char *folder, const char *service, unsigned depth) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        char path[PATH_LENGTH_MAX];
        bool found = false;
        size_t size = 0;

        if (depth > DEPTH_MAX || strchr(service, '/') ||
            snprintf(path, sizeof(path), "%s/%s", folder, service) >= (int) sizeof(path))
                return false;
        f = fopen(path, "re");
        while (f && !found && getline(&line, &size, f) >= 0)
                found = line_has_us(folder, line, depth);
        return found;
}

bool sudo_stack_has_us(const char *folder) {
        return stack_has_us(folder, "sudo", 0) && stack_has_us(folder, "sudo-i", 0);
}
