# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# What a real Request Tracker 5 says, and what may follow from it. The tests run in this order on one host; see words.sh.

# verdict ACCOUNT: the code of the decision, as root is told
verdict() { on jitctl explain "$1" --json | jq -r .verdict.reason; }

# refused ACCOUNT CODE: no login, and the journal has the code
refused() {
        local account=$1 code=$2 said
        said=$(verdict "$account")
        [[ $said == "$code" ]] || fail "$account is refused with $said, not with $code: $(on jitctl explain "$account" 2>&1 | tail -n 20 | tr '\n' ';')"
        out=$(as "${by:-alice}" ssh "${ssh_options[@]}" "$account@db1" 'echo uid=$(id -u)' 2>&1) && fail "$account got in: $out"
        expect_no_match 'uid=' "$out"
        # Of an account without a ticket there is nothing to say.
        [[ $code == ticket-unknown ]] || wait_for 5 journal_has_now "$code" "$account" || fail "the journal has no JIT_REASON=$code for $account"
        echo "$account: $code: $(grep -m1 pam_jit <<<"$out")"
}

journal_has_now() { # CODE ACCOUNT: as reaperd or approverd have logged it
        [[ $(on journalctl --no-pager -o json -n 3000 | grep -F "\"JIT_REASON\":\"$1\"") == *"${2#jit-}"* ]]
}

# comment_count NUMBER PATTERN
comment_count() { rt_comments "$1" | grep -Ec -- "$2" || :; }
comment_stands() { [[ $(comment_count "$@") == 1 ]]; }

# record NAME MILLISECONDS...: a figure for BUILD/tickets.json, and its median for the terminal
record() {
        local name=$1
        shift
        printf '%s\n' "$@" | jq -sc --arg name "$name" '{($name): {median_ms: (sort | .[length / 2 | floor]), samples: .}}' >>"$work/figures"
        jq -s add "$work/figures" >"$build/tickets.json"
}
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# ---- the main job ----

test_rt_main() {
        local closed
        rt_new alice
        refused "jit-rt$number" ticket-pending
        rt_approve "$number"
        wait_for 10 verdict_is "jit-rt$number" approved || fail "approved in RT, and yet $(verdict "jit-rt$number")"
        session_command='echo uid=$(id -u); sleep 1000 & sleep 2000' session_start "RT$number" -tt
        [[ $(on jitctl list --json | jq -r '.grants[].approvers | join(",")') == bob ]] || fail "not approved by bob: $(on jitctl list)"
        wait_for 20 comment_stands "$number" "jit-rt$number" || fail "the comment on the start does not stand in RT once: $(rt_comments "$number")"
        rt_status alice "$number" closed
        closed=$(now_ms)
        session_ends 17
        took_ms=$(($(now_ms) - closed))
        wait_for 5 on sh -c "! pgrep -u $session_uid" || fail "processes have outlived the ticket"
        echo "# closed in RT, session gone: $took_ms ms"
        record closed_to_gone "$took_ms"
        ((took_ms < 16000)) || fail "gone after $took_ms ms, not within RecheckSec=15s and 1 s"
        expect_match 'pam_jit: .*(closed|ended)' "$(cat "$session_out")"
        expect_gone "RT$number" "$session_uid" ticket-closed
        wait_for 20 comment_stands "$number" 'has ended' || fail "the comment on the end does not stand in RT once: $(rt_comments "$number")"
        rt_comments "$number"
        expect_match "$(receipt "RT$number" | jq -r .ticket | tr 'A-Z' 'a-z')" "rt$number"
        [[ $(comment_count "$number" .) == 2 ]] || fail "not one comment on the start and one on the end: $(rt_comments "$number")"
}

verdict_is() { [[ $(verdict "$1") == "$2" ]]; }

