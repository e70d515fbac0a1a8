# SPDX-License-Identifier: Apache-2.0
# The webhook's answer, whose signature jit-approverd has checked: {"nonce", "iat", "approval"}, approval as in jit-provider(5),
# "CANONICAL APPROVAL", or null if there is no such ticket.
#
# What it demands, and why:
# - The nonce of this question: an answer that was recorded is of no use a second time, and none is for another host or person.
# - An "iat" (RFC 7519 section 4.1.6) within a minute of this host's clock: the signer says when.
# - No other member: one that is not known may have been meant as a limit.
def skew_seconds: 60;

.context.nonce as $nonce | .now as $now | .answers.answer
| if type != "object" then error("no answer")
  elif (keys - ["approval", "iat", "nonce"]) != [] or (has("approval") | not)
  then error("an answer of other members than nonce, iat and approval")
  elif ($nonce | type) != "string" or ($nonce | length) < 16 or .nonce != $nonce
  then error("an answer to another question: the nonce is not ours")
  elif (.iat | type) != "number" then error("an answer without iat")
  elif (.iat - $now) > skew_seconds or ($now - .iat) > skew_seconds
  then error("an answer of another time: iat is more than \(skew_seconds) s away from this host's clock")
  else .approval end
