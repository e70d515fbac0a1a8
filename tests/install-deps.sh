#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages named as arguments that are not there yet. Says what it does; does nothing twice.
set -euo pipefail

missing=()
for package in "$@"; do
        # On Debian 13 the sanitizer runtime goes with another clang: take what there is.
        if [[ $package == libclang-rt-* ]] && ! apt-cache show "$package" >/dev/null 2>&1; then
                package=libclang-rt-dev
        fi
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
        echo "make deps knows apt only; README.md lists the packages for other distributions" >&2
        exit 1
fi
if ((EUID != 0)); then
        echo "not root: cannot install ${missing[*]}; run: sudo make deps" >&2
        exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -q update && apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "apt-get could not install them; see above" >&2
        exit 1
fi
