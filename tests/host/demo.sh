#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job on a disposable real host, nothing faked: alice asks, bob approves, alice works, and then nothing is left. Everything
# behind a prompt was typed there, and what follows it is what the terminal has shown.
# shellcheck source-path=SCRIPTDIR disable=SC2016
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=terminal.sh
. "$lib_dir/terminal.sh"

if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi

say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }

# see PATTERN: the demo is a test as well
see() {
        grep -Eq -- "$1" <<<"$term_text" || { echo "demo: expected /$1/ above" >&2; exit 1; }
}

lib_init "${HOST_SUITE:-bookworm}"
begin=$(date +%s%3N)
layer_make "$lib_dir/layer.sh" >"$work/layer.log" 2>&1 || { tail -n 20 "$work/layer.log" >&2; exit 1; }
HOST_NAME=web1 host_boot demo
say "a $(host_run demo sh -c '. /etc/os-release; echo "$PRETTY_NAME"') host is up: $(host_run demo systemd-analyze | sed -n 1p)"
say "alice and bob have plain accounts on it, without any sudo rule; bob's key is in /etc/jit/approvers"
term_open alice demo alice
term_open bob demo bob
term_open root demo root

say "alice asks for access, and cannot get in before somebody else has approved it"
term_type alice 'sudo -n systemctl restart nginx'
see 'password is required'
term_type alice "jitctl ticket new CHG0012345 --role web-operator --host web1 --for 1h --title 'restart nginx'"
see 'CHG0012345'
term_type alice 'ssh jit-chg0012345@web1'
see 'waits for approval'

say "bob reads it and signs it with his SSH key"
term_type bob 'jitctl ticket approve CHG0012345'
see 'restart nginx'
term_type bob 'y'
see 'approved'

say "alice logs in: the account comes into being for this"
term_type alice 'ssh jit-chg0012345@web1'
see 'CHG0012345 "restart nginx" approved by bob; role web-operator; ends '
term_type alice 'id'
uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$term_text")
term_type alice 'sudo systemctl restart nginx && systemctl is-active nginx'
see '^active'
term_type alice 'sudo -n cat /etc/shadow'
see 'not allowed|password is required'
term_type root 'jitctl list'
see 'jit-chg0012345 +active +alice'
term_type alice 'exit'
see 'closed'
closed=$(date +%s%3N)
while host_as demo bob getent passwd jit-chg0012345 >/dev/null && (($(date +%s%3N) < closed + 5000)); do sleep 0.01; done

say "$(($(date +%s%3N) - closed)) ms later: no account, no process, no key, no sudo rule, no home"
term_type bob 'getent passwd jit-chg0012345 || echo no account'
see '^no account'
term_type root "getent passwd $uid; ps -o pid,args -u $uid || echo no process"
see '^no process'
term_type root 'ls -A /run/jit/keys /run/jit/sudoers.d /run/jit/home'
[[ ! $term_text =~ jit-chg ]] || { echo "demo: something is left" >&2; exit 1; }
left=$(host_run demo bash -s -- jit-chg0012345 "$uid" <"$lib_dir/assert-nothing-left.sh") || { echo "$left"; exit 1; }
printf '\nassert_nothing_left jit-chg0012345 %s: nothing, in any of the places where an account can leave something\n' "$uid"

say "only the receipt remains, sealed and chained"
term_type root 'jitctl show CHG0012345'
see 'alice'
term_type root 'jitctl audit verify'
see '^ok'
for name in alice bob root; do term_close "$name"; done
say "done in $((($(date +%s%3N) - begin) / 100 * 100)) ms, the host's boot included; the host is gone"
