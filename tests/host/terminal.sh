# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1083,SC2034,SC2086,SC2093,SC2154  # {array[index]}> is bash's; work: lib.sh's
# Terminals on a host, with a person's hands: a real pseudo-terminal (script(1)) with a shell that waits for its prompt. What is printed
# is what the terminal shows.
#
#   term_open NAME HOST USER        opens one, prints nothing
#   term_login NAME HOST USER       the same by a login of the user's own at the host (ssh)
#   term_type NAME LINE             types a line, prints it with everything up to the next prompt; all of it in $term_text
#   term_send NAME TEXT             types it and reads nothing
#   term_close NAME

declare -A term_in term_out term_pid
declare -A term_prompt_text
# A shell's prompt, or a question.
term_prompt='(^[a-z0-9_-]+@[a-z0-9.-]+:[^ ]*[$#] |\[y/N\] |^Ticket: |^Password: |^\[sudo\] password for [a-z0-9]+: )$'

term_open() {
        local host=$2 user=$3
        term_start "$1" host_as "$host" "$user" script -qfc 'stty cols 180 rows 40; exec env TERM=dumb PS1="\u@\h:\w\\$ " bash --norc -i' \
                /dev/null
}

# Without readline, which would draw a long line anew.
term_login() {
        local host=$2 user=$3
        term_start "$1" host_as "$host" "$user" ssh -tt -o BatchMode=yes -o LogLevel=ERROR "$user@localhost" \
                'stty cols 250 rows 40; exec env TERM=dumb PS1="\u@\h:\w\\$ " bash --norc --noediting -i'
}

term_start() { # NAME COMMAND...
        local name=$1 dir
        dir=$(mktemp -d "$work/term.$1.XXXXXX")
        mkfifo "$dir/in" "$dir/out"
        "${@:2}" <"$dir/in" >"$dir/out" 2>&1 &
        term_pid[$name]=$!
        exec {term_in[$name]}>"$dir/in" {term_out[$name]}<"$dir/out"
        term_read "$name" >/dev/null
}

# Up to the next prompt, which is kept for the line that will be typed there.
term_read() {
        local fd=${term_out[$1]} line='' c
        term_text=''
        while IFS= read -r -N1 -t "${TERM_TIMEOUT:-20}" c <&"$fd"; do
                case $c in
                $'\r') ;;
                $'\n') printf '%s\n' "$line"; term_text+=$line$'\n'; line='' ;;
                *)
                        line+=$c
                        if [[ $c == ' ' && $line =~ $term_prompt ]]; then
                                term_prompt_text[$1]=$line
                                return 0
                        fi
                        ;;
                esac
        done
        printf '%s\n' "$line"
        term_text+=$line
        echo "the terminal of $1 has shown no prompt" >&2
        return 1
}

term_type() {
        printf '%s' "${term_prompt_text[$1]}"
        term_send "$1" "$2"$'\n'
        term_read "$1"
}

term_send() { printf '%s' "$2" >&"${term_in[$1]}"; }

term_close() {
        printf 'exit\n' >&"${term_in[$1]}"
        exec {term_in[$1]}>&- {term_out[$1]}<&-
}
