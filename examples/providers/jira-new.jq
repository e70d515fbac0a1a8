# SPDX-License-Identifier: Apache-2.0
# The issue that `jitctl ticket new` opens; the customfield numbers are those of jira.jq.
def jira_date: .[0:19] + ".000+0000"; # from 2026-11-22T14:00:00Z

.new as $new
| {fields: {
    project: {key: "OPS"}, issuetype: {name: "Task"},
    summary: $new.title, description: $new.reason,
    assignee: {name: .person}, # Cloud: {accountId: ...}
    customfield_10101: ($new.hosts | join(", ")),
    customfield_10102: {value: $new.role},
    customfield_10103: ($new.not_before | jira_date),
    customfield_10104: ($new.not_after | jira_date)}}
