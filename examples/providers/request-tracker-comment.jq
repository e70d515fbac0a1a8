# SPDX-License-Identifier: Apache-2.0
# What stands in the ticket when a grant has started and when it has ended.
.event as $e
| def line($name; $value): if $value == null or $value == "" then empty else "\($name): \($value)" end;
  (if $e.reason == null then "Access was used" else "Access has ended: \($e.reason)" end) as $head
| { ContentType: "text/plain",
    Content: ([ "\($head).",
        line("Who"; $e.person),
        line("Host"; $e.host),
        line("Account"; $e.account),
        line("Role"; $e.role),
        line("From"; $e.since),
        line("To"; $e.ended // $e.until),
        line("By"; [$e.service, $e.rhost, $e.tty] | map(select(. != null and . != "")) | join(" ")),
        line("Sessions"; $e.sessions),
        line("Killed"; $e.killed),
        line("Receipt (SHA-256)"; $e.receipt) ] | join("\n")) }
