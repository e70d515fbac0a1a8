#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# profiles.sh BUILD: the real jit-approverd with every file of examples/providers, against a server that answers over TLS as the systems
# document it, good and bad (tests/tickets/cases). Prints "ok NAME" or "not ok NAME: why".
set -euo pipefail
exec "$(dirname "$0")/profiles.py" "$(realpath "${1:?usage: profiles.sh BUILD}")"
