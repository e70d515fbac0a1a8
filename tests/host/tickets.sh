# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120  # host, work: cases.sh's and lib.sh's; session_*: for tests
# Words for tests about tickets, grants and sessions. Sourced by run.sh after cases.sh.

# ---- tickets ----

# ticket_new ID [OPTION...]; who asks, for which role and host: by=, role=, at=
ticket_new() {
        as "${by:-alice}" jitctl ticket new "$1" --role "${role:-test}" --host "${at:-db1}" --title "test of $1" "${@:2}"
}

ticket_approve() { # ID [WHO]
        as "${2:-bob}" jitctl ticket approve "$1" --yes
}

ticket_ready() { # ID [OPTION...]: asked for and approved
        ticket_new "$@" && ticket_approve "$1"
}

account() { echo "jit-${1,,}"; }

# ---- logins ----

ssh_options=(-o BatchMode=yes -o ConnectTimeout=20 -o LogLevel=INFO)

login() { # ID [COMMAND...]
        as "${by:-alice}" ssh "${ssh_options[@]}" "$(account "$1")@db1" "${@:2}"
}

# session_start ID [SSH OPTION...]: stays until it is ended; its output in $session_out, ssh's process in $session_pid, the account's
# uid in $session_uid.
session_start() {
        local id=$1
        shift
        session_out=$work/session.$host.$id.$RANDOM
        as "${by:-alice}" ssh "${ssh_options[@]}" "$@" "$(account "$id")@db1" \
                "${session_command:-echo uid=\$(id -u); exec sleep 1000}" >"$session_out" 2>&1 </dev/null &
        session_pid=$!
        wait_for 20 session_begun || :
        cat "$session_out"
        grep -q '^uid=' "$session_out" || fail "no session for $id: $(tail -n 3 "$session_out" | tr '\n' ';')"
        session_uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' "$session_out")
}

session_begun() { grep -q '^uid=' "$session_out" || ! session_lives; }

# For one that has a terminal, and a person who types nothing.
session_start_tty() {
        local id=$1
        session_command=${session_command:-echo uid=\$(id -u); exec sleep 1000} session_start "$id" -tt "${@:2}"
}

session_lives() { kill -0 "${1:-$session_pid}" 2>/dev/null; }

# session_ends SECONDS: waits for it; how long it took in $took_ms, ssh's exit status in $session_status.
session_ends() {
        local start
        start=$(now_ms)
        while session_lives; do
                (($(now_ms) - start < $1 * 1000)) || fail "the session still lives after $1 s"
                sleep 0.02
        done
        took_ms=$(($(now_ms) - start))
        session_status=0
        wait "$session_pid" || session_status=$?
        cat "$session_out"
}

# session_logout [PID]: the client goes away, as when a window is closed.
session_logout() {
        local pid=${1:-$session_pid}
        # shellcheck disable=SC2046  # numbers
        kill -KILL $(descendants "$pid") 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
}

descendants() {
        local child
        echo "$1"
        for child in $(pgrep -P "$1"); do descendants "$child"; done
}

# ---- what the host says ----

# journal_has REASON TICKET: a record with this code about this ticket or its account
journal_has() {
        wait_for 10 journal_has_now "$@" || fail "the journal has no JIT_REASON=$1 for $2: $(on journalctl -o cat -t jit-reaperd -n 5 | tr '\n' ';')"
}

# Not grep -q: it ends at the first hit, and journalctl by SIGPIPE, which pipefail takes for a miss.
journal_has_now() {
        on journalctl --no-pager -o json | grep -E "\"JIT_REASON\":\"($1)\"" | grep -i "\"JIT_\(TICKET\|ACCOUNT\)\":\"\(jit-\)\?$2\"" >/dev/null
}

uid_of() { # ACCOUNT, as root: reserves it if there is a ticket
        on getent passwd "$1" | cut -d: -f3
}

# Everybody but root: live accounts alone.
is_known() {
        as mallory getent passwd "$1" >/dev/null
}

receipt() { # ID: the receipt of its last grant, as JSON
        on jitctl show "$1" --json | jq -ce 'map(select(.event == "grant.receipt")) | last'
}

# The whole end of a grant: nothing of it on the host, a sealed receipt, an audit file that verifies.
expect_gone() { # ID UID [REASON]
        local r
        nothing_left "$(account "$1")" "$2"
        wait_for 3 receipt "$1" || fail "there is no receipt of $1"
        r=$(receipt "$1")
        echo "$r"
        [[ $(jq -r .seal <<<"$r") != null ]] || fail "the receipt of $1 has no seal"
        [[ -z ${3-} || $(jq -r .end_reason <<<"$r") == "$3" ]] || fail "the receipt of $1 says $(jq -r .end_reason <<<"$r"), not $3"
        on jitctl audit verify || fail "the audit file does not verify"
}

daemon_pid() { # UNIT
        on systemctl show -P MainPID "$1"
}
