# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # work, host...: lib.sh's, cases.sh's and run.sh's
# A ticket system that tells of changes ([Stream], server-sent events): revocation follows within a second, however seldom it is asked.
# Sourced by run.sh after words.sh.

push_control() { # PATH JSON
        net curl -sS -m 10 -X POST --data "$2" "http://127.0.0.1:$control_port/$1"
}

push_answer() { # STATE: what the system says of ticket 7 from now on
        push_control routes "$(jq -nc --arg state "$1" --arg from "$(date -u -d '-5 minutes' +%FT%TZ)" --arg to "$(date -u -d '+1 hour' +%FT%TZ)" \
                '{routes: [{method: "GET", path: "/ticket/7", json: {$state, $from, $to}}]}')"
}

push_is_followed() { [[ $(net curl -sS -m 10 "http://127.0.0.1:$control_port/stats" | jq .streams) == 1 ]]; }

push_server_start() {
        mkdir -p "$work/push"
        net python3 "$tickets_dir/server.py" --cert "$work/tls/cert.pem" --key "$work/tls/key.pem" >"$work/push.out" 2>&1 </dev/null &
        echo $! >"$work/push.pid"
        wait_for 20 grep -q '^listening' "$work/push.out" || return 1
        read -r _ push_port _ control_port < <(grep '^listening' "$work/push.out")
}

push_provider() {
        put /etc/jit/providers.d/push.jq <<'EOF'
.answers.main as $a
| { ticket: .ticket, state: $a.state, title: "pushed", reason: "none", requesters: ["alice"], approvers: [{name: "bob"}],
    hosts: ["db1"], role: "test", not_before: $a.from, not_after: $a.to }
EOF
        put /etc/jit/providers.d/push.conf <<EOF
[Provider]
Kind=http
Ticket=push([0-9]+)
RecheckSec=10min
[Server]
CAFile=/etc/jit/rt-ca.pem
[Login]
Kind=none
[Request main]
URL=https://rt.test:$push_port/ticket/{1}
[Stream]
Kind=sse
URL=https://rt.test:$push_port/events
Ticket=.ticket
EOF
}

test_push_revokes() {
        local start
        trap 'service_end push' EXIT
        push_server_start || fail "the test's server has not started"
        push_answer approved
        push_provider
        wait_for 20 push_is_followed || fail "jit-approverd does not listen to the stream"
        session_start PUSH7
        sleep 2
        session_lives || fail "the session has ended before anything was pushed"
        push_answer closed
        start=$(now_ms)
        push_control events '{"data": {"ticket": "push7"}}'
        session_ends 10
        start=$(($(now_ms) - start))
        expect_ms_below 1000 "$start" "from the event to the session's end"
        echo "# event to the session's end: $start ms"
        nothing_left jit-push7 "$session_uid"
        wait_for 10 receipt PUSH7
        expect_match '"?ticket-closed' "$(receipt PUSH7)"
        on rm /etc/jit/providers.d/push.conf /etc/jit/providers.d/push.jq
}
