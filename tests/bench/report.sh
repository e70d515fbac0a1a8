# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Medians, ratios, targets: bench.json and the table. Sourced by run.sh.

# Name, unit, what the target is for (ratio, value, or difference of value and baseline), target. They are the project's; what they are measured against is in measure.sh.
bench_targets=(
        'account_cycle us ratio 0.1'
        'ssh_login us ratio 1.05'
        'su_login us ratio null'
        'sudo_tax us difference 1000'
        'sudo_gate us ratio 1.3'
        'revoke us ratio 1.5'
        'revoke_1000 us ratio 1.3'
        'scale_10k us ratio 1.2'
        'grant_memory bytes value 2048'
        'empty_rss bytes value 8388608'
        'nss_miss ns ratio 1.5'
        'idle_wakeups count value 2'
        'ticket_latency us ratio 1.2'
        'ticket_latency_1000 us ratio 1.2'
        'tickets_per_sec count value null'
        'recheck_1000 percent value 1'
)

median() { # FILE
        sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# Everything else that was measured under the name, medians: {"baseline_cold": 265560, ...}
extras() { # DIR NAME
        local file
        for file in "$1/$2".*; do
                case $file in
                *.value | *.baseline) ;;
                *) echo "${file##*.} $(median "$file")" ;;
                esac
        done | jq -Rn '[inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add // {}'
}

entry() { # DIR NAME UNIT KIND TARGET
        local baseline=null
        [[ ! -s $1/$2.baseline ]] || baseline=$(median "$1/$2.baseline")
        jq -n --arg name "$2" --arg unit "$3" --arg kind "$4" --argjson target "$5" --argjson value "$(median "$1/$2.value")" \
                --argjson baseline "$baseline" --argjson samples "$(wc -l <"$1/$2.value")" --argjson extras "$(extras "$1" "$2")" '
                (if $baseline then $value / $baseline * 1000 | round / 1000 else null end) as $ratio |
                (if $kind == "difference" then {difference: ($value - $baseline)} else {} end) as $difference |
                {($name): ({value: $value, unit: $unit, baseline: $baseline, ratio: $ratio} + $difference + {target: $target,
                        met: (if $target == null then null else {ratio: $ratio, value: $value, difference: $difference.difference}[$kind] <= $target end),
                        samples: $samples} + $extras)}'
}

# us and ns become ms and us, bytes kB where they are many: for people.
table() { # JSON FILE
        jq -r '
                def shown($unit): if . == null then "-" elif $unit == "us" then "\(. / 10 | round / 100) ms"
                        elif $unit == "ns" then "\(. / 10 | round / 100) us" elif $unit == "bytes" and . > 100000 then "\(. / 1024 | round) kB"
                        elif $unit == "bytes" then "\(.) B" elif $unit == "percent" then "\(. * 100 | round / 100) %" else tostring end;
                ["NAME", "OURS", "BASELINE", "RATIO", "TARGET", ""],
                (to_entries[] | .key as $name | .value | .unit as $unit |
                        [$name, (.value | shown($unit)), (.baseline | shown($unit)), (.ratio // "-" | tostring),
                        (if .target == null then "-" elif .difference then "+ <= " + (.target | shown($unit))
                                elif .ratio then "<= \(.target)" else "<= " + (.target | shown($unit)) end),
                        (if .met == null then "" elif .met then "met" else "MISSED" end)]) | @tsv' "$1" | column -t -s $'\t'
}

report() { # DIR OUT
        local line name
        for line in "${bench_targets[@]}"; do
                name=${line%% *}
                # shellcheck disable=SC2086  # words
                [[ ! -s $1/$name.value ]] || entry "$1" $line
        done | jq -s 'add // {}' >"$2.new" && mv "$2.new" "$2" && table "$2"
}
