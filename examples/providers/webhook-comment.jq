# SPDX-License-Identifier: Apache-2.0
# A grant's start or end, as it is; a grant that ended has "reason".
{version: 1, event: .event}
