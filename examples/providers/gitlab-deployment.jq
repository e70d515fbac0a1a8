# SPDX-License-Identifier: Apache-2.0
# A GitLab deployment as an approval.
#
# What it demands, and why:
# - The deployment that was asked for; its id comes as a number or as a string.
# - An environment that is named here, with its hosts and role: GitLab knows neither.
# - Counts and rules of approval (pending_approval_count, approval_summary): without them nobody was asked, as in GitLab Free.
# - No approval pending, at least one given, none rejected. An environment that is not protected has none at all: pending, never
#   approved.
# - A deployment that waits or runs. One that ended, well or not, is closed.
# The window begins with the last approval (before it: with the deployment) and lasts as long as is said below.

# ---- what differs from site to site ----
def environments: {
  "production": {hosts: ["web*.prod.example.com"], role: "web-operator"},
  "staging": {hosts: ["web*.staging.example.com"], role: "web-operator"}
};
def window_hours: 8;
def person: if type == "string" then ascii_downcase else error("a user without username") end;

# ---- what is the same everywhere ----
def is_among($list): . as $one | any($list[]; . == $one);
def whole:
  if type == "string" and test("\\A[0-9]{1,10}\\z") then tonumber
  elif type == "number" and . >= 0 and . == floor then .
  else error("a count or an id that is no number") end;
# 2016-08-11T07:36:40.222Z or ...+02:00 in whole seconds since 1970.
def seconds:
  if type == "string" and test("\\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})\\z")
  then (.[0:19] + "Z" | fromdateiso8601)
    - (if endswith("Z") then 0 else (.[-5:-3] | tonumber) * 3600 + (.[-2:] | tonumber) * 60 end)
      * (if .[-6:-5] == "-" then -1 else 1 end)
  else error("a date is missing or not of GitLab's form") end;
def decisions: if type == "array" then .[] else error("no list of approvals") end
  | {name: (.user.username | person), at: (.created_at | seconds),
     status: (.status | if is_among(["approved", "rejected"]) then . else error("an approval without a known status") end)};
# How many are missing still, by the rules or by the count of those without rules.
def missing:
  [ (if has("pending_approval_count") then .pending_approval_count | whole else empty end),
    (if has("approval_summary")
     then .approval_summary.rules | if type == "array" then .[] else error("no list of rules") end
       | (.required_approvals | whole) - ([.deployment_approvals | decisions | select(.status == "approved")] | length)
     else empty end) ]
  | if length == 0 then error("no approvals: is this GitLab Premium, and the environment protected?") else max end;

.match as $match | .answers.deployment
| if . == null then null
  elif (.id | whole) != ($match[2] | tonumber) then error("another deployment than the one asked for")
  else
    (.environment.name | if type == "string" then . else error("no environment") end) as $environment
    | (environments[$environment] // error("an environment that is not in gitlab-deployment.jq")) as $site
    | [(if has("approvals") then .approvals | decisions else empty end),
       (if has("approval_summary") then .approval_summary.rules[]?.deployment_approvals | decisions else empty end)] as $decisions
    | [$decisions[] | select(.status == "approved")] as $yes
    | missing as $missing
    | (.created_at | seconds) as $created
    | (if ($yes | length) > 0 then [$yes[].at] | max else $created end) as $begin
    | {ticket: ($match[0] | ascii_downcase),
       state: (if any($decisions[]; .status == "rejected") then "denied"
               elif .status | is_among(["success", "failed", "canceled", "skipped"]) then "closed"
               elif .status == "blocked" then "pending"
               elif .status | is_among(["created", "running"]) | not then error("a deployment of unknown status")
               elif $missing > 0 or ($yes | length) == 0 then "pending"
               else "approved" end),
       title: "deployment \(.id) of \(.ref | tostring) to \($environment)",
       requesters: [.user.username | person],
       approvers: [$yes[] | {name, at: (.at | todate)}],
       hosts: $site.hosts, role: $site.role,
       not_before: ($begin | todate), not_after: ($begin + window_hours * 3600 | todate),
       reason: "commit \(.sha | tostring)"}
  end
