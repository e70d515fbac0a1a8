# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016  # host, work, samples: run.sh's; dollars for inner shells
# The measurements. Each leaves files $samples/NAME.value, .baseline and .EXTRA, a number a line. Sourced by run.sh.

on() { host_run "$host" "$@"; }
as() { host_as "$host" "$@"; }

put_sample() { # NAME SIDE: numbers from standard input, or as arguments
        if (($# > 2)); then printf '%s\n' "${@:3}"; else cat; fi >>"$samples/$1.$2"
}

# tickets_make PREFIX COUNT: for alice (asked for by root, who is not limited in number), approved by bob with his key: PREFIX1 and so on.
# bob is asked to slow down now and then.
tickets_make() {
        on sh -c 'for i in $(seq "$2"); do jitctl ticket new "$1$i" --requester alice --no-key --role bench --host db1 --for 1h \
                --title "measurement $i" || exit; done' sh "$@" >"$work/tickets.out" 2>&1 &&
                as bob sh -c 'for i in $(seq "$2"); do for try in 1 2 3 4; do jitctl ticket approve "$1$i" --yes && continue 2; sleep 1; done
                exit 1; done' sh "$@" >>"$work/tickets.out" 2>&1 || { cat "$work/tickets.out" >&2; return 1; }
}

daemon_pid() { on systemctl show -P MainPID jit-reaperd.service; }

status_kb() { # FIELD: of jit-reaperd, in kB
        on awk -v f="$1:" '$1 == f { print $2 }' "/proc/$(daemon_pid)/status"
}

wait_for_line() { # FILE PATTERN: from the last background job, at most 120 s
        local i pid=$!
        for ((i = 0; i < 6000; i++)); do
                grep -q -- "$2" "$1" 2>/dev/null && return 0
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.02
        done
        cat "$1" >&2
        return 1
}

# ---- account_cycle ----

cycle_samples() { # NAME SIDE: sorts what cycle prints into samples
        awk -v d="$samples/$1" -v side="$2" '
                $1 == "cycle" { split("total lookup authorize open revoke receipt", step)
                                for (i in step) print $(i + 1) >>(d "." side "_" step[i]) }
                $1 == "useradd" { split("total useradd userdel", step); for (i in step) print $(i + 1) >>(d ".baseline_" step[i]) }'
}

# The median of the whole cycles, on both sides; each step's own is in bench.json beside it.
cycle_total() { # NAME SIDE
        local name=$1 side=$2
        cp "$samples/$name.${side}_total" "$samples/$name.$side"
        wc -l <"$samples/$name.${side}_total" >"$samples/$name.samples"
}

measure_account_cycle() {
        tickets_make cycle 33 || return
        on /opt/bench/cycle jit-cycle 1 3 useradd >/dev/null && # warm
                on /opt/bench/cycle jit-cycle 4 30 useradd >"$work/cycle.out" || return
        cycle_samples account_cycle value <"$work/cycle.out"
        cycle_total account_cycle value
        cycle_total account_cycle baseline
}

# ---- ssh_login ----

ssh_timed() { # FROM TO
        as "$1" /opt/bench/stopwatch ssh -o BatchMode=yes -o LogLevel=ERROR "$2@db1" true
}

# The ordinary user is measured twice. Warm: alice logs in again within logind's UserStopDelaySec= (10 s), so that her user manager and
# /run/user/UID are still there from the last time; this is the baseline, as it is the stricter one. Cold: carol's are stopped each time
# before, as for somebody's first login of the day. An account of ours has neither: PID 1 starts no user manager for it.
measure_ssh_login() {
        local i
        tickets_make login 27 || return
        for i in 1 2; do # warm
                ssh_timed alice "jit-login$i" && ssh_timed alice alice && ssh_timed carol carol || return
        done >/dev/null
        for ((i = 3; i <= 27; i++)); do
                ssh_timed alice "jit-login$i" | put_sample ssh_login value || return
                sleep 0.1
                on systemctl is-active --quiet "user@$(on id -u alice)" || { echo "alice is not warm" >&2; return 1; }
                ssh_timed alice alice | put_sample ssh_login baseline || return
                sleep 0.1
                ((i % 3 == 0)) || continue
                on systemctl stop "user-$(on id -u carol).slice"
                ssh_timed carol carol | put_sample ssh_login baseline_cold || return
                sleep 0.1
        done
}

# ---- revoke ----

# session_start FROM TO COMMAND: an ssh session that says "up" and stays.
session_start() {
        local out=$work/session.$2
        rm -f "$out"
        as "$1" ssh -o BatchMode=yes -o LogLevel=ERROR "$2@db1" "$3" >"$out" 2>&1 </dev/null &
        wait_for_line "$out" '^up$'
}

# The same processes on both sides: carol gets no user manager, in the way in which accounts of ours get none. mallory, with her user
# manager, is there to show what that alone is worth.
manager_take_away() { # UID
        on sh -c 'cd /run/systemd/system && ln -sf /dev/null "user@$1.service" && printf "%s\n" "[Service]" Type=oneshot RemainAfterExit=yes \
                ExecStop=-/bin/true "Slice=user-%i.slice" >"user-runtime-dir@$1.service" && systemctl daemon-reload' sh "$1"
}

manager_give_back() { # UID
        on sh -c 'cd /run/systemd/system && rm -f "user@$1.service" "user-runtime-dir@$1.service" && systemctl daemon-reload' sh "$1"
}

revoke_pairs() { # NAME COUNT COMMAND
        local i carol mallory
        carol=$(on id -u carol) mallory=$(on id -u mallory)
        tickets_make "${1//_/-}n" "$2" || return
        on systemctl stop "user-$carol.slice"
        manager_take_away "$carol" || return
        for ((i = 1; i <= $2; i++)); do
                session_start alice "jit-${1//_/-}n$i" "$3" && session_start carol carol "$3" || return
                sleep 0.3 # what a login leaves for later is done by then
                revoke_one_pair "$1" "$i" "jit-${1//_/-}n$i" "$carol" || return
                if ((i <= 3)) && [[ $1 == revoke ]]; then
                        session_start mallory mallory "$3" || return
                        sleep 0.3
                        on /opt/bench/revoke --kill "$mallory" | put_sample "$1" baseline_user_manager
                        on systemctl reset-failed "user@$mallory.service" 2>/dev/null
                fi
                sleep 0.2
        done
        manager_give_back "$carol"
}

revoke_one_pair() { # NAME I ACCOUNT UID: the first is a warm-up; who comes first takes turns
        local value baseline
        if (($2 % 2)); then value=$(on /opt/bench/revoke "$3") || return; sleep 0.1; fi
        baseline=$(on /opt/bench/revoke --kill "$4") || return
        if (($2 % 2 == 0)); then sleep 0.1; value=$(on /opt/bench/revoke "$3") || return; fi
        (($2 == 1)) || { put_sample "$1" value "$value"; put_sample "$1" baseline "$baseline"; }
}

measure_revoke() { revoke_pairs revoke 14 'echo up; exec sleep 1000'; }

measure_revoke_1000() {
        revoke_pairs revoke_1000 6 'for i in $(seq 1000); do sleep 1000 & done; echo up; wait'
}

# ---- nss_miss ----

# As an ordinary user, who may not make anything be asked about: names that could be ours, and names that could not. What is reported is
# the kind that gets slower. The daemon's first answers after a start are not counted.
measure_nss_miss() {
        local round kind nss=/opt/bench/nss
        for ((round = 0; round < 12; round++)); do
                on systemctl reset-failed jit-reaperd.socket # so many starts in so short a time are too many for PID 1
                on systemctl start jit-reaperd.socket jit-reaperd.service || return
                as mallory $nss jit-warm 0 50 >/dev/null
                for kind in nobody- jit-nobody; do
                        as mallory $nss $kind $((round * 1000)) 250 | put_sample nss_miss "with_${kind%nobody*}" || return
                done
                on systemctl stop jit-reaperd.socket jit-reaperd.service || return
                as mallory $nss jit-warm 0 50 >/dev/null
                for kind in nobody- jit-nobody; do
                        as mallory $nss $kind $((round * 1000 + 500)) 250 | put_sample nss_miss "without_${kind%nobody*}" || return
                done
        done
        on systemctl start jit-reaperd.socket
        nss_choose
}

nss_choose() {
        local d=$samples/nss_miss kind=
        awk -v plain="$(median "$d.with_")" -v plain0="$(median "$d.without_")" -v ours="$(median "$d.with_jit-")" \
                -v ours0="$(median "$d.without_jit-")" 'BEGIN { exit !(ours / ours0 > plain / plain0) }' && kind=jit-
        cp "$d.with_$kind" "$d.value" && cp "$d.without_$kind" "$d.baseline"
        mv "$d.with_" "$d.with_other_names" && mv "$d.without_" "$d.without_other_names"
}

# ---- scale_10k, grant_memory ----

# The caller of OpenSession must be in a logind session, or jit-reaperd ends it half a minute later: so a scope with such a name.
hold_start() { # PREFIX FIRST COUNT [PEOPLE]: until $work is gone
        local out=$work/hold.$host.$1.$2 fifo=$work/hold.$host.$1.$2.fifo fd
        mkfifo "$fifo"
        on systemd-run --quiet --scope --slice=user-0.slice --unit="session-$1$2" /opt/bench/hold "jit-$1" "${@:2}" <"$fifo" >"$out" 2>&1 &
        # shellcheck disable=SC2034  # held open, not written to
        exec {fd}>"$fifo"
        wait_for_line "$out" '^held$'
}

# In jit-approverd's place a program that says yes to everything: 10,000 signed tickets would take minutes of ssh-keygen, and jit-approverd
# does not take as many.
scripted_approver() {
        on systemctl stop jit-approverd.socket jit-approverd.service &&
                on systemd-run --quiet --unit=bench-approver /opt/bench/approver /run/jit/io.pamjit.Approver &&
                on systemctl restart jit-reaperd.service || return
        sleep 0.3
        on /opt/bench/cycle jit-warm 1 3 >/dev/null && on systemctl restart jit-reaperd.service || return
        sleep 0.5
}

# hold_many PREFIX COUNT: a thousand at a time. PID 1 gets several units for each grant, and is slower than we are: what waits for it in
# jit-reaperd's queue is not what a grant takes.
hold_many() {
        local first
        for ((first = 1; first <= $2; first += 1000)); do
                hold_start "$1" "$first" $(($2 - first < 999 ? $2 - first + 1 : 1000)) && pid1_settles || return
        done
}

# A grant takes two descriptors of jit-reaperd; where the machine allows it fewer than LimitNOFILE= asks for, there are fewer grants.
grants_possible() {
        local limit
        limit=$(on awk '$1 == "Max" && $2 == "open" { print $5 }' "/proc/$(daemon_pid)/limits") || return
        limit=$(((limit - 100) / 2))
        echo $((limit < 10000 ? limit : 10000))
}

# Two hosts that are alike, "quiet" with 10 grants and "busy" with 10,000, take turns: what else the machine does meets both. What a cycle
# leaves to PID 1 (which at each mount and unmount reads the whole list again, of 10,000 mounts) is over before the other's turn; how much of
# PID 1's time that is for each cycle goes into the file as well.
measure_scale_10k() {
        local empty grants round host
        wait "${quiet_job-}" 2>/dev/null
        for host in quiet busy; do scripted_approver || return; done
        grants=$(grants_possible) && empty=$(status_kb VmRSS) || return
        hold_many many "$grants" || return
        put_sample grant_memory value $((($(status_kb VmRSS) - empty) * 1024 / grants))
        put_sample grant_memory grants "$grants"
        put_sample scale_10k grants "$grants"
        host=quiet hold_start few 1 10 || return
        host=busy pid1_settles
        for ((round = 0; round <= 6; round++)); do
                if ((round % 2)); then
                        scale_turn quiet baseline "$round" && scale_turn busy value "$round" || return
                else
                        scale_turn busy value "$round" && scale_turn quiet baseline "$round" || return
                fi
        done
        cycle_total scale_10k value
        cycle_total scale_10k baseline
}

scale_turn() { # HOST SIDE ROUND: round 0 is for warming up
        local host=$1 count=4 before
        before=$(pid1_ms)
        on /opt/bench/cycle jit-s $(($3 * 10)) $count >"$work/cycle.$1" && pid1_settles || return
        (($3 > 0)) || return 0
        cycle_samples scale_10k "$2" <"$work/cycle.$1"
        put_sample scale_10k "${2}_pid1" $((($(pid1_ms) - before) * 1000 / count))
}

pid1_ms() { # what PID 1 has computed so far (proc_pid_stat(5): utime, stime)
        on awk '{ print ($14 + $15) * 10 }' /proc/1/stat
}

pid1_settles() { # at most 30 s
        local i last now
        last=$(pid1_ms)
        for ((i = 0; i < 60; i++)); do
                sleep 0.5
                now=$(pid1_ms)
                ((now > last + 10)) || return 0
                last=$now
        done
        echo "PID 1 of $host does not come to rest" >&2
        return 1
}

# ---- the quiet host ----

switches() { # of all its threads
        host_run quiet sh -c 'cat /proc/$(systemctl show -P MainPID jit-reaperd.service)/task/*/status' |
                awk '$1 == "voluntary_ctxt_switches:" { n += $2 } END { print n }'
}

measure_quiet() {
        local host=quiet before
        on getent passwd nobody-here >/dev/null # starts the daemon
        sleep 3
        put_sample empty_rss value $(($(status_kb VmRSS) * 1024))
        put_sample empty_rss anonymous $(($(status_kb RssAnon) * 1024))
        is_wanted idle_wakeups || return 0
        before=$(switches)
        sleep 60
        put_sample idle_wakeups value $(($(switches) - before))
}
