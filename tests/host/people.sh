# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; out: for tests; host, work...: cases.sh's and lib.sh's
# Words for tests about people's own accounts: real logins of theirs (`as` has none), what su, sudo and jitctl give them there, and that
# nothing of it is left. Sourced by run.sh after tickets.sh and terminal.sh.

# own_login COMMAND...: by by= (alice), without a terminal
own_login() { as "${by:-alice}" ssh "${ssh_options[@]}" "${by:-alice}@db1" "$@"; }
# Its two outputs put together where they are written: ssh brings them by two ways, and a line of one came into the middle of another's.
own_login_both() { own_login "exec 2>&1; $*"; }

# shell_open NAME: a login of by= (alice) with a terminal to type into
shell_open() { term_login "$1" "$host" "${by:-alice}" || fail "${by:-alice} has no shell"; }

# shell NAME LINE: types it; what the terminal has shown up to the next prompt in $out
shell() {
        term_type "$@" >/dev/null || { echo "$term_text"; fail "no prompt after: $2"; }
        out=${term_text#*$'\n'}
        out=${out%$'\n'}
        printf '%s> %s\n%s\n' "$1" "$2" "$out"
}

# expect_shell STATUS NAME LINE: as shell, and the line's exit status
expect_shell() {
        local status
        shell "$2" "$3; echo status=\$?"
        status=${out##*status=}
        out=${out%status=*}
        out=${out%$'\n'}
        [[ $status == "$1" ]] || fail "exit status $status, not $1: $3 ($out)"
}

# shell_logout NAME: exit, and the login is over
shell_logout() {
        term_close "$1"
        wait_for 10 shell_is_gone "$1"
}
# shell_break NAME: its connection is cut
shell_break() { session_logout "${term_pid[$1]}"; }
shell_is_gone() { ! kill -0 "${term_pid[$1]}" 2>/dev/null; }

# ---- grants ----

# grant_of ID [WAY]: a live grant of this ticket as JSON; grant_of ID WAY .field: of it
grant_of() {
        on jitctl list --json | jq -cre --arg t "$1" --arg w "${2:-}" \
                '[(.grants // .)[] | select((.ticket | ascii_upcase) == ($t | ascii_upcase) and ($w == "" or .way == $w))][0] | '"${3:-.} // empty"
}

# scope_of ID [WAY]: the unit of its latest scope
scope_of() { grant_of "$1" "${2:-}" '([.sessions[] | select(.kind == "scope")][-1].unit)'; }

has_grant() { grant_of "$@" >/dev/null; }
has_no_grant() { ! grant_of "$@" >/dev/null; }
deadline_ms() { echo $(($(grant_of "$1" "${2:-}" .until) / 1000)); }

# expect_scope UNIT ID WHO SLICE: what PID 1 knows of it
expect_scope() {
        local show
        show=$(on systemctl show -p Description,Slice,KillSignal,RuntimeMaxUSec,ActiveState "$1")
        echo "$show"
        expect_match '^jit-[0-9a-f]{16}-[0-9]+\.scope$' "$1"
        expect_match "^Description=.*$2.*$3|^Description=.*$3.*$2" "$show"
        expect_match "^Slice=$4\$" "$show"
        expect_match '^KillSignal=9$' "$show"
        expect_match '^RuntimeMaxUSec=[0-9]' "$show"
        expect_match '^ActiveState=active$' "$show"
}

# ---- what is recorded ----

# refusal_of REASON: a refusal with this code is in the journal, at the latest after a while
journal_code() { wait_for 5 journal_code_now "$1" || fail "the journal has no JIT_REASON=$1 since $journal_since: $(on journalctl -o cat -t jit-reaperd -n 5 | tr '\n' ';')"; }
journal_code_now() { [[ $(on journalctl --no-pager -o cat --since "@$journal_since" JIT_REASON="$1") ]]; }
journal_mark() { journal_since=$(date +%s); }

# ---- nothing left ----

sudo_rights() { on sudo -n -l -U "$1" 2>&1; }

# not_elevated [WHO]: nothing of an elevation is on the host, and WHO (alice) may do by sudo what the rules file of the layer says
not_elevated() {
        local found who=${1:-alice}
        found=$(on env LEFT_WAIT="${LEFT_WAIT:-3}" LEFT_SUDO="${sudo_before:-User $who is not allowed to run sudo on}" bash -s -- --elevation "$who" \
                <"$lib_dir/assert-nothing-left.sh") && wait_for 2 no_elevation && return 0
        fail "of $who's elevation is left: $(tr '\n' ';' <<<"$found")"
}

# One that nobody has used yet is nothing but a thought of jit-reaperd's.
no_elevation() { on jitctl list --json | jq -e '[(.grants // .)[] | select(.way == "elevation" and .state != "reserved")] == []'; }

# expect_ended ID [REASON] [WHO]: the whole end of an elevation
expect_ended() {
        local r
        not_elevated "${3:-alice}"
        wait_for 3 receipt "$1" || fail "there is no receipt of $1"
        r=$(receipt "$1")
        echo "$r"
        [[ $(jq -r .seal <<<"$r") != null ]] || fail "the receipt of $1 has no seal"
        [[ -z ${2-} || $(jq -r .end_reason <<<"$r") == "$2" ]] || fail "the receipt of $1 says $(jq -r .end_reason <<<"$r"), not $2"
        on jitctl audit verify || fail "the audit file does not verify"
}

# Others' sudo goes on, whatever a ticket or a role says.
sudo_works() {
        on visudo -c || fail "the sudoers files are broken"
        on sh -c '! find /run/jit/sudoers.d -mindepth 1 -name "*[.~]*" | grep .' || fail "a half-made file is in /run/jit/sudoers.d"
        expect_status 0 as olga sudo -n true
        [[ -z $out ]] || fail "olga's sudo says: $out"
}
