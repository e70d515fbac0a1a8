#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image.sh BUILD: makes BUILD/cache/rt5.tar, the root of a seeded Request Tracker 5 on SQLite out of Debian's packages, and unpacks it
# once to BUILD/cache/rt5. Prints the unpacked folder's path. Cached by a hash of what goes into it. Users, each with a password: alice
# asks, bob and carol approve, checker is the service account, whose token lies in /etc/request-tracker5/checker.token.
set -euo pipefail
rt_dir=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$rt_dir/../../.." && pwd)
mkdir -p "${1:?usage: image.sh BUILD}/cache"
cache=$(cd "$1/cache" && pwd)
suite=bookworm

packages=(request-tracker5 rt5-standalone rt5-db-sqlite dbconfig-sqlite3 msmtp-mta)

# In namespaces of its own: nothing can stay mounted, and no process outlives it.
image_make() {
        # shellcheck disable=SC2016
        unshare --mount --propagation private --pid --fork --kill-child "$BASH" -c '
                set -euo pipefail
                mount -t proc proc "$1/proc"
                exec "$2" "$1" "${@:3}"' image_make "$1" "$rt_dir/install.sh" "${packages[@]}" >"$cache/rt5.log" 2>&1
}

exec 9>"$cache/rt5.lock"
flock 9
stamp=$(cat "$rt_dir"/{image.sh,install.sh,90-test.pm,91-access.pm,access.initialdata} | sha256sum | cut -d' ' -f1)
if [[ ! -f $cache/rt5.tar || $(cat "$cache/rt5.stamp" 2>/dev/null) != "$stamp" ]]; then
        echo "making a Request Tracker 5 out of Debian's packages (once, some 90 s)" >&2
        # The same Debian as the hosts of the tests.
        "$top/tests/host/image.sh" "$suite" >/dev/null
        rm -rf "$cache/rt5" "$cache/rt5.stamp" "$cache/rt5.root.stamp"
        mkdir "$cache/rt5"
        tar -C "$cache/rt5" --xattrs --numeric-owner -xpf "$top/build/images/$suite.tar"
        image_make "$cache/rt5" || { tail -n 30 "$cache/rt5.log" >&2; exit 1; }
        tar -C "$cache/rt5" --xattrs --numeric-owner -cpf "$cache/rt5.tar.tmp" .
        mv "$cache/rt5.tar.tmp" "$cache/rt5.tar"
        echo "$stamp" | tee "$cache/rt5.root.stamp" >"$cache/rt5.stamp"
fi
if [[ $(cat "$cache/rt5.root.stamp" 2>/dev/null) != "$stamp" ]]; then
        rm -rf "$cache/rt5" "$cache/rt5.root.stamp"
        mkdir "$cache/rt5"
        tar -C "$cache/rt5" --xattrs --numeric-owner -xpf "$cache/rt5.tar"
        echo "$stamp" >"$cache/rt5.root.stamp"
fi
echo "$cache/rt5"
