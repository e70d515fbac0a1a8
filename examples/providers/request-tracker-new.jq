# SPDX-License-Identifier: Apache-2.0
# `jitctl ticket new --provider request-tracker`: the ticket in RT, in the name of who asks. Approvals come from the queue's own scrip.
#
# Times are taken in the time zone of the account that asks, which is UTC: RT cuts "2026-11-22T07:40:00Z" off after the date.
def rt_time: if endswith("Z") then .[:19] | sub("T"; " ") else error("a time that is not in UTC") end;

.new as $n
| if ($n.commands // []) != [] then error("this queue has no field for commands")
  elif ($n.ssh_keys // [] | length) > 1 then error("this queue has a field for one key only")
  else
    { Queue: "Access", Subject: $n.title, Requestor: .person, ContentType: "text/plain", Content: ($n.reason // $n.title),
      CustomFields: {
        "Host": $n.hosts, "Role": $n.role, "Window start": ($n.not_before | rt_time), "Window end": ($n.not_after | rt_time),
        "Requester ssh key": ($n.ssh_keys // [] | .[0] // ""),
        "Emergency": (if $n.emergency == true then "yes" else "no" end) } }
  end
