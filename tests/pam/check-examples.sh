# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The shipped examples through the programs that read them, where those are installed; sourced by run.sh, which gives result(),
# with_names(), $out and $top. The booted hosts use the same files for real.
: "${out:?}" "${top:?}" # set by run.sh

sshd=$(PATH=$PATH:/usr/sbin command -v sshd)
visudo=$(PATH=$PATH:/usr/sbin command -v visudo)

sshd_says() { # USER: the effective configuration for that user, as sshd reads it with our file in Debian's place
        with_names "$sshd" -T -f "$out/sshd_config" -C "user=$1,host=h,addr=192.0.2.1,laddr=192.0.2.2,lport=22" 2>&1
}

check_sshd_example() {
        [[ -f $out/host_key ]] || ssh-keygen -q -t ed25519 -N '' -f "$out/host_key" || return
        printf '%s\n' "Include $top/examples/sshd_config.d/50-pam-jit.conf" "HostKey $out/host_key" \
                'UsePAM yes' 'PasswordAuthentication yes' >"$out/sshd_config"
        for user in jit-chg1 JIT-CHG1 Jit-chg1 jIT-chg1; do
                for line in 'authorizedkeysfile /run/jit/keys/%u' 'authenticationmethods publickey' \
                        'passwordauthentication no' 'trustedusercakeys none' 'permituserrc no'; do
                        sshd_says "$user" | grep -x "$line" >/dev/null || { echo "$user: not $line" >&2; return 1; }
                done
        done
        sshd_says alice | grep -x 'passwordauthentication yes' >/dev/null &&
                sshd_says alice | grep -x 'authenticationmethods any' >/dev/null
}

if [[ -z $sshd || ! -d /run/sshd ]]; then
        result 0 example_sshd_config_is_for_ours_only "SKIP no sshd here"
else
        check_sshd_example
        result $? example_sshd_config_is_for_ours_only
fi

if [[ -z $visudo ]]; then
        result 0 example_sudoers_parses "SKIP no visudo here"
else
        "$visudo" -q -c -f "$top/examples/sudoers.d-gate/pam_jit-gate" && "$visudo" -q -c -f "$top/examples/sudoers.d/pam_jit"
        result $? example_sudoers_parses
fi
