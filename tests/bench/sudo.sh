# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016  # host, work: run.sh's; dollars for inner shells
# The measurements of sudo and su. Each call is made by a person who has logged in by ssh, from a terminal: the kernel's word on who asks is part
# of what is measured. Sourced by run.sh.

# turns_start USER COMMAND...: a login of USER's that runs COMMAND for each line of /run/bench/in, and says how long it took in /run/bench/out.
turns_start() {
        turns_user=$1
        on sh -c 'rm -rf /run/bench && install -d -o "$1" /run/bench && mkfifo -m 0666 /run/bench/in /run/bench/out' sh "$1" || return
        as "$1" ssh -tt -o BatchMode=yes -o LogLevel=ERROR "$1@db1" exec /opt/bench/turns /run/bench/in /run/bench/out "${@:2}" \
                >"$work/turns.$1" 2>&1 </dev/null &
        turns_job=$!
}

# turns_take: reads lines FILE SIDE LINE from standard input: puts FILE of /opt/bench/pam.d (-: none) in the place of /etc/pam.d/sudo, has the
# command run for LINE, and prints SIDE and its microseconds. All of it in one process on the host.
turns_take() {
        on timeout 120 bash -c '
                exec 3>/run/bench/in 4</run/bench/out
                while read -r file side line; do
                        if [[ $file != - ]]; then cp "/opt/bench/pam.d/$file" /etc/pam.d/sudo.new && mv /etc/pam.d/sudo.new /etc/pam.d/sudo; fi
                        sleep 0.05
                        echo "$line" >&3
                        read -r us <&4 || exit
                        echo "$side $us"
                done'
}

turns_end() {
        on cp /opt/bench/pam.d/ours /etc/pam.d/sudo
        wait "$turns_job" && return
        cat "$work/turns.$turns_user" >&2
        return 1
}

turns_samples() { # NAME
        awk -v d="$samples/$1" '$1 != "warm" { print $2 >>(d "." $1) }'
}

# ---- sudo_tax ----

# The ordinary administrator, whose rule has nothing to do with us, with the shipped /etc/pam.d/sudo and with the distribution's.
measure_sudo_tax() {
        local i
        turns_start olga sudo -n true || return
        for ((i = 0; i < 64; i++)); do
                ((i >= 4)) || { echo ours warm -; echo stock warm -; continue; }
                if ((i % 2)); then echo ours value -; echo stock baseline -; else echo stock baseline -; echo ours value -; fi
        done | turns_take >"$work/sudo_tax" && turns_samples sudo_tax <"$work/sudo_tax" && turns_end
}

# ---- sudo_gate ----

# The same administrator where the gate is in the shipped file, with tickets of hers. The first sudo names the ticket and opens a grant (its time is
# in bench.json as "first"); the others find it on their terminal, and each has the ticket judged again.
measure_sudo_gate() {
        local ticket
        on /opt/bench/cgroup-move 20 | put_sample sudo_gate cgroup_move || return
        on sh -c 'for i in $(seq 5); do jitctl ticket new "gate$i" --requester olga --no-key --role gate --host db1 --for 1h \
                --title "measurement $i" || exit; done' >"$work/gate.out" 2>&1 &&
                as bob sh -c 'for i in $(seq 5); do jitctl ticket approve "gate$i" --yes || exit; done' >>"$work/gate.out" 2>&1 ||
                { cat "$work/gate.out" >&2; return 1; }
        for ticket in gate{1..5}; do
                turns_start olga sudo -n true && gate_turns "$ticket" | turns_take >"$work/sudo_gate" &&
                        turns_samples sudo_gate <"$work/sudo_gate" && turns_end || return
        done
}

gate_turns() { # TICKET
        local i
        echo "stock warm $1"
        echo "gate first $1"
        echo "gate warm $1"
        for ((i = 0; i < 8; i++)); do
                if ((i % 2)); then echo "gate value $1"; echo "stock baseline $1"; else echo "stock baseline $1"; echo "gate value $1"; fi
        done
}

# ---- su_login ----

# alice, as the account of a ticket that comes into being for this, and as mallory, whom the measured host's /etc/pam.d/su lets her be without a
# password (layer.sh).
measure_su_login() {
        local i
        tickets_make su 17 || return
        turns_start alice su - @ -c true || return
        for ((i = 1; i <= 17; i++)); do
                if ((i <= 2)); then
                        echo "- warm jit-su$i"
                        echo '- warm mallory'
                else
                        echo "- value jit-su$i"
                        echo '- baseline mallory'
                fi
        done | turns_take >"$work/su_login" && turns_samples su_login <"$work/su_login" && turns_end
}
