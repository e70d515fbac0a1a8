# SPDX-License-Identifier: Apache-2.0
# What the webhook is asked: {"version": 1, "ticket", "host": {"names"}, "time", "context": {"account", "person", "phase", "service",
# "rhost", "tty", "nonce"}}. It decides by what it likes; a login may come with a person ("" if the account's name has none) before it is known
# whether it is one.
{version: 1, ticket: .ticket, host: .host, time: .now, context: .context}
