#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layer.sh ROOT: what an administrator does to a stock host, with the README's own steps: `make install`, the files in examples/ as
# they stand, the sockets enabled. And people: alice asks, bob and carol approve, dave's key has been withdrawn, mallory is a stranger
# with a plain account, olga is the ordinary administrator with her own sudo rule. Nobody but olga has a sudo rule.
set -euo pipefail
root=$1
top=$(cd "$(dirname "$0")/../.." && pwd)

in_root() { chroot "$root" "$@"; }

# ---- people ----
in_root ssh-keygen -q -A
for name in alice bob carol dave mallory olga al alice2; do
        in_root useradd -m -s /bin/bash "$name"
        home=$root/home/$name
        mkdir -m 0700 "$home/.ssh"
        ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$home/.ssh/id_ed25519"
        cp "$home/.ssh/id_ed25519.pub" "$home/.ssh/authorized_keys"
        sed 's/^/* /' "$root"/etc/ssh/ssh_host_*_key.pub >"$home/.ssh/known_hosts"
        in_root chown -R "$name:$name" "/home/$name/.ssh"
done
echo 'olga ALL=(ALL:ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/olga"
chmod 0440 "$root/etc/sudoers.d/olga"
# Twenty logins at the same moment are a test, and a flood is one; sshd's default drops some of them.
echo 'MaxStartups 200' >"$root/etc/ssh/sshd_config.d/10-many.conf"
# OpenSSH 9.8 and later turns an address away after some refusals, and refusals are what most tests are about.
if grep -qai PerSourcePenaltyExemptList "$root/usr/sbin/sshd"; then
        echo 'PerSourcePenaltyExemptList 127.0.0.1' >>"$root/etc/ssh/sshd_config.d/10-many.conf"
fi
printf '127.0.0.1 localhost db1 web1\n::1 localhost\n' >"$root/etc/hosts"

# ---- pam_jit ----
make -s -C "$top" install DESTDIR="$root" BUILD="${BUILD:-build}"
cp -r "$top"/examples/pam.d/. "$root/etc/pam.d/"
cp -r "$top"/examples/sshd_config.d/. "$root/etc/ssh/sshd_config.d/"
install -m 0440 "$top"/examples/sudoers.d/* "$root/etc/sudoers.d/"
cp -r "$top"/examples/roles.d/. "$root/etc/jit/roles.d/"
# What a test suite adds: roles and settings of its own.
[[ -z ${LAYER_ETC-} ]] || cp -r "$LAYER_ETC/." "$root/etc/jit/"
systemctl --quiet --root="$root" enable jit-reaperd.socket jit-approverd.socket

for name in bob carol dave; do
        echo "$name namespaces=\"approval@pamjit\" $(cut -d' ' -f1,2 "$root/home/$name/.ssh/id_ed25519.pub")"
done >"$root/etc/jit/approvers"
cp "$root/home/dave/.ssh/id_ed25519.pub" "$root/etc/jit/revoked"
mkdir -p "$root/etc/jit/keys.d"
cp "$root/home/alice/.ssh/id_ed25519.pub" "$root/etc/jit/keys.d/alice"
