#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD: what pam_jit costs, on a disposable real host, each figure beside what a user would do otherwise, in the same run and in
# turns, so that both sides meet the same noise. Writes BUILD/bench.json, an object of NAME: {"value", "unit", "baseline", "ratio",
# "target" (of the ratio, of the value where nothing is beside it, or of "difference" where that is there), "met", "samples", ...}, medians
# all, and prints it as a table. Ends with 0 whether targets are met or not, with 1 if something cannot be measured. run.sh BUILD NAME...:
# these alone.
#
# account_cycle  all artefacts of a grant made and removed (look-up, Authorize, OpenSession; end of the session's process until the
#                receipt is written) | useradd -m and userdel -r
# ssh_login      ssh JIT-ACCOUNT@host true, from start to exit | the same as an ordinary user with a home
# su_login       su - JIT-ACCOUNT -c true | su - an ordinary user, without a password
# sudo_tax       an ordinary administrator's `sudo -n true` with the shipped /etc/pam.d/sudo | with the distribution's; what is limited is the
#                difference
# sudo_gate      the same with the gate in it, by a ticket whose grant lives | with the distribution's; cgroup_move: what it takes the kernel to move a
#                process from one cgroup to another, once
# revoke         Revoke until no process, account, key, rule, home | cgroup.kill of the same processes until the kernel says empty
# revoke_1000    the same with 1,000 processes more
# scale_10k      account_cycle with 10,000 live grants | with 10
# grant_memory   what jit-reaperd grows by for each of 10,000 live grants
# empty_rss      jit-reaperd without grants
# nss_miss       getpwnam(3) of an unknown name | without our sockets
# ticket_latency a question to jit-approverd (Varlink in, one HTTPS request on a kept connection, jq program, policy, verdict out) | a
#                bare libcurl request for the same; to a ticket system that takes 5 ms
# ticket_latency_1000  the same with 1,000 questions at once, time for each
# tickets_per_sec      verdicts in a second then, from a ticket system that takes no time
# recheck_1000   per cent of one core that both daemons take while 1,000 grants of 1,000 tickets live, asked about every 15 s
# idle_wakeups   jit-reaperd's voluntary context switches in an idle minute
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../host/lib.sh
. "$here/../host/lib.sh"
# shellcheck source=measure.sh
. "$here/measure.sh"
# shellcheck source=tickets.sh
. "$here/tickets.sh"
# shellcheck source=sudo.sh
. "$here/sudo.sh"
# shellcheck source=report.sh
. "$here/report.sh"

build=$(realpath "${1:?run.sh BUILD [NAME...]}")
shift
wanted=("$@")
export BENCH_PROGRAMS=$build/bench

build_programs() {
        local name
        local -a flags=(-std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wconversion -Wshadow -D_FORTIFY_SOURCE=3 -fstack-protector-strong)
        local -a rooms=(-I"$top"/jit-reaperd/approverd/{http,providers,signed})
        local -a libs=('-Wl,--as-needed' "$build/libapproverd.a" "$build/libshared.a" -ljansson -lsystemd -lcurl -lssl -lcrypto)
        mkdir -p "$BENCH_PROGRAMS"
        for name in approver cgroup-move cycle hold http nss revoke stopwatch tls-server turns; do
                ${CC:-cc} "${flags[@]}" -I"$top/jit-reaperd/shared" -I"$top/jit-reaperd/approverd" "${rooms[@]}" -o "$BENCH_PROGRAMS/$name" \
                        "$here/$name.c" "$here/reaper-client.c" "${libs[@]}" || return
        done
}

is_wanted() {
        [[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $1 "* ]]
}

step() { # NAME...: measures what is wanted of what measure_NAME brings
        local name=$1 wish started=$SECONDS
        for wish in "$@"; do is_wanted "$wish" && break; done || return 0
        "measure_$name" || { echo "run.sh: $name cannot be measured" >&2; failed=yes; }
        echo "# $name: $((SECONDS - started)) s" >&2
}

failed=no
lib_init "${HOST_SUITE:-bookworm}"
samples=$work/samples
mkdir "$samples"
if ! build_programs || ! layer_make "$here/layer.sh" >"$work/layer.log" 2>&1; then
        tail -n 20 "$work/layer.log" >&2
        exit 1
fi
# The quiet host counts wake-ups for a minute while the other one works.
host_boot quiet || exit 1
if is_wanted idle_wakeups || is_wanted empty_rss; then
        measure_quiet &
        quiet_job=$!
fi
host_boot busy || exit 1
host=busy
step account_cycle
step ssh_login
step su_login
step sudo_tax
step sudo_gate
step revoke
step revoke_1000
step nss_miss
step ticket_latency ticket_latency_1000 tickets_per_sec
step recheck_1000
step scale_10k grant_memory
[[ -z ${quiet_job-} ]] || wait "$quiet_job" || failed=yes
echo "# scale_10k and grant_memory: a scripted approver in jit-approverd's place, as 10,000 signed tickets are more than it takes"
report "$samples" "$build/bench.json"
[[ $failed == no ]]
