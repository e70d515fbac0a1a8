# SPDX-License-Identifier: Apache-2.0
# A request of Jira Service Management as an approval: its own approvals, and the issue behind it for people, hosts, role and window.
# jira-service-management.conf asks for both.
#
# What it demands, and why:
# - The key that was asked for: an issue that was moved to another project answers under its old key too.
# - At least one approval, and all of them approved: an empty list is what a request without an approval step has. One page that is the
#   last: what is not there may be declined.
# - Decisions that fit together: "approved" by at least one and declined by none. No approver has a time, only the whole approval
#   has one (completedDate), so nobody's "at" is told.
# - An issue whose status is not done.
# - Nothing but what is listed as harmless changed since the first approval was complete: approvals are then told as ticket-tampered.
# - Neither assignee (who logs in) nor reporter approves: the first is the policy's business, the second is told as self-approved here.

# ---- dates: 2017-02-28T09:24:59.366-0600 ----
def rfc3339:
  if type == "string"
    and test("\\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})\\z")
  then if endswith("Z") or .[-3:-2] == ":" then . else .[:-2] + ":" + .[-2:] end
  else error("a date is missing or not of Jira's form") end;
def milliseconds: rfc3339 as $t # since 1970
  | ($t[0:19] + "Z" | fromdateiso8601) as $seconds
  | (if $t | endswith("Z") then "+00:00" else $t[-6:] end) as $zone
  | (($zone[1:3] | tonumber) * 3600 + ($zone[4:6] | tonumber) * 60) as $ahead
  | ($t[19:] | if startswith(".") then .[1:] | rtrimstr("Z") | rtrimstr($zone) | (. + "00")[0:3] | tonumber else 0 end) as $fraction
  | (if $zone | startswith("-") then $seconds + $ahead else $seconds - $ahead end) * 1000 + $fraction;

# ---- what differs from site to site ----
def hosts_field: "customfield_10101"; # text ("db1, db2"), labels or a list to choose from
def role_field: "customfield_10102";
def begin_field: "customfield_10103"; # date and time
def end_field: "customfield_10104";
# Data Center has name; Cloud has accountId, and emailAddress only where people show it: map accountId here then.
def person:
  (if type != "object" then error("somebody is nobody: may the account read users?") else .name // .emailAddress end)
  | if type != "string" then error("a user without name and mail address") else ascii_downcase end
  | if endswith("@example.com") then .[:-12] else . end;
# Names of Jira's own fields and of custom ones, which may be called as they like, in lower case.
def harmless_fields: {
  "jira": ["status", "resolution", "comment", "attachment", "link", "remoteissuelink", "labels", "worklogid", "timespent", "timeestimate"],
  "custom": ["rank", "sprint", "approvals"]
};

# ---- what is the same everywhere ----
def is_among($list): . as $one | any($list[]; . == $one);
def words:
  if type == "array" then .[] | words
  elif type == "object" then .value | words
  elif type == "string" then split(",")[] | split(" ")[] | split("\n")[] | select(. != "")
  else error("a field that names hosts or the role is empty or of an unknown kind") end;
def one_word: [words] | if length == 1 then .[0] else error("a field that names one thing names \(length)") end;

# Every change of the issue, oldest first.
def changes: .changelog
  | if type != "object" or (.histories | type) != "array" then error("no changelog")
    elif .startAt != 0 or .total != (.histories | length)
    then error("the changelog is not whole: \(.histories | length) of \(.total | tostring | .[0:9]) changes")
    else
      [.histories[]
        | {at: (.created | milliseconds), when: (.created | rfc3339), id: (.id | tostring | tonumber), author,
           items: (.items | if type == "array" then . else error("a change without items") end)}]
      | sort_by([.at, .id])
    end;

def is_harmless: (.field | tostring | ascii_downcase) as $field
  | harmless_fields[.fieldtype | tostring] // [] | . as $list | $field | is_among($list);
def known_decision:
  if is_among(["approved", "declined", "pending"]) then . else error("an approval without a known decision") end;
def approvals:
  if type != "object" or (.values | type) != "array" then error("no list of approvals")
  elif .isLastPage != true then error("more approvals than one answer holds")
  else [.values[]
    | {decision: (.finalDecision | known_decision),
       at: (if .finalDecision == "approved" then .completedDate.iso8601 | milliseconds else null end),
       people: [.approvers[] | {name: (.approver | person), decision: (.approverDecision | known_decision)}]}
    | if .decision == "approved" and (any(.people[]; .decision == "declined") or all(.people[]; .decision != "approved"))
      then error("an approval that its approvers contradict") else . end]
  end;

.match[0] as $key | .answers as $answers | $answers.issue
| if . == null then null
  elif .key != ($key | ascii_upcase) then error("another issue than the one asked for")
  else .fields as $f | changes as $changes | ($answers.approvals | approvals) as $approvals
    | ($f.status.statusCategory.key
       | if is_among(["new", "indeterminate", "done"]) then . else error("the status has no known category") end) as $category
    | ([$approvals[] | .at | select(. != null)] | min) as $first
    | ($first != null and any($changes[] | select(.at >= $first) | .items[]; is_harmless | not)) as $changed
    | ($f.reporter | if . == null then null else person end) as $reporter
    | [$approvals[] | select(.decision == "approved") | .people[] | select(.decision == "approved") | {name}] as $yes
    | {ticket: .key,
       state: (if any($approvals[]; .decision == "declined") then "denied"
               elif $category == "done" then "closed"
               elif ($approvals | length) == 0 or any($approvals[]; .decision == "pending") or $changed then "pending"
               else "approved" end),
       title: $f.summary,
       requesters: [$f.assignee | person],
       approvers: [$yes[] | select(($changed or .name == $reporter) | not)],
       invalid: [$yes[]
         | if $changed then . + {reason: "ticket-tampered"}
           elif .name == $reporter then . + {reason: "self-approved"}
           else empty end],
       may_approve: [$approvals[] | select(.decision == "pending") | .people[] | select(.decision == "pending") | .name],
       hosts: [$f[hosts_field] | words | ascii_downcase],
       role: ($f[role_field] | one_word | ascii_downcase),
       not_before: ($f[begin_field] | rfc3339), not_after: ($f[end_field] | rfc3339),
       reason: ($f.description // $f.summary
         | if type == "string" then . else error("a description that is no text: is this REST API 3?") end)}
  end
