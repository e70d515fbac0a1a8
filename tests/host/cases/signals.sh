# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016  # host...: cases.sh's and lib.sh's; dollars for the host's shell
# Signals on the system bus: dbus-daemon lets anybody send any signal to any connection, whatever name it bears.

reaperd_on_bus() { on busctl list --no-legend | awk '$3 == "jit-reaperd" { print $1; exit }'; }

# forge PATH INTERFACE.MEMBER ARGUMENT...: mallory sends it to jit-reaperd
forge() { as mallory dbus-send --system --type=signal --dest="$(reaperd_on_bus)" "$@"; }

# logind's word for the end of a session ends it, and nobody else's does.
test_forged_signals() {
        local id
        ticket_ready SIG1
        session_start SIG1
        id=$(on loginctl list-sessions --no-legend | awk '$3 == "jit-sig1" { print $1 }')
        [[ $id ]] || fail "logind has no session of jit-sig1"
        for _ in 1 2 3; do
                forge /org/freedesktop/login1 org.freedesktop.login1.Manager.SessionRemoved "string:$id" "objpath:/org/freedesktop/login1/session/_3$id"
                forge /org/freedesktop/DBus org.freedesktop.DBus.NameOwnerChanged string:org.freedesktop.login1 string::1.1 string:
        done
        # What mallory sent is dealt with before this is answered.
        on jitctl list >/dev/null
        on jitctl list --json | jq -e '(.grants // .)[] | select(.account == "jit-sig1" and .state == "active")' >/dev/null || fail "the session has been ended"
        session_lives || fail "the session is dead"
        on loginctl terminate-session "$id"
        session_ends 10
        nothing_left jit-sig1 "$session_uid"
}
