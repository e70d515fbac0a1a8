# SPDX-License-Identifier: Apache-2.0
# What Open Policy Agent answered: {"result": true} or {"result": {"allow", "reasons", "ttl_usec", "message"}}. A rule that is
# undefined gives an answer without "result" (and status 200): that is a no, as is every answer that is not understood.
def is_code: type == "string" and test("\\A[a-z][a-z-]{0,38}\\z");

.answers.decision.result
| if . == null then {allow: false, reasons: ["rule-undefined"]}
  elif . == true then {allow: true, reasons: ["approved"]}
  elif . == false then {allow: false, reasons: ["refused-by-rule"]}
  elif type != "object" or (.allow | type) != "boolean" then error("a decision without allow")
  elif .reasons != null and ((.reasons | type) != "array" or any(.reasons[]; is_code | not)) then error("reasons that are no codes")
  else {allow: .allow,
        reasons: (if .allow then ["approved"] elif (.reasons // []) == [] then ["refused-by-rule"] else .reasons end)}
       + (if .ttl_usec != null then {ttl_usec: .ttl_usec} else {} end)
       + (if .message != null then {message: .message} else {} end)
  end
