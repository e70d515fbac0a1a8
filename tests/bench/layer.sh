#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layer.sh ROOT: the tests' host, and the measuring programs ($BENCH_PROGRAMS) in /opt/bench.
set -euo pipefail
root=$1
here=$(cd "$(dirname "$0")" && pwd)

# /etc/pam.d/sudo as the distribution has it, as examples/ have it, and that with the gate.
install -d "$root/opt/bench/pam.d"
cp "$root/etc/pam.d/sudo" "$root/opt/bench/pam.d/stock"
LAYER_ETC=$here/etc "$here/../host/layer.sh" "$root"
cp "$root/etc/pam.d/sudo" "$root/opt/bench/pam.d/ours"
sed -E '/^[^#]/s/pam_jit\.so( gate)?/pam_jit.so gate/' "$root/etc/pam.d/sudo" >"$root/opt/bench/pam.d/gate"
# mallory can be anybody's by su: a password is not what is measured.
sed -i '/^auth.*pam_rootok\.so/a auth sufficient pam_succeed_if.so quiet user = mallory' "$root/etc/pam.d/su"
install -m 0755 "$BENCH_PROGRAMS"/* "$root/opt/bench/"
# The ticket system's certificate, which is its own authority.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$root/etc/jit/bench.key" -out "$root/etc/jit/bench.pem" 2>/dev/null
chmod 0644 "$root/etc/jit/bench.pem"
