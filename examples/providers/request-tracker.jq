# SPDX-License-Identifier: Apache-2.0
# Request Tracker's answers (request-tracker.conf) to the canonical approval of jit-provider(5).
#
# RT lets people do to their own tickets what looks like an approval, and drops from its answers what the asker may not see. So:
# the ticket's status is never enough, nor are the approvals; an approval is one only in RT's own queue for them; and it covers what the
# ticket said when it was given. What cannot be known is a no.

def is_among($list): . as $one | any($list[]; . == $one);

# ---- what a site may want to change ----

# Queues whose tickets open accounts, and what their statuses mean. AccessPlain has RT's stock lifecycle, where requesters themselves
# may move a ticket to "open": nothing follows from that here without the approvals.
def queues:
  { "Access": {"requested": "pending", "approved": "approved", "denied": "denied", "closed": "closed", "deleted": "closed"},
    "AccessPlain": {"new": "pending", "open": "approved", "stalled": "pending", "rejected": "denied", "resolved": "closed",
      "deleted": "closed"} };

def approval_states: {"new": "pending", "open": "pending", "stalled": "pending", "resolved": "approved", "rejected": "denied"};

# Custom fields. All must be visible to the asker, filled in or not: a field that is hidden has a history that is hidden.
def field_names:
  {"hosts": "Host", "role": "Role", "not_before": "Window start", "not_after": "Window end", "ssh_keys": "Requester ssh key",
    "emergency": "Emergency"};

# Who may open tickets in others' names with others' keys: the account that pam_jit itself asks with (`jitctl ticket new`).
def agents: ["checker"];

# Entries of a ticket's history that leave what was approved as it was. All others, known or not, end the approvals before them: changes
# of custom fields, requesters and queue, and merging, which brings another ticket's requesters without a word.
def harmless:
  if (.Type | type) != "string" then false
  elif .Type == "Set" then
    .Field | is_among(["Subject", "Priority", "InitialPriority", "FinalPriority", "TimeWorked", "TimeLeft", "TimeEstimated", "Told",
      "Due", "Starts", "Started", "Resolved", "Owner", "SLA"])
  elif .Type == "AddWatcher" or .Type == "DelWatcher" or .Type == "SetWatcher" then .Field | is_among(["Cc", "AdminCc", "Owner"])
  elif .Type == "AddLink" or .Type == "DeleteLink" then .Field | is_among(["RefersTo", "ReferredToBy", "MemberOf", "HasMember"])
  else
    .Type | is_among(["Create", "Status", "Correspond", "Comment", "EmailRecord", "CommentEmailRecord", "Give", "Take", "Untake",
      "Steal", "Force", "AddReminder", "OpenReminder", "ResolveReminder"])
  end;

# ---- reading ----

# Numbers come as numbers in one place and as strings in another.
def id_text: if type == "number" or type == "string" then tostring else error("an id is neither a number nor a string") end;
def id_number: id_text | if test("\\A[0-9]{1,15}\\z") then tonumber else error("an id is not a number") end;

# Every page holds what it says, and a page of tickets says how many there are in all: no total means that some are hidden.
def page:
  if type == "object" and (.items | type) == "array" and .count == (.items | length) and all(.items[]; type == "object") then .items
  else error("an answer of RT's is not a page of a list")
  end;
def all_of_it: if type == "object" and .total == .count then page else error("some of the tickets are hidden from us, or too many") end;

def user:
  if type != "object" or .type != "user" or (.id | type) != "string" then error("not a user, where one is expected")
  else
    # Not for unprivileged users, who are named by any address that they write from.
    .id | ascii_downcase | if test("\\A[a-z_][a-z0-9_.-]{0,30}\\z") then . else error("a user's name that no account can have") end
  end;

def field($key):
  field_names[$key] as $name
  | [.CustomFields[]? | select(.name == $name)]
  | if length == 1 and (.[0].values | type) == "array" and all(.[0].values[]; type == "string")
    then [.[0].values[] | select(. != "")]
    else error("RT shows no custom field \($name)")
    end;
def field_id($key): first(.CustomFields[] | select(.name == field_names[$key])) | .id | id_text;
def one_field($key):
  field($key) | if length == 1 then .[0] else error("the custom field \(field_names[$key]) does not have one value") end;
def time_field($key):
  one_field($key) | if startswith("1970-") then error("the custom field \(field_names[$key]) is not set") else . end;

# At most 120 bytes.
def shortened: if utf8bytelength <= 120 then . else [range(120; 20; -1) as $n | .[:$n] | select(utf8bytelength <= 117)] | .[0] + "..." end;

