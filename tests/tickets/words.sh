# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # work, host, top: lib.sh's and run.sh's
# Words for tests with a real Request Tracker beside the host. Sourced by run.sh after tests/host/{lib,cases,tickets}.sh.
#
# RT runs in the host's network namespace and is asked as people do: over its REST interface with their own passwords.

rt_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/rt" && pwd)
tickets_dir=${rt_dir%/*}

# ---- the service ----

net() { nsenter -t "$(host_leader "$host")" --net -- "$@"; }

# certificate FOLDER: ca.pem, and cert.pem with key.pem for 127.0.0.1 and rt.test
certificate() {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-ca \
                -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=rt.test \
                -keyout "$1/key.pem" -out "$1/cert.csr" 2>/dev/null
        openssl x509 -req -in "$1/cert.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 2 -out "$1/cert.pem" \
                -extfile <(echo 'subjectAltName=DNS:rt.test,IP:127.0.0.1') 2>/dev/null
}

# rt_start [COMMAND...]: and waits until it is ready, or until the command succeeds.
rt_start() {
        mkdir -p "$work/rt"
        "$rt_dir/start.sh" "$rt_root" "$work/rt" "$(host_leader "$host")" >>"$logs/rt.log" 2>&1 </dev/null &
        echo $! >"$work/rt.pid"
        wait_for 60 "${@:-rt_ready}" || { tail -n 5 "$logs/rt.log"; return 1; }
}

# With a configuration that it cannot read RT answers as well: only an authenticated answer says that it is ours.
rt_ready() { [[ $(rt_get -o /dev/null -w '%{http_code}' rt) == 200 ]]; }

front_start() {
        net "$tickets_dir/tls-front.py" --cert "$work/tls/cert.pem" --key "$work/tls/key.pem" >"$work/front.out" 2>&1 </dev/null &
        echo $! >"$work/front.pid"
        wait_for 20 grep -q '^listening' "$work/front.out"
}

# process_tree PID: it and its descendants. A pgrep that finds none is no failure of the test's.
process_tree() { (set +eE; trap - ERR; descendants "$1"); }

rt_signal() { # SIGNAL: to all of RT's processes
        local pids
        mapfile -t pids < <(process_tree "$(<"$work/rt.pid")")
        kill "-$1" "${pids[@]}" 2>/dev/null || :
}

not_alive() { ! host_alive "$1"; }

# service_end NAME: what was started as NAME, by process id
service_end() {
        local pid pids
        pid=$(cat "$work/$1.pid" 2>/dev/null) || return 0
        mapfile -t pids < <(process_tree "$pid")
        kill -KILL "${pids[@]}" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
        for pid in "${pids[@]}"; do wait_for 5 not_alive "$pid"; done
        rm -f "$work/$1.pid"
}

# ---- asking RT ----

rt_url=http://127.0.0.1:8080/REST/2.0

rt_get() { # [CURL OPTION...] PATH, as the service account
        net curl -sS -m 30 -H "Authorization: token $(cat "$work/rt/token" 2>/dev/null)" "${@:1:$#-1}" "$rt_url/${*: -1}" 2>/dev/null
}

rt_as() { # WHO METHOD PATH [JSON]
        local password
        case $1 in
        alice) password=alicepw123 ;;
        bob) password=bobpw12345 ;;
        carol) password=carolpw123 ;;
        root) password=rootpw123 ;;
        esac
        net curl -sS -m 30 -u "$1:$password" -X "$2" -H 'Content-Type: application/json' ${4:+-d "$4"} "$rt_url/$3"
}

# rt_new [WHO [QUEUE]]: a ticket for this host; its number in $number. role=, requester=, hosts=, key= (JSON where lists)
rt_new() {
        local who=${1:-alice} json
        json=$(jq -nc --arg queue "${2:-Access}" --arg who "${requester:-$who}" --arg role "${role:-test}" --arg key "${key-}" \
                --argjson hosts "${hosts:-[\"db1\"]}" --arg from "$(date -u -d '-5 minutes' '+%F %T')" \
                --arg to "$(date -u -d '+2 hours' '+%F %T')" '{Queue: $queue, Subject: "restart postgres", Requestor: $who,
                  Content: "it hangs", CustomFields: {"Host": $hosts, "Role": $role, "Window start": $from, "Window end": $to,
                  "Emergency": "no", "Requester ssh key": $key}}')
        json=$(rt_as "$who" POST ticket "$json")
        number=$(jq -re '.id | tonumber' <<<"$json") || fail "RT made no ticket: $json"
}

# The number of the approval that RT's own scrip has made for a ticket.
rt_approval() {
        rt_get -G --data-urlencode "query=DependedOnBy=$1 AND Type='approval' AND Queue='___Approvals'" tickets | jq -re '.items[0].id'
}

rt_set() { # WHO NUMBER JSON: changes a ticket; what RT says. RT answers 200 also when it has changed nothing.
        rt_as "$1" PUT "ticket/$2" "$3"
}

rt_status() { # WHO NUMBER STATUS
        local said
        said=$(rt_set "$1" "$2" "{\"Status\": \"$3\"}")
        [[ $said == *"Status changed"* ]] || fail "RT has not set $2 to $3 for $1: $said"
}

rt_approve() { # NUMBER [WHO]
        rt_status "${2:-bob}" "$(rt_approval "$1")" resolved
}

rt_ready_ticket() { # as rt_new, and approved by bob
        rt_new "$@"
        rt_approve "$number"
}

rt_comments() { # NUMBER: the texts of its comments, as JSON strings
        local id
        for id in $(rt_get -G --data-urlencode "query=ObjectType='RT::Ticket' AND TicketId=$1 AND Type='Comment'" -d orderby=id transactions |
                jq -r '.items[].id'); do
                rt_get "transaction/$id/attachments" | jq -r '.items[].id' | while read -r id; do
                        rt_get "attachment/$id" | jq -c '.Content | gsub("\n"; "") | @base64d'
                done
        done
}

# rt_perl PROGRAM: what only an administrator of RT can do
rt_perl() {
        nsenter -t "$(<"$work/rt.pid")" --mount --net -- chroot --userspec=www-data:www-data "$work/rt/root" \
                env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/tmp perl -I/usr/share/request-tracker5/lib -e "use RT -init; $1" 2>>"$logs/rt.log"
}

rt_right() { # Grant|Revoke RIGHT: of all privileged users
        rt_perl "my \$g = RT::Group->new(RT->SystemUser); \$g->LoadSystemInternalGroup('Privileged');
                my (\$ok, \$why) = \$g->PrincipalObj->${1}Right(Right => '$2'); die \$why unless \$ok"
}
