#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh BUILD: what can be seen without running anything: who links what, what is exported, includes, linters, man pages, scripts.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: lint.sh BUILD}
mkdir -p "$build/log"
failed=0

# result NAME OUTPUT: no output is good.
result() {
        if [[ -z $2 ]]; then
                echo "ok $1"
        else
                echo "not ok $1"
                head -n 40 <<<"$2" >&2
                failed=1
        fi
}

needed() { readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'; }

# ---- who links what: root is never on the network and parses no ticket; the module is next to nothing ----
result "jit-reaperd links no curl, no jq, no TLS" "$(needed "$build/jit-reaperd" | grep -E 'curl|jq|libssl|nghttp')"
result "pam_jit.so links libpam, jansson and libc only" "$(needed "$build/pam_jit.so" | grep -vE '^(libpam|libjansson|libc)\.so')"
result "pam_jit.so exports its entry points only" \
        "$(nm -D --defined-only "$build/pam_jit.so" | awk '{print $3}' | grep -vE '^pam_sm_(authenticate|setcred|acct_mgmt|open_session|close_session)(@|$)' | grep -v '^PAM_JIT')"
for binary in jit-reaperd jit-approverd jitctl pam_jit.so; do
        result "$binary is hardened (RELRO, BIND_NOW, no executable stack)" "$(
                # Not grep -q: it ends at the first hit, and readelf by SIGPIPE, which pipefail takes for a miss.
                readelf -lW "$build/$binary" | grep GNU_RELRO >/dev/null || echo "no RELRO"
                readelf -dW "$build/$binary" | grep -E 'BIND_NOW|NOW' >/dev/null || echo "no BIND_NOW"
                readelf -lW "$build/$binary" | awk '/GNU_STACK/ && /RWE/ {print "executable stack"}'
        )"
done
# A folder is a process: nobody includes another process's headers.
result "no process includes another's headers" "$(
        for folder in reaperd approverd jitctl; do
                git ls-files "jit-reaperd/$folder/*.[ch]" | xargs grep -nE '#include "\.\./|#include "(reaperd|approverd|jitctl)/'
        done
        grep -nE '#include "\.\./' jit-reaperd/shared/*.[ch] pam_jit/*.[ch]
)"
# shellcheck disable=SC2046  # a list of files
result "no unbounded string functions" \
        "$(grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|system|popen)\(' $(git ls-files 'pam_jit/*.c' 'jit-reaperd/*.c'))"
result "jit-reaperd asks no name service and makes no blocking D-Bus call" \
        "$(grep -nE '\b(getpwnam|getpwuid|getgrnam|getgrgid|getpwent|getaddrinfo|initgroups|sd_bus_call|sd_bus_call_method|sd_bus_get_property[a-z_]*|sd_bus_add_match|sd_bus_match_signal)(_r)?\(' jit-reaperd/reaperd/*.c |
                grep -vE ':[0-9]+:\s*(/?\*|//)')"
result "every source file has its licence line" "$(git ls-files '*.c' '*.h' '*.sh' '*.service' '*.socket' | grep -v corpus | xargs grep -L 'SPDX-License-Identifier: Apache-2.0')"

# ---- linters; each exception has its reason in .clang-tidy or here ----
# What is new is looked at as well.
sources=$(git ls-files --cached --others --exclude-standard 'pam_jit/*.c' 'jit-reaperd/*.c')
flags=(-std=gnu11 -D_GNU_SOURCE -DJIT_VERSION='"0"' -Ijit-reaperd/shared -Ijit-reaperd/approverd
        -Ijit-reaperd/approverd/signed -Ijit-reaperd/approverd/http -Ijit-reaperd/approverd/providers)
# shellcheck disable=SC2086,SC2016  # a list of files; the inner shell's dollars
result "clang-tidy" "$(printf '%s\n' $sources | tidy_flags=${flags[*]} xargs -P "$(nproc)" -n 8 sh -c 'exec clang-tidy --quiet "$@" -- $tidy_flags' - \
        2>/dev/null | grep -E 'warning:|error:')"
# A linter that looks at nothing finds nothing.
printf 'int f(char *p);\nint f(char *p) {\n        if (!p)\n                return *p;\n        return 0;\n}\n' >"$build/log/fault.c"
result "clang-tidy finds what is wrong" "$(echo "$build/log/fault.c" | tidy_flags=${flags[*]} xargs sh -c 'exec clang-tidy --quiet "$@" -- $tidy_flags' - 2>/dev/null |
        grep 'NullDereference' >/dev/null || echo "a null pointer that is followed was not found")"
# unusedFunction: a library's functions are used elsewhere; missingIncludeSystem: system headers are not cppcheck's business;
# normalCheckLevelMaxBranches: information, not a finding; memleak: it does not know the cleanup attribute (the sanitizers and valgrind look
# for leaks where tests run).
# shellcheck disable=SC2086
result "cppcheck" "$(cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -j "$(nproc)" -D_GNU_SOURCE \
        -DJIT_VERSION='"0"' --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=memleak -Ijit-reaperd/shared $sources 2>&1)"
result "man pages" "$(git ls-files '*.[1-8]' | grep -vE 'corpus|tests/' | xargs mandoc -T lint -W warning 2>&1)"
result "scripts" "$(git ls-files '*.sh' .ci/run | xargs shellcheck -S warning -x -P SCRIPTDIR 2>&1)"
result "examples/approvers is what ssh-keygen takes" \
        "$(ssh-keygen -Y match-principals -I bob -f examples/approvers 2>&1 | grep -vx bob)"
result "units" "$(
        for unit in jit-reaperd/*/*.service jit-reaperd/*/*.socket; do
                grep -n '[[:space:]]$' "$unit"
        done
)"
exit "$failed"
