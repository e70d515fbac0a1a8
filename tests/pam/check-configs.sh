# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# examples/pam-configs through Debian's own pam-auth-update, on an overlay over the test hosts' files; sourced by run.sh, which gives
# result(), $out and $top. Needs root and the hosts' files (tests/host/image.sh).
: "${out:?}" "${top:?}" # set by run.sh

# Prints what /etc/pam.d/NAME consists of afterwards: the modules in their order, with pam_jit's arguments.
configured() { # SUITE NAME PROFILE...
        local root=$top/build/hosts/$1 name=$2
        shift 2
        # shellcheck disable=SC2016  # the inner shell's
        ROOT=$root PROFILES="${*/#/$top/examples/pam-configs/}" NAME=$name unshare --mount --pid --fork bash -euc '
                mount -t tmpfs none /mnt
                mkdir /mnt/upper /mnt/work /mnt/root
                mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
                for p in $PROFILES; do cp "$p" /mnt/root/usr/share/pam-configs/; done
                DEBIAN_FRONTEND=noninteractive chroot /mnt/root pam-auth-update --package >&2
                sed -nE "s/^(auth|account|session)\s+(\[.*\]|\S+)\s+(pam_\S+\.so)\s*/\1 \3 /p" "/mnt/root/etc/pam.d/$NAME" |
                        sed -E "/pam_jit/!s/^(\S+ \S+).*/\1/; s/ +\$//"'
}

check_profiles() { # SUITE
        local both='pam_jit pam_jit-elevation' got fault=0
        expect() { # NAME PATTERN
                # shellcheck disable=SC2086  # two words
                got=$(configured "$suite" "$1" $both | tr '\n' ';') || fault=1
                # shellcheck disable=SC2053  # a pattern
                [[ $got == $2 ]] || { echo "$suite: $1: $got" >&2; fault=1; }
        }
        local suite=$1
        expect common-auth 'auth pam_jit.so elevations;auth pam_unix.so;*'
        expect common-account 'account pam_jit.so;account pam_unix.so;*'
        expect common-session '*session pam_jit.so logins;session pam_jit.so elevations inside;*session pam_systemd.so;session pam_jit.so elevations;'
        expect common-session-noninteractive '*session pam_jit.so logins;session pam_jit.so elevations inside;*session pam_unix.so;session pam_jit.so elevations;'
        return "$fault"
}

for suite in bookworm trixie; do
        if ((EUID != 0)) || [[ ! -x $top/build/hosts/$suite/usr/sbin/pam-auth-update ]]; then
                result 0 "example_pam_configs_$suite" "SKIP needs root and build/hosts/$suite"
        else
                check_profiles "$suite"
                result $? "example_pam_configs_$suite"
        fi
done
