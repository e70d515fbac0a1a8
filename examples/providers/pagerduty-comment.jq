# SPDX-License-Identifier: Apache-2.0
# A note on the incident when a grant starts and when it ends.
def time: if type == "number" then . / 1000000 | floor | todate else . // "?" end;

.event
| {note: {content:
    (if .reason == null
     then "pam_jit: \(.person) has \(.account) on \(.host), role \(.role), from \(.since | time) to \(.until | time)"
       + " at the latest, by \(.service // "?") from \(.rhost // "this host")."
     else "pam_jit: \(.account) of \(.person) on \(.host) ended at \(.ended | time): \(.reason)."
       + " Sessions: \(.sessions // 0), processes killed: \(.killed // 0). Receipt SHA-256 \(.receipt // "-")."
     end)}}
