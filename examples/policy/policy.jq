# SPDX-License-Identifier: Apache-2.0
# An example of a host's own rules: copy it to /etc/jit/policy.jq and change it. It takes the place of the shipped one, so all that is to be
# checked stands here. jit-approverd(8), "POLICY", describes input and output; cases.json beside this file shows what it answers.
#
# - Nothing from Friday 15:00 UTC to Monday 06:00 UTC, but for an emergency with two approvers.
# - The role "dba" over ssh alone.
# - At most 30 minutes at a time.

def thursday: 4;  # 1 January 1970
def minute_of_week: (. / 1000000 | floor) as $s | (($s / 86400 | floor) + thursday) % 7 * 1440 + ($s % 86400 / 60 | floor); # 0: Sunday 00:00
def frozen: minute_of_week | . >= (5 * 1440 + 15 * 60) or . < (1440 + 6 * 60);

.approval as $a | .request as $r | .role as $role | .host as $host
| [$a.approvers[].name | select(. as $n | any($a.requesters[]; . == $n) | not)] as $others
| (if $a.emergency then 2 else $role.approvers // 1 end) as $needed
| [ (if $a.state == "denied" then "ticket-denied" else empty end),
    (if $a.state == "closed" then "ticket-closed" else empty end),
    (if $role == null then "role-unknown" else empty end),
    (if any($a.requesters[]; . == $r.person) then empty else "not-requester" end),
    (if any($a.hosts[]; . as $h | any($host.names[]; . == $h)) then empty else "wrong-host" end), # no patterns here
    (if $r.now >= $a.not_after_usec then "too-late" else empty end),
    (if ($others | length) >= $needed then empty else "too-few-approvers" end),
    (if $r.now < $a.not_before_usec then "too-early" else empty end),
    (if ($r.now | frozen) and ($a.emergency | not) then "change-freeze" else empty end),
    (if $role.name == "dba" and ($r.service // "sshd") != "sshd" then "ssh-only" else empty end)
  ] as $reasons
| { allow: ($reasons == []),
    reasons: (if $reasons == [] then ["approved"] else $reasons end),
    ttl_usec: ([$role.ttl_usec // 0, $a.not_after_usec - $r.now, 30 * 60 * 1000000] | min),
    message: (if $reasons[0] == "change-freeze" then "no changes from Friday 15:00 to Monday 06:00 UTC; ask for an emergency ticket"
              elif $reasons[0] == "ssh-only" then "the role dba is for ssh alone" else null end) }
