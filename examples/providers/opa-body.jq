# SPDX-License-Identifier: Apache-2.0
# What policy.jq got: {request, approval, role, host}, as OPA's "input".
{input: .input}
