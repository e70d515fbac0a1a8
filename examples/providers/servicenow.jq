# SPDX-License-Identifier: Apache-2.0
# A ServiceNow change request as an approval; servicenow.conf asks for the change, its approval rows and its history.
#
# What it demands, and why:
# - Exactly one row, with the number that was asked for: ServiceNow ignores a part of a query that it does not understand and then
#   answers with other rows. The same for every approval and history row.
# - State "Scheduled" or "Implement", approval "approved" and not on hold. Numbers come as numbers or as strings.
# - Dates from "value", which is UTC; "display_value" is in the zone of the account that asks.
# - A history that shows when the approval was given. Rows that the account may not read are left out without a word, so no such row
#   means that the history cannot be trusted.
# - Nothing of what was approved changed at or after an approval, or after the change was approved as a whole: such an approval is told
#   as ticket-tampered and counts no more, and the change is pending again.
# A standard change is approved without any approval row: its list of approvers is empty, which the shipped policy refuses. A site that
# wants such changes has a policy.jq that says so.

# ---- fields: {"value", "display_value"} ----
def field($name): .[$name]
  | if type == "object" and has("value") then .value else error("no field \($name): may the account read it?") end;
def text($name): field($name)
  | if type == "string" and . != "" then . else error("the field \($name) is empty") end;
def whole($name): field($name)
  | if type == "string" and test("\\A-?[0-9]{1,6}\\z") then tonumber
    elif type == "number" then .
    else error("the field \($name) is no number") end;
def yes($name): field($name)
  | if . == "true" or . == true then true elif . == "false" or . == false then false
    else error("the field \($name) is neither true nor false") end;
def utc($name): text($name) # 2026-11-22 14:00:00
  | if test("\\A[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\z") then "\(.[0:10])T\(.[11:19])Z"
    else error("the field \($name) is no date") end;
def is_among($list): . as $one | any($list[]; . == $one);
def rows($what; $limit): .result
  | if type != "array" then error("no list of \($what)")
    elif length >= $limit then error("more \($what) than one answer holds")
    else . end;

# ---- what differs from site to site ----
def person: if type == "string" then ascii_downcase else error("a user without user_name") end; # user_name as on the hosts
def hosts: [text("cmdb_ci.name") | ascii_downcase]; # a change of several CIs (task_ci) needs a request of its own
def role: text("u_jit_role") | ascii_downcase;
def approved_fields: ["cmdb_ci", "start_date", "end_date", "assigned_to", "requested_by", "u_jit_role", "short_description",
  "justification"];

# ---- what is the same everywhere ----
def change_state: whole("state") as $state | text("approval") as $approval
  | if $state == 0 or $state == 3 or $state == 4 then "closed" # Review, Closed, Canceled
    elif $approval == "rejected" then "denied"
    elif $state == -5 or $state == -4 or $state == -3 then "pending" # New, Assess, Authorize
    elif ($state == -2 or $state == -1) | not then error("the state \($state) is unknown")
    elif $approval != "approved" then error("scheduled, but not approved")
    elif yes("on_hold") then "pending"
    else "approved" end;

def approval_rows($sys_id): [rows("approvals"; 100)[]
  | if text("sysapproval") != $sys_id then error("an approval of another change: was the query ignored?") else . end
  | {state: text("state"), name: field("approver.user_name"), at: utc("sys_updated_on")}
  | if .state | is_among(["approved", "rejected", "requested"]) then .name |= person
    elif .state | is_among(["not requested", "not_required", "cancelled", "duplicate", "no_longer_required"]) then empty
    else error("an approval's state is unknown") end];

def history($sys_id): [rows("history"; 500)[]
  | if text("documentkey") != $sys_id or text("tablename") != "change_request"
    then error("a history of another record: was the query ignored?") else . end
  | {field: text("fieldname"), to: field("newvalue"), at: utc("sys_created_on")}];

(.match[0] | ascii_upcase) as $number | .answers as $answers
| ($answers.change | rows("changes"; 3)) as $found
| if ($found | length) == 0 then null
  elif ($found | length) > 1 then error("several changes for one number: was the query ignored?")
  else $found[0]
    | (if text("number") != $number then error("another change: was the query ignored?") else text("sys_id") end) as $sys_id
    | change_state as $state
    | ($answers.approvals | approval_rows($sys_id)) as $rows
    | ($answers.history | history($sys_id)) as $history
    | (field("requested_by.user_name") | person) as $asked_by
    | ([$history[] | select(.field == "approval" and .to == "approved") | .at] | max) as $approved_at
    | ([$history[] | select(.field | is_among(approved_fields)) | .at] | max // "") as $changed_at
    # A change in the same second as an approval is not known to be before it.
    | [$rows[] | select(.state == "approved") | {name, at}
       | if ([.at, $approved_at // .at] | min) <= $changed_at then . + {reason: "ticket-tampered"}
         elif .name == $asked_by then . + {reason: "self-approved"}
         else . end] as $yes
    | if $state == "approved" and any($rows[]; .state == "rejected") then error("approved, and rejected by somebody")
      elif $state == "approved" and ($yes | length) == 0 and text("type") != "standard" then error("approved by nobody")
      elif ($yes | length) > 0 and $state == "approved" and $approved_at == null
      then error("the history does not show the approval: may the account read sys_audit?")
      else . end
    | any($yes[]; .reason == "ticket-tampered") as $changed
    | {ticket: $number,
       state: (if $state == "approved" and $changed then "pending" else $state end),
       title: text("short_description"),
       requesters: [field("assigned_to.user_name") | person],
       approvers: [$yes[] | select(.reason == null)],
       invalid: [$yes[] | select(.reason != null)],
       may_approve: [$rows[] | select(.state == "requested") | .name],
       hosts: hosts, role: role,
       not_before: utc("start_date"), not_after: utc("end_date"),
       reason: (field("justification") | if type == "string" then . else "" end),
       emergency: (text("type") == "emergency")}
  end
