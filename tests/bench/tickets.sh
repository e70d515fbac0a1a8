# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016,SC2034  # host, work, samples: run.sh's, and back; dollars for inner shells
# The measurements with tickets of another system: tls-server's, on the measured host. Sourced by run.sh.

# issue_answer REQUESTER...: what tls-server says about any ticket: approved by bob, for a day.
issue_answer() {
        printf '%s\n' "$@" | jq -cRn '[inputs] as $people | now as $now | {
                expand: "renderedFields,names,schema,operations,editmeta,changelog", id: "10002",
                self: "https://jira.example.com/rest/api/2/issue/10002", key: "@",
                fields: {
                        summary: "restart postgres on db1", description: "replica lag after the failover",
                        status: {id: "3", name: "In Progress", self: "https://jira.example.com/rest/api/2/status/3",
                                statusCategory: {id: 4, key: "indeterminate", colorName: "yellow", name: "In Progress"}},
                        reporters: [$people[] | {self: "https://jira.example.com/rest/api/2/user", name: ., displayName: ., active: true}],
                        approvals: [{id: "1", name: "Approval", finalDecision: "approved", approvers: [{approver: {name: "bob",
                                displayName: "Bob"}, approverDecision: "approved", completedDate: ($now - 3600 | todate)}]}],
                        hosts: [{id: "1", value: "*"}], role: {id: "7", value: "bench"},
                        start: ($now - 7200 | todate), end: ($now + 86400 | todate)}}'
}

issue_server() { # NAME PORT DELAY REQUESTER...
        local i
        issue_answer "${@:4}" | on sh -c 'cat >"/run/bench-$1.json"' sh "$1" || return
        on systemd-run --quiet --unit="bench-$1" -p LimitNOFILE=4096 /opt/bench/tls-server /etc/jit/bench.pem /etc/jit/bench.key \
                "/run/bench-$1.json" "$2" "$3" || return
        for ((i = 0; i < 200; i++)); do
                on sh -c 'ss -Hltn "sport = :$1" | grep -q .' sh "$2" && return 0
                sleep 0.05
        done
        echo "the ticket server does not start" >&2
        return 1
}

# ---- ticket_latency, ticket_latency_1000, tickets_per_sec ----

# SLOW_USEC: nine times faster than Request Tracker's 46 ms, and faster than any ticket system that we know. The same against a server
# that takes no time is in bench.json too: the difference of "instant" and "instant_baseline" is what jit-approverd adds.
SLOW_USEC=5000

measure_ticket_latency() {
        issue_server live 8443 0 alice && issue_server slow 8445 "$SLOW_USEC" alice &&
                tickets_ask live 8443 && tickets_ask slow 8445 || return
        awk -v us="$(median "$samples/ticket_latency_1000.instant")" 'BEGIN { printf "%d\n", 1000000 / us }' |
                put_sample tickets_per_sec value
}

# A thousand questions at once are a thousand connections to jit-approverd.
tickets_ask() { # NAME PORT
        local kind side us
        on sh -c 'ulimit -n 4096 && exec /opt/bench/http "$@"' sh "https://127.0.0.1:$2/rest/api/2/issue/$1" /etc/jit/bench.pem 7 \
                /run/jit/io.pamjit.Approver "$1" >"$work/http.$1" || return
        while read -r kind side us; do
                ticket_sample "$1" "$kind" "$side" "$us"
        done <"$work/http.$1"
}

ticket_sample() { # live|slow one|many SIDE US
        local name=ticket_latency extra
        [[ $2 == one ]] || name=ticket_latency_1000
        case $1.$3 in
        slow.approver) extra=value ;;
        slow.bare) extra=baseline ;;
        live.approver) extra=instant ;;
        live.bare) extra=instant_baseline ;;
        *) extra=${1/live/instant}_$3 ;;
        esac
        put_sample "$name" "$extra" "$4"
}

# ---- recheck_1000 ----

daemon_ms() { # UNIT: what it has computed so far (proc_pid_stat(5): utime, stime; of all its threads)
        on sh -c 'cat "/proc/$(systemctl show -P MainPID "$1")/stat"' sh "$1.service" | awk '{ print ($14 + $15) * 10 }'
}

# Per cent of one core in each of three times 15 s, in which each grant is asked about once.
recheck_turns() { # EXTRA
        local reaperd approverd start i
        sleep 16
        for ((i = 0; i < 3; i++)); do
                reaperd=$(daemon_ms jit-reaperd) approverd=$(daemon_ms jit-approverd) start=${EPOCHREALTIME/./}
                sleep 15
                reaperd=$(($(daemon_ms jit-reaperd) - reaperd)) approverd=$(($(daemon_ms jit-approverd) - approverd))
                awk -v reaperd=$reaperd -v approverd=$approverd -v us=$((${EPOCHREALTIME/./} - start)) '
                        function percent(ms) { return ms * 1000 / us * 100 }
                        BEGIN { print percent(reaperd + approverd), percent(reaperd), percent(approverd) }' >"$work/recheck"
                put_sample recheck_1000 "$1" "$(cut -d' ' -f1 "$work/recheck")"
                put_sample recheck_1000 "${1/value/many_tickets}_reaperd" "$(cut -d' ' -f2 "$work/recheck")"
                put_sample recheck_1000 "${1/value/many_tickets}_approverd" "$(cut -d' ' -f3 "$work/recheck")"
        done
}

measure_recheck_1000() {
        local host
        host_boot live && host_boot few || return
        host=live issue_server live 8443 0 alice && host=few issue_server few 8444 0 p{1..16} &&
                host=live hold_start live 1 1000 && host=few hold_start few 1 63 16 || return
        host=live recheck_turns value && host=few recheck_turns few_tickets
        host_stop live
        host_stop few
}
