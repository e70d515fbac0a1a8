#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The module through the real libpam: run.sh BUILD, after BUILD/pam_jit.so is made. As any user; what needs root says so and is skipped.
# Prints "ok NAME" or "not ok NAME" for each test, exits 1 if one failed.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "${1:?usage: run.sh BUILD}" && pwd) || exit 2
out=$build/tests/pam
failures=0
programs=(account answers wait session elevated gate ticket marker inside examples stacks)

result() { # STATUS NAME [COMMENT]
        if (($1 == 0)); then echo "ok $2${3:+ # $3}"; else echo "not ok $2${3:+ # $3}"; failures=$((failures + 1)); fi
}

compile() {
        local flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wformat=2 -O1 -gdwarf-4 -fPIC "-I$here" "-I$top/tests/unit")
        mkdir -p "$out"
        "${CC:-cc}" "${flags[@]}" -shared -fvisibility=hidden -o "$out/pam_probe.so" "$here/pam-probe.c" -lpam || return
        for t in "${programs[@]}"; do
                # libpam calls the C library's syslog entry; the fixture stands in for it, so it has to be exported.
                "${CC:-cc}" "${flags[@]}" -rdynamic -o "$out/test-$t" "$here/test-$t.c" "$here/fixture.c" \
                        "$here/scripted-reaper.c" "$here/example.c" -lpam || return
        done
}

# Runs a command where the names in passwd resolve, and nothing else does.
with_names() {
        LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=$here/passwd NSS_WRAPPER_GROUP=$here/group \
                PAM_JIT_MODULE=$build/pam_jit.so PAM_PROBE_MODULE=$out/pam_probe.so \
                PAM_EXAMPLES=$top/examples "$@"
}

run_program() { # a test program prints its own lines
        with_names "$out/$1"
        local status=$?
        ((status == 0)) || failures=$((failures + 1))
        # Killed or not set up: no line of its own says so.
        ((status <= 1)) || result 1 "$1" "ended with status $status"
}

run_valgrind() {
        local log=$out/valgrind.log status
        if ! command -v valgrind >/dev/null; then
                result 0 "valgrind" "SKIP no valgrind"
                return
        fi
        for t in account answers wait session elevated gate ticket marker inside; do
                PAM_TEST_SLOW=1 with_names valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
                        --errors-for-leak-kinds=definite,indirect,possible --track-fds=no --child-silent-after-fork=yes \
                        --error-exitcode=9 "$out/test-$t" >"$log" 2>&1
                status=$?
                ((status == 0)) || grep -vE '^ok ' "$log" | head -n 60 >&2
                result "$status" "valgrind_test_$t"
        done
}

compile || { result 1 compile; exit 1; }
for t in "${programs[@]}"; do
        run_program "test-$t"
done
# shellcheck source-path=SCRIPTDIR source=lint-module.sh
. "$here/lint-module.sh"
# shellcheck source-path=SCRIPTDIR source=check-examples.sh
. "$here/check-examples.sh"
# shellcheck source-path=SCRIPTDIR source=check-configs.sh
. "$here/check-configs.sh"
run_valgrind
((failures == 0))
