# SPDX-License-Identifier: Apache-2.0
# A ticket in one answer, in the way of Jira's: names inside objects, states in words of its own.
.answers.ticket as $t | .ticket as $asked | $t.fields as $f
| if ($t.key | ascii_downcase) != $asked then error("another ticket") else . end
| { ticket: $t.key,
    title: $f.summary,
    reason: $f.description,
    state: (if $f.status.statusCategory.key == "done" then "closed"
            elif all($f.approvals[]; .finalDecision == "approved") then "approved"
            elif any($f.approvals[]; .finalDecision == "declined") then "denied"
            else "pending" end),
    requesters: [$f.reporters[].name | ascii_downcase],
    approvers: [$f.approvals[].approvers[] | select(.approverDecision == "approved")
                | {name: (.approver.name | ascii_downcase), at: .completedDate}],
    hosts: [$f.hosts[].value | ascii_downcase],
    role: $f.role.value,
    not_before: $f.start,
    not_after: $f.end }
