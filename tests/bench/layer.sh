#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layer.sh ROOT: the tests' host, and the measuring programs ($BENCH_PROGRAMS) in /opt/bench.
set -euo pipefail
root=$1
here=$(cd "$(dirname "$0")" && pwd)

LAYER_ETC=$here/etc "$here/../host/layer.sh" "$root"
install -d "$root/opt/bench"
install -m 0755 "$BENCH_PROGRAMS"/* "$root/opt/bench/"
# The ticket system's certificate, which is its own authority.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$root/etc/jit/bench.key" -out "$root/etc/jit/bench.pem" 2>/dev/null
chmod 0644 "$root/etc/jit/bench.pem"
