#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layer.sh ROOT: the tests' host, and the measuring programs ($BENCH_PROGRAMS) in /opt/bench.
set -euo pipefail
root=$1
here=$(cd "$(dirname "$0")" && pwd)

LAYER_ETC=$here/etc "$here/../host/layer.sh" "$root"
install -d "$root/opt/bench"
install -m 0755 "$BENCH_PROGRAMS"/* "$root/opt/bench/"
