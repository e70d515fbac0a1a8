#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD SECONDS: every fuzzer for so long, from its kept corpus, under AddressSanitizer and UBSan. What it finds lies in
# BUILD/fuzz/NAME/ and belongs into corpus-NAME/ once it is understood.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: run.sh BUILD SECONDS}
seconds=${2:?usage: run.sh BUILD SECONDS}

if ! make -j"$(nproc)" BUILD="$build/fuzz-build" CC=clang CFLAGS="-O1 -g" \
        SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" fuzzers >"$build/log/fuzz-build.log" 2>&1; then
        tail -n 20 "$build/log/fuzz-build.log" >&2
        echo "not ok build (see $build/log/fuzz-build.log)"
        exit 1
fi

# fuzz FUZZER: one line about it.
fuzz() {
        local name=${1##*/fuzz-} work
        work=$build/fuzz/$name
        mkdir -p "$work/found"
        if "$1" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$work/" -print_final_stats=1 \
                "$work/found" "tests/fuzz/corpus-$name" >"$work/log" 2>&1; then
                echo "ok $name ($(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs)"
        else
                echo "not ok $name (see $work/log)"
                tail -n 20 "$work/log" >&2
                return 1
        fi
}
export build seconds
export -f fuzz

# One computes all the time: as many at a time as there are processors.
find "$build/fuzz-build/fuzz" -name 'fuzz-*' -type f -perm -u+x -print0 | sort -z | xargs -0 -P "$(nproc)" -I {} bash -c 'fuzz "$1"' fuzz {}
