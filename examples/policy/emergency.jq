# SPDX-License-Identifier: Apache-2.0
# An example of a host's own rules: copy it to /etc/jit/policy.jq and change it. As the shipped policy, but for one thing: evidence of an
# emergency (an incident that somebody is on call for, see pagerduty.jq in examples/providers) opens roles named emergency-*, and nothing
# else, without an approval. jit-approverd(8), "POLICY", describes input and output; emergency-cases.json beside this file shows what it
# answers.
#
# - Only evidence of the providers listed here, which say who is on call; a ticket whose author calls it an emergency is none.
# - Only as long as the ticket is open, and for an hour at a time.
# - These roles are for nothing else: with an approval, but without an emergency, they stay shut.
def evidence_of: ["pagerduty"];

def is_among($list): . as $one | any($list[]; . == $one);
# No patterns but one '*' a label: db*.prod.example.com
def label_matches($pattern): . as $text | ($pattern | split("*")) as $p
  | if ($p | length) == 1 then $text == $pattern
    elif ($p | length) > 2 or ($text | length) < ($pattern | length) - 1 then false
    else ($text | startswith($p[0])) and ($text | endswith($p[1])) end;
def host_matches($pattern): split(".") as $labels | ($pattern | split(".")) as $patterns
  | ($labels | length) == ($patterns | length) and all(range($labels | length); . as $i | $labels[$i] | label_matches($patterns[$i]));

.approval as $a | .request as $r | .role as $role | .host as $host
| ($a.role | startswith("emergency-")) as $is_emergency_role
| ($a.emergency and ($a.provider // "" | is_among(evidence_of))) as $is_evidence
| [$a.approvers[].name | select(is_among($a.requesters) | not)] as $others
| [ (if $a.state == "denied" then "ticket-denied" else empty end),
    (if $a.state == "closed" then "ticket-closed" else empty end),
    (if any($a.invalid_approvals[]?; .reason == "ticket-tampered") then "ticket-tampered" else empty end),
    (if $role == null then "role-unknown" else empty end),
    (if $r.person | is_among($a.requesters) | not then "not-requester" else empty end),
    (if any($a.hosts[]; . as $pattern | any($host.names[]; host_matches($pattern))) then empty else "wrong-host" end),
    (if $r.now >= $a.not_after_usec then "too-late" else empty end),
    (if $r.now < $a.not_before_usec then "too-early" else empty end),
    (if $is_emergency_role then if $is_evidence then empty else "no-emergency" end
     elif $a.state == "pending" or ($others | length) == 0 then "ticket-pending"
     elif ($others | length) < ($role.approvers // 1) then "too-few-approvers"
     else empty end)
  ] as $reasons
| { allow: ($reasons == []),
    reasons: (if $reasons == [] then ["approved"] else $reasons end),
    ttl_usec: ([$role.ttl_usec // 0, $a.not_after_usec - $r.now, (if $is_emergency_role then 3600 * 1000000 else $role.ttl_usec // 0 end)]
      | min | [., 0] | max) }