# ---- judging ----

def state_in($table): . as $status
  | if type == "string" and ($table | has($status)) then $table[$status] else error("a status that request-tracker.jq does not know") end;

# An approval's own ticket, with who closed it and when; null while it is open.
def decision($answer):
  if (.Queue.Name? != "___Approvals") or .Type != "approval" or (.EffectiveId | id_text) != (.id | id_text)
  then error("a ticket of type approval that is none of RT's own")
  else
    (.id | id_text) as $id
    | (.Status | state_in(approval_states)) as $state
    | if $state != "approved" then {state: $state}
      else
        $answer | page
        | if length == 1 and .[0].Type == "Status" and .[0].NewValue == "resolved" and (.[0].ObjectId | id_text) == $id
          then .[0] | {state: $state, name: (.Creator | user), at: .Created, number: (.id | id_number)}
          else error("RT does not say who closed an approval")
          end
      end
  end;

# The number of the last entry that an approval does not cover if it came before; 0: none. Entries are numbered in order. The page holds
# the newest; if it does not reach back to before the approvals, or was cut by rights so that one cannot tell, then it proves nothing.
def last_change($id; $since):
  page
  | if any(.[]; (.ObjectId | id_text) != $id) then error("the history is of another ticket")
    elif all(.[]; (.id | id_number) > $since) then error("the history that RT shows does not reach back to the approval")
    else [0, (.[] | select(harmless | not) | .id | id_number)] | max
    end;

# A key opens the account of whom it is approved for, so it has to come from them: they, or one of the agents, made the ticket, and nobody
# else has changed that field.
def is_theirs($requesters): (.Creator | user) | is_among($requesters) or is_among(agents);
def keys($requesters; $history):
  . as $t
  | field("ssh_keys")
  | if . == [] then .
    elif ($requesters | length) != 1 then error("one key for several requesters")
    elif ($t | is_theirs($requesters)) and any($history[]; .Type == "Create")
      and all($history[] | select(.Type == "CustomField" and .Field == ($t | field_id("ssh_keys"))); is_theirs($requesters))
    then .
    else error("RT does not say that the key comes from the requester")
    end;

def overall($decisions):
  . as $own
  | if $own == "denied" or $own == "closed" then $own
    elif any($decisions[]; .state == "denied") then "denied"
    elif $own == "approved" and ($decisions | length) > 0 and all($decisions[]; .state == "approved") then "approved"
    else "pending"
    end;

. as $q
| ($q.answers.ticket | all_of_it) as $tickets
| if ($tickets | length) == 0 then null
  elif ($tickets | length) != 1 then error("RT knows several tickets by one number")
  else
    $tickets[0] as $t
    | if ($t.id | id_text) != $q.match[1] or ($t.EffectiveId | id_text) != $q.match[1] then error("the ticket was merged into another")
      elif $t.Type != "ticket" then error("not an ordinary ticket")
      elif (queues | has($t.Queue.Name? // "")) | not then error("a ticket in another queue")
      else .
      end
    | ($q.answers.approvals | all_of_it) as $approvals
    | ($q.answers.decisions // []) as $pages
    | if ($pages | length) != ($approvals | length) then error("not one answer for each approval") else . end
    | [range($approvals | length) as $i | $approvals[$i] | decision($pages[$i])] as $decisions
    | [$decisions[] | select(.state == "approved")] as $given
    | (if $given == [] then 0
       else $q.answers.history | last_change($q.match[1]; [$given[].number] | min)
       end) as $changed
    | ([$t.Requestor[] | user] | unique) as $requesters
    | { ticket: $q.ticket,
        state: ($t.Status | state_in(queues[$t.Queue.Name]) | overall($decisions)),
        title: ($t.Subject | shortened),
        # Not the subject: a word put right in it would end who works on the ticket.
        reason: "ticket \($q.match[1]) in Request Tracker",
        requesters: $requesters,
        # One person may close two approvals, and is still one.
        approvers: ([$given[] | select(.number > $changed) | {name, at}] | unique_by(.name)),
        invalid: ([$given[] | select(.number < $changed) | {name, at, reason: "ticket-tampered"}] | unique_by(.name)),
        hosts: [$t | field("hosts")[] | ascii_downcase],
        role: ($t | one_field("role")),
        not_before: ($t | time_field("not_before")),
        not_after: ($t | time_field("not_after")),
        ssh_keys: ($t | keys($requesters; $q.answers.history | page)),
        emergency: ($t | field("emergency")
          | if . == ["yes"] then true elif . == [] or . == ["no"] then false else error("Emergency is neither yes nor no") end) }
  end
