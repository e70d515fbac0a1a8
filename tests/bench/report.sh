# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Medians, ratios, targets: bench.json and the table. Sourced by run.sh.

median() { # FILE
        sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
