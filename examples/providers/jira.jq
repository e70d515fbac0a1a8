# SPDX-License-Identifier: Apache-2.0
# A Jira issue as an approval: who moved it to the status "Approved", as its changelog tells; jira.conf asks for the issue with it.
#
# What it demands, and why:
# - The key that was asked for: an issue that was moved to another project answers under its old key too.
# - The whole changelog: Jira cuts it (total > what is there), and what is not there may be what matters. Newest or oldest first.
# - A status "Approved", or one that may follow it, reached through "Approved": a workflow may have ways around it, so the status alone
#   proves nothing. A status in between that is neither voids the approval.
# - Nothing but what is listed as harmless changed after the approval, in whatever field: approvals are then told as ticket-tampered.
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
def approving_status: "Approved"; # only approvers may move an issue there: that is the workflow's business
def following_statuses: ["In Progress"];
def denying_statuses: ["Declined", "Rejected"];
# Names of Jira's own fields and of custom ones, which may be called as they like, in lower case.
def harmless_fields: {
  "jira": ["status", "resolution", "comment", "attachment", "link", "remoteissuelink", "labels", "worklogid", "timespent", "timeestimate"],
  "custom": ["rank", "sprint"]
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

# {at, when, author} of the approval that the status stands on, or null.
def approval_of($changes; $status):
  [$changes[] | . as $change | .items[] | select(.field == "status" and .fieldtype == "jira")
    | {at: $change.at, when: $change.when, author: $change.author, to: .toString}]
  | if length > 0 and .[-1].to != $status then error("the changelog ends at another status than the issue has") else . end
  | reduce .[] as $move (null;
      if $move.to == approving_status then $move
      elif $move.to | is_among(following_statuses) then .
      else null end);

.match[0] as $key | .answers.issue
| if . == null then null
  elif .key != ($key | ascii_upcase) then error("another issue than the one asked for")
  else .fields as $f | changes as $changes
    | ($f.status.name | if type == "string" then . else error("no status") end) as $status
    | ($f.status.statusCategory.key
       | if is_among(["new", "indeterminate", "done"]) then . else error("the status has no known category") end) as $category
    | approval_of($changes; $status) as $approval
    | ($approval != null
       and any($changes[] | select(.at > $approval.at) | .items[]; is_harmless | not)) as $changed
    | ($f.reporter | if . == null then null else person end) as $reporter
    | (if $approval == null then [] else [{name: ($approval.author | person), at: $approval.when}] end) as $yes
    | {ticket: .key,
       state: (if $category == "done" then if $status | is_among(denying_statuses) then "denied" else "closed" end
               elif $status | is_among(denying_statuses) then "denied"
               elif $approval == null or $changed then "pending"
               else "approved" end),
       title: $f.summary,
       requesters: [$f.assignee | person],
       approvers: [$yes[] | select(($changed or .name == $reporter) | not)],
       invalid: [$yes[]
         | if $changed then . + {reason: "ticket-tampered"}
           elif .name == $reporter then . + {reason: "self-approved"}
           else empty end],
       hosts: [$f[hosts_field] | words | ascii_downcase],
       role: ($f[role_field] | one_word | ascii_downcase),
       not_before: ($f[begin_field] | rfc3339), not_after: ($f[end_field] | rfc3339),
       reason: ($f.description // $f.summary
         | if type == "string" then . else error("a description that is no text: is this REST API 3?") end)}
  end
