#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image.sh SUITE: makes build/images/SUITE.tar, the root file system of a disposable host, and unpacks it once to build/hosts/SUITE.
# Prints the unpacked folder's path. Cached by a hash of what goes into it. Uses this machine's own apt configuration.
# shellcheck disable=SC2016  # the dollars are for apt-get and for mmdebstrap's hooks
set -euo pipefail

suite=${1:?usage: image.sh SUITE}
top=$(cd "$(dirname "$0")/../.." && pwd)
images=$top/build/images
root=$top/build/hosts/$suite

# What a stock host has, what our binaries link, and what the tests look with. No compiler: the host runs what was built outside.
packages=(
        systemd systemd-sysv dbus libpam-systemd libnss-systemd
        openssh-server openssh-client openssh-sftp-server sudo login passwd util-linux procps iproute2 ca-certificates
        libjansson4 libjq1 libinih1 libssl3 libcurl4
        nginx cron at tmux strace netcat-openbsd acl lsof bsdextrautils
)
case $suite in
bookworm)
        packages+=(tlog)
        ;;
trixie)
        packages=("${packages[@]/libssl3/libssl3t64}")
        packages=("${packages[@]/libcurl4/libcurl4t64}" util-linux-extra wtmpdb libpam-wtmpdb polkitd sudo-rs)
        ;;
esac

masked=(
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
        systemd-networkd.service systemd-resolved.service console-getty.service systemd-firstboot.service
)

# The archive this machine itself installs Debian from; mmdebstrap chooses when apt cannot tell.
archive_uri() {
        apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
                awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

image_make() {
        local tar=$1 mirror
        local -a args=(--variant=minbase --format=tar --quiet --include="$(IFS=,; echo "${packages[*]}")")

        mirror=$(archive_uri)
        # Documentation and translations are half of the unpacking time; the services' own state is made at boot.
        args+=(--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*'
                --dpkgopt='path-exclude=/usr/share/locale/*'
                --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname'
                --customize-hook=': >"$1/etc/machine-id"')
        # Units that a container has no use for, and timers that would disturb a measurement.
        args+=(--customize-hook="systemctl --quiet --root=\"\$1\" mask ${masked[*]}")
        mmdebstrap "${args[@]}" "$suite" "$tar.tmp" ${mirror:+"$mirror"} >&2
        mv "$tar.tmp" "$tar"
}

mkdir -p "$images" "$top/build/hosts"
exec 9>"$images/$suite.lock"
flock 9

stamp=$(cat "$0" - <<<"$suite" | sha256sum | cut -d' ' -f1)
if [[ ! -f $images/$suite.tar || $(cat "$images/$suite.stamp" 2>/dev/null) != "$stamp" ]]; then
        echo "making the image of a $suite host (once, some 30 s)" >&2
        rm -f "$images/$suite.stamp"
        image_make "$images/$suite.tar"
        echo "$stamp" >"$images/$suite.stamp"
fi
if [[ $(cat "$root.stamp" 2>/dev/null) != "$stamp" ]]; then
        rm -rf "$root" "$root.stamp"
        mkdir -p "$root"
        tar -C "$root" --xattrs --numeric-owner -xpf "$images/$suite.tar"
        echo "$stamp" >"$root.stamp"
fi
echo "$root"
