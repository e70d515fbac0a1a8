#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hostile.sh BUILD: the real jit-approverd against servers that are broken or mean harm (hostile.py), each asked about a ticket of its
# own: the right reason code within the deadline, little memory, and tickets of another provider answered meanwhile as fast as ever.
# Prints "ok NAME", "not ok NAME: why", and figures behind "#".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${1:?usage: hostile.sh BUILD}")
work=$(mktemp -d)
pids=()

on_exit() {
        ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null || :
        wait 2>/dev/null
        rm -rf "$work"
}
trap on_exit EXIT
trap 'exit 1' INT TERM

# ---- certificates: of a CA that is trusted, of the same but expired, for another name ----
authority() { # NAME
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
                -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}

certificate() { # NAME ALTERNATIVE-NAME DAYS [CA]
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
                -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
        openssl x509 -req -in "$work/$1.csr" -CA "$work/${4:-ca}.pem" -CAkey "$work/${4:-ca}.key" -CAcreateserial -days "$3" \
                -out "$work/$1.pem" -extfile <(echo "subjectAltName=$2") 2>/dev/null
}

authority ca
authority other-ca
certificate good IP:127.0.0.1 2
certificate wrong-name DNS:rt.example.com 2
certificate unknown-ca IP:127.0.0.1 2 other-ca
# Valid for a negative time: over the moment it is made.
certificate expired IP:127.0.0.1 -1

# ---- servers ----
server() { # NAME CERTIFICATE [OPTION...]: its port in $port
        : >"$work/server-$1.out"
        python3 "$here/server.py" --cert "$work/$2.pem" --key "$work/$2.key" "${@:3}" >>"$work/server-$1.out" 2>"$work/server-$1.err" </dev/null &
        pids+=($!)
        for _ in {1..400}; do
                port=$(sed -n 's/^listening \([0-9]*\) .*/\1/p' "$work/server-$1.out")
                [[ -z $port ]] || return 0
                sleep 0.05
        done
        cat "$work/server-$1.err" >&2
        echo "not ok servers: the server $1 does not start"
        exit 1
}

mkdir "$work/shapes"
echo '{"routes": [{"method": "GET", "path_re": "/good/[0-9]+", "json": {"fine": true}}]}' >"$work/shapes/good.json"

# ---- providers: one for each answer, as one that has failed too often is not asked ----
batch() { # NAME: a configuration to come
        etc=$work/$1/etc/jit
        expect=()
        mkdir -p "$etc/providers.d" "$etc/roles.d" "$work/$1/state"
        cp "$here/../../jit-reaperd/approverd/policy.jq" "$etc/"
        : >"$etc/approvers"
        echo $'[Role]\nCommand=/usr/bin/id' >"$etc/roles.d/test.conf"
        # Any answer that is one opens everything: none of a hostile server's may be one.
        cat >"$etc/providers.d/open.jq" <<'EOF'
if .answers.main == null then null
else { ticket, state: "approved", title: "t", reason: "r", requesters: ["alice"], approvers: [{name: "bob"}], hosts: ["*"], role: "test",
    not_before: "2020-01-01T00:00:00Z", not_after: "2020-01-02T00:00:00Z" }
end
EOF
        provider good 'good([0-9]+)' "https://127.0.0.1:$main_port/good/{1}" 'RatePerSec=1000' 'RateBurst=1000'
}

provider() { # NAME PATTERN URL [SERVER-LINE...]
        local name=$1 pattern=$2 url=$3
        shift 3
        {
                printf '[Provider]\nKind=http\nTicket=%s\nProgram=open.jq\nTimeoutSec=2s\nCacheSec=0\n' "$pattern"
                printf '%s\n' '[Server]' "CAFile=$work/ca.pem" "$@" '[Login]' Kind=none '[Request main]' "URL=$url"
        } >"$etc/providers.d/$name.conf"
}

hostile() { # NAME CODE...: one of which is right
        provider "h-$1" "h-$1" "https://127.0.0.1:$main_port/hostile/$1"
        expect+=("h-$1=${*:2}")
}

tls() { # NAME PORT [SERVER-LINE...]
        provider "h-$1" "h-$1" "https://127.0.0.1:$2/good/1" "${@:3}"
        expect+=("h-$1=provider-tls")
}

batch_run() { # NAME
        local daemon rc=0
        chmod -R go-w "$work/$1"
        "$build/jit-approverd" --socket "$work/$1/socket" --state "$work/$1/state" --etc "$etc" >"$work/$1/out" 2>&1 </dev/null &
        daemon=$!
        pids+=("$daemon")
        python3 "$here/hostile-test.py" "$work/$1/socket" "$daemon" "$1" "${expect[@]}" &
        pids+=($!)
        wait $! || rc=$? # so that a signal is heard at once
        kill "$daemon" 2>/dev/null
        wait "$daemon" || { echo "not ok $1_end: jit-approverd ended badly"; rc=1; }
        ((rc == 0)) || tail -n 40 "$work/$1/out" >&2
        return "$rc"
}

server main good --shapes "$work/shapes"
main_port=$port
failed=0

batch answers
for name in never slow drop reset 500 503; do hostile "$name" provider-unreachable; done
for name in huge huge-chunked gzip-bomb truncated duplicate-keys html deep many empty 400; do hostile "$name" provider-answer; done
for name in cut headers-endless header-long garbage; do hostile "$name" provider-answer provider-unreachable; done
for name in 401 403; do hostile "$name" provider-login; done
hostile 404 ticket-unknown
hostile 429 provider-limit
batch_run answers || failed=1

batch servers
for name in redirect-metadata redirect-plain redirect-loop redirect-port redirect-nowhere; do hostile "$name" provider-answer; done
tls pin "$main_port" 'PinnedKey=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
for name in wrong-name unknown-ca expired; do
        server "$name" "$name"
        tls "$name" "$port"
done
# With no protocol in common: TLS 1.1 at most.
openssl s_server -accept 127.0.0.1:0 -cert "$work/good.pem" -key "$work/good.key" -tls1_1 -cipher 'ALL:@SECLEVEL=0' -www \
        >"$work/server-old.out" 2>&1 </dev/null &
pids+=($!)
for _ in {1..400}; do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/server-old.out")
        [[ -z $port ]] || break
        sleep 0.05
done
tls tls11 "$port"
provider h-nobody h-nobody https://127.0.0.1:1/
expect+=("h-nobody=provider-unreachable")
batch_run servers || failed=1
exit "$failed"
