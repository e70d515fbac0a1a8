# SPDX-License-Identifier: Apache-2.0
# A PagerDuty incident as evidence of an emergency, never as an approval: it tells that there is one, and who is on call for it.
#
# What it demands, and why:
# - The incident that was asked for, open (triggered or acknowledged) and of high urgency: else it is no emergency.
# - A service that is named here, with its hosts: PagerDuty does not know them.
# - People on call for the incident's escalation policy, up to the level below; every entry has to be of that policy, as a filter
#   that is not understood gives everybody. More than one page is refused.
# - The state is "pending" at best, and there are no approvers. Whether on-call people may act without an approval is for the policy to
#   say: see emergency.jq in examples/policy.
# Somebody who goes off call is no requester any more, which ends what they have.

# ---- what differs from site to site ----
def services: { # by id
  "PIJ90N7": {hosts: ["mail*.prod.example.com"], role: "emergency-mail"},
  "PWIXJZS": {hosts: ["db*.prod.example.com"], role: "emergency-dba"}
};
def level_max: 2;
def window_hours: 4; # from the incident's creation
def person:
  if type == "string" and endswith("@example.com") then .[:-12] | ascii_downcase
  else error("somebody on call without a mail address of ours") end;

# ---- what is the same everywhere ----
def is_among($list): . as $one | any($list[]; . == $one);
def seconds:
  if type == "string" and test("\\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})\\z")
  then (.[0:19] + "Z" | fromdateiso8601)
    - (if endswith("Z") then 0 else (.[-5:-3] | tonumber) * 3600 + (.[-2:] | tonumber) * 60 end)
      * (if .[-6:-5] == "-" then -1 else 1 end)
  else error("a date is missing or not of PagerDuty's form") end;
def people_on_call($policy):
  if type != "object" or (.oncalls | type) != "array" then error("no list of people on call")
  elif .more != false then error("more people on call than one answer holds")
  else [.oncalls[]
    | if .escalation_policy.id != $policy then error("on call for another policy: was the filter ignored?") else . end
    | if (.escalation_level | type) != "number" then error("on call without a level") else . end
    | select(.escalation_level <= level_max) | .user.email | person] | unique
  end;

.match as $match | .answers as $answers | $answers.incident
| if . == null then null
  else .incident
    | if .id != ($match[1] | ascii_upcase) then error("another incident than the one asked for") else . end
    | (services[.service.id | tostring] // error("a service that is not in pagerduty.jq")) as $site
    | (.created_at | seconds) as $created
    | {ticket: ($match[0] | ascii_downcase),
       state: (if .status == "resolved" then "closed"
               elif .status | is_among(["triggered", "acknowledged"]) then "pending"
               else error("an incident of unknown status") end),
       title: (.title // .summary),
       requesters: (.escalation_policy.id as $policy | $answers.oncalls | people_on_call($policy)),
       approvers: [],
       hosts: $site.hosts, role: $site.role,
       not_before: ($created | todate), not_after: ($created + window_hours * 3600 | todate),
       reason: (.summary // .title),
       emergency: (if .urgency == "high" then true elif .urgency == "low" then false
                   else error("an incident of unknown urgency") end)}
  end