test_rt_opened_by_jitctl() {
        local id
        id=$(as alice jitctl ticket new --provider request-tracker --role test --host db1 --title 'opened by jitctl' --reason 'it hangs' --for 1h) ||
                fail "jitctl has opened no ticket: $id"
        expect_match '^rt[0-9]+$' "$id"
        number=${id#rt}
        [[ $(rt_get -G -d fields=Requestor --data-urlencode "query=id=$number" tickets | jq -r '.items[0].Requestor[0].id') == alice ]] ||
                fail "the ticket in RT is not alice's"
        rt_approve "$number" carol
        wait_for 10 verdict_is "jit-$id" approved || fail "approved in RT, and yet $(verdict "jit-$id")"
        session_start "$id"
        session_logout
        LEFT_WAIT=10 nothing_left "jit-$id" "$session_uid"
        # Once it has ended for good: nothing of it is sent twice, also by a daemon that is new.
        wait_for 20 comment_stands "$number" 'has ended' || fail "no comment on the end: $(rt_comments "$number")"
        on systemctl restart jit-approverd.service
        sleep 1
        [[ $(comment_count "$number" .) == 2 ]] || fail "not one comment on the start and one on the end: $(rt_comments "$number")"
}

test_rt_provider_test() {
        rt_ready_ticket
        out=$(on jitctl provider test request-tracker "rt$number" 2>&1) || fail "$out"
        echo "$out"
        expect_match '"?approved' "$out"
        expect_match 'bob' "$out"
        expect_no_match "$(cat "$work/rt/token")" "$out"
        expect_no_match "$(cat "$work/rt/token")" "$(on journalctl --no-pager -u jit-approverd)"
}

# ---- how RT misleads, by the numbers of the list that it was seen to ----

test_rt_1_own_approval() {
        local own
        rt_new alice
        own=$(rt_as alice POST ticket "{\"Queue\":\"AccessPlain\",\"Type\":\"approval\",\"Subject\":\"mine\",\"Requestor\":\"alice\",\"DependedOnBy\":[$number]}" | jq -re .id) ||
                fail "alice could not make an approval of her own"
        rt_status alice "$own" resolved
        refused "jit-rt$number" ticket-invalid
}

test_rt_2_self_approved() {
        key=$(on cut -d' ' -f1,2 /home/bob/.ssh/id_ed25519.pub) rt_new bob
        rt_approve "$number" bob
        by=bob refused "jit-rt$number" self-approved
}

test_rt_3_reopened() {
        rt_ready_ticket
        rt_status bob "$(rt_approval "$number")" open
        [[ $(rt_get "ticket/$number" | jq -r .Status) == approved ]] || fail "RT is not as it was seen to be"
        refused "jit-rt$number" ticket-pending
}

test_rt_4_status_alone() {
        rt_new alice AccessPlain
        rt_status alice "$number" open
        refused "jit-rt$number" ticket-pending
}

# What was approved, changed since: each in a ticket of its own.
test_rt_5_changed_since() {
        local change
        for change in '{"CustomFields":{"Host":["db1","db2"]}}' '{"CustomFields":{"Role":"root"}}' \
                "{\"CustomFields\":{\"Window end\":\"$(date -u -d '+9 hours' '+%F %T')\"}}" \
                "{\"CustomFields\":{\"Requester ssh key\":\"$(on cut -d' ' -f1,2 /home/mallory/.ssh/id_ed25519.pub)\"}}"; do
                rt_ready_ticket
                rt_set alice "$number" "$change"
                [[ $(rt_get "ticket/$number" | jq -r .Status) == approved ]] || fail "RT is not as it was seen to be"
                refused "jit-rt$number" ticket-tampered
        done
        rt_ready_ticket
        rt_set alice "$number" '{"Requestor":["alice","carol"]}'
        by=carol refused "jit-rt$number-carol" ticket-tampered
}

test_rt_6_merged() {
        local first
        rt_ready_ticket
        first=$number
        rt_ready_ticket carol
        rt_set root "$number" "{\"MergeInto\":$first}"
        [[ $(rt_get "ticket/$number" | jq -r .id) == "$first" ]] || fail "RT is not as it was seen to be"
        refused "jit-rt$number" ticket-unknown
        by=carol refused "jit-rt$first-carol" ticket-tampered
}

test_rt_7_denied_is_200() {
        local said
        rt_new alice
        said=$(rt_as alice PUT "ticket/$number" '{"Status":"approved"}' -w ' %{http_code}')
        expect_match 'Permission [Dd]enied|not allowed|right' "$said"
        refused "jit-rt$number" ticket-pending
}

test_rt_8_history_hidden() {
        # The change lies behind a page of others, and some of these we may not see.
        rt_ready_ticket
        rt_set alice "$number" '{"CustomFields":{"Role":"root"}}'
        rt_perl "my \$t = RT::Ticket->new(RT->SystemUser); \$t->Load($number); \$t->SetPriority(\$_) for 1..101"
        refused "jit-rt$number" ticket-invalid
        # With the fields their history is hidden.
        rt_ready_ticket
        rt_right Revoke SeeCustomField
        wait_for 15 verdict_is "jit-rt$number" ticket-invalid || fail "with its fields hidden: $(verdict "jit-rt$number")"
        refused "jit-rt$number" ticket-invalid
        rt_right Grant SeeCustomField
        wait_for 15 verdict_is "jit-rt$number" approved || fail "with its fields shown again: $(verdict "jit-rt$number")"
}

test_rt_9_unset_date() {
        rt_new alice
        rt_set alice "$number" '{"CustomFields":{"Window end":""}}'
        rt_approve "$number"
        refused "jit-rt$number" ticket-invalid
}

test_rt_10_unreadable_configuration() {
        rt_ready_ticket
        service_end rt
        on_rt_files chmod 0600
        rt_start rt_answers 401 || fail "RT is not as it was seen to be"
        refused "jit-rt$number" provider-login
        service_end rt
        on_rt_files chmod 0640
        rt_start
        wait_for 30 verdict_is "jit-rt$number" approved || fail "with its configuration again: $(verdict "jit-rt$number")"
}

# The overlay's upper folder has what was changed; a file that was not comes with its first change.
on_rt_files() { # COMMAND...
        unshare --mount --propagation private "$BASH" -c '
                mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
                "${@:3}" "$2"/root/etc/request-tracker5/RT_SiteConfig.pm "$2"/root/etc/request-tracker5/RT_SiteConfig.d/*.pm' \
                files "$rt_root" "$work/rt" "$@"
}
rt_answers() { [[ $(rt_get -o /dev/null -w '%{http_code}' rt) == "$1" ]]; }

test_rt_11_names_that_are_queries() {
        local name
        rt_ready_ticket
        for name in "rt$number' OR id='1" "rt$number OR 1=1" "rt0$number" "rt$number%20OR%201" "rt-$number"; do
                out=$(as alice ssh "${ssh_options[@]}" -l "jit-$name" db1 id 2>&1) && fail "$name got in: $out"
                out=$(on jitctl provider test request-tracker "$name" 2>&1) && fail "$name is a ticket: $out"
                expect_no_match 'https://rt.test' "$out"
        done
        verdict_is "jit-rt$number" approved
}

# ---- RT is away ----

test_rt_away() {
        local start
        role=again rt_ready_ticket
        first=$number
        session_start "RT$first" -tt
        rt_ready_ticket
        service_end rt
        start=$(now_ms)
        refused "jit-rt$number" provider-unreachable
        took_ms=$(($(now_ms) - start))
        echo "# refused while RT is away: $took_ms ms, jitctl explain and ssh together"
        ((took_ms < 20000)) || fail "refused after $took_ms ms only"
        session_lives || fail "the grant ended at once with RT: $(cat "$session_out")"
        # RecheckSec=15s before it is noticed at all, GraceSec=20s since the last clear answer.
        session_ends 40
        echo "# RT gone, session gone: $(($(now_ms) - start)) ms (GraceSec=20s)"
        record gone_without_rt $(($(now_ms) - start))
        expect_gone "RT$first" "$session_uid" provider-unreachable
        rt_start
        wait_for 30 verdict_is "jit-rt$number" approved || fail "with RT again: $(verdict "jit-rt$number")"
        session_start "RT$number"
        session_logout
        LEFT_WAIT=10 nothing_left "jit-rt$number" "$session_uid"
}

# ---- how long ----

# prompt_time ACCOUNT: milliseconds from `ssh` to the prompt, in $prompt_ms
prompt_time() {
        local line='' c start pid fd
        start=$(now_ms)
        exec {fd}< <(as alice ssh "${ssh_options[@]}" -tt "$1@db1" 2>&1 < <(sleep 30))
        pid=$!
        while IFS= read -r -N1 -t 20 -u "$fd" c; do
                line+=$c
                [[ $line != *[$'\r\n'] ]] || line=''
                [[ ! $line =~ (\$|#)\ $ ]] || break
        done
        prompt_ms=$(($(now_ms) - start))
        session_logout "$pid"
        exec {fd}<&-
        [[ $line =~ (\$|#)\ $ ]] || fail "no prompt for $1: $line"
}

times() { # ACCOUNT...: of each once, in $samples
        local account
        samples=()
        for account in "$@"; do
                prompt_time "$account"
                samples+=("$prompt_ms")
        done
}

test_rt_time_to_prompt() {
        local i with_rt=() signed=() a b
        for i in 1 2 3 4 5; do
                rt_ready_ticket
                ticket_ready "TIME$i"
                # In turns, so that both meet the same noise.
                times "jit-rt$number" "jit-time$i"
                with_rt+=("${samples[0]}") signed+=("${samples[1]}")
        done
        record prompt_request_tracker "${with_rt[@]}"
        record prompt_signed "${signed[@]}"
        a=$(median "${with_rt[@]}") b=$(median "${signed[@]}")
        echo "# ssh to the prompt: $a ms with a ticket in RT (${with_rt[*]}), $b ms with a signed one (${signed[*]})"
        ((a < 5000)) || fail "a login with a ticket in RT takes $a ms"
}

test_rt_hangs() {
        local i hung=() usual=() pids=() a b start
        for i in 1 2 3; do ticket_ready "USUAL$i" && ticket_ready "HUNG$i"; done
        rt_ready_ticket
        times jit-usual1 jit-usual2 jit-usual3
        usual=("${samples[@]}")
        rt_signal STOP
        for i in 901 902 903; do on getent passwd "jit-rt$i" >/dev/null & pids+=($!); done
        times jit-hung1 jit-hung2 jit-hung3
        hung=("${samples[@]}")
        start=$(now_ms)
        as alice ssh "${ssh_options[@]}" "jit-rt$number@db1" true && fail "jit-rt$number got in while RT hangs"
        took_ms=$(($(now_ms) - start))
        echo "# refused while RT hangs: $took_ms ms (TimeoutSec=8s)"
        record refused_while_rt_hangs "$took_ms"
        ((took_ms < 20000)) || fail "refused after $took_ms ms only"
        refused "jit-rt$number" provider-unreachable
        rt_signal CONT
        wait "${pids[@]}" || :
        wait_for 40 verdict_is "jit-rt$number" approved || fail "with RT awake again: $(verdict "jit-rt$number")"
        a=$(median "${hung[@]}") b=$(median "${usual[@]}")
        record prompt_signed_while_rt_hangs "${hung[@]}"
        echo "# ssh to the prompt with a signed ticket while RT hangs: $a ms (${hung[*]}), else $b ms (${usual[*]})"
        ((a < b * 2 + 300)) || fail "signed tickets wait for RT: $a ms, not $b ms"
}
