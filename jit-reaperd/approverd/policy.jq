# SPDX-License-Identifier: Apache-2.0
# The shipped policy; a file /etc/jit/policy.jq takes its place. See jit-approverd(8), "POLICY".
#
# Input: {request, approval, role, host}. Output: {allow, reasons, ttl_usec}: reasons are codes, the one that matters most first.
# Host patterns are compared by hand, label by label: jq's regular expressions cost as much as all the rest together.

# Names of hosts and patterns come in lower case. '*' stands for any characters, none too, of one label.
def label_matches($pattern):
  . as $text
  | ($pattern | split("*")) as $parts
  | if ($parts | length) == 1 then $text == $pattern
    else
      ($parts[0]) as $head | ($parts[-1]) as $tail
      | if ($text | length) < (($head | length) + ($tail | length)) then false
        elif (($text | startswith($head)) and ($text | endswith($tail))) | not then false
        else
          reduce $parts[1:-1][] as $part ($text[($head | length):(($text | length) - ($tail | length))];
            if . == null or $part == "" then .
            else index($part) as $at | if $at == null then null else .[$at + ($part | length):] end
            end)
          | . != null
        end
    end;

def host_matches($pattern):
  if $pattern == . then true
  elif ($pattern | contains("*")) | not then false
  else
    split(".") as $labels | ($pattern | split(".")) as $patterns
    | ($labels | length) == ($patterns | length)
      and all(range($labels | length); . as $i | $labels[$i] | label_matches($patterns[$i]))
  end;

# Differences of arrays are one step to jq; any() is many, and index() on an array leaks in jq 1.6.
def is_among($list): [.] - $list == [];

.approval as $a | .request as $r | .role as $role | .host as $host
| ($role.approvers // 1) as $needed
| [$a.approvers[].name] as $names
| ($a.requesters) as $requesters
| ($names - $requesters) as $others
| [$a.invalid_approvals[]? | .reason] as $invalid
| ($others | length) as $n
| [ (if $a.state == "denied" then "ticket-denied" else empty end),
    (if $a.state == "closed" then "ticket-closed" else empty end),
    # Facts about approvals that do not count matter only when they are what is missing.
    (if $n < $needed
     then first($invalid[] | select(. == "ticket-tampered" or . == "approver-revoked" or . == "approver-unknown"))
     else empty end),
    (if $role == null then "role-unknown" else empty end),
    (if $r.person | is_among($requesters) | not then "not-requester" else empty end),
    (if $n < $needed and (($names | length) > $n or ("self-approved" | is_among($invalid))) then "self-approved" else empty end),
    (if $host.names - $a.hosts != $host.names then empty
     elif any($a.hosts[]; . as $pattern | any($host.names[]; host_matches($pattern))) then empty
     else "wrong-host" end),
    (if $r.now >= $a.not_after_usec then "too-late" else empty end),
    (if $n >= $needed and $a.state != "pending" then empty
     elif $n == 0 or $a.state == "pending" then "ticket-pending"
     else "too-few-approvers" end),
    (if $r.now < $a.not_before_usec then "too-early" else empty end)
  ] as $reasons
| { allow: ($reasons == []),
    reasons: (if $reasons == [] then ["approved"] else $reasons end),
    ttl_usec: ([($role.ttl_usec // 0), $a.not_after_usec - $r.now, $a.not_after_usec - $a.not_before_usec] | min | [., 0] | max) }
