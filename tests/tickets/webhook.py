# SPDX-License-Identifier: Apache-2.0
"""For server.py: a webhook that signs its answers (examples/providers/webhook.conf), and an Open Policy Agent that has an answer
for each ticket. Their cases are those of tests/tickets/cases; the signing keys lie in $KEYS."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shapes  # noqa: E402
from signer import KINDS, Key, encode  # noqa: E402

FOLDER = os.environ["KEYS"]
KEYS = [Key(FOLDER, algorithm) for algorithm in KINDS]
STRANGER = Key(FOLDER, "EdDSA", "stranger")
CASES = {c["question"]["ticket"]: c for c in shapes.cases("webhook")}
POLICY = {f"hook-{301 + i}": c for i, c in enumerate(shapes.cases("opa"))}
GOOD = CASES["hook-101"]["question"]["answers"]["answer"]

# What is wrong with the signature, for a ticket of its own each.
FAULTS = {
    "hook-201": lambda payload: STRANGER.sign(payload),
    "hook-202": lambda payload: STRANGER.sign(payload, kid="eddsa"),
    "hook-203": lambda payload: STRANGER.sign(payload, kid=None),
    "hook-204": lambda payload: encode(b'{"alg":"none"}') + "." + encode(json.dumps(payload).encode()) + ".",
    "hook-205": lambda payload: json.dumps(payload),
    "hook-206": lambda payload: KEYS[0].sign(payload)[:-1],
    "hook-207": lambda payload: KEYS[0].sign(payload) + "\n",
    "hook-208": lambda payload: KEYS[0].sign(payload, crit=["b64"], b64=False),
    "hook-209": lambda payload: KEYS[0].sign(payload, jwk=KEYS[0].jwk()),
    "hook-210": lambda payload: KEYS[2].sign(payload, alg="HS256"),
    "hook-211": lambda payload: swapped(KEYS[1].sign(payload), payload),
    "hook-212": lambda payload: json.dumps({"answer": KEYS[0].sign(payload)}),
}


def swapped(token, payload):
    """Another payload under the signature."""
    header, _, signature = token.split(".")
    other = {**payload, "approval": {**payload["approval"], "requesters": ["mallory"]}}
    return ".".join([header, encode(json.dumps(other).encode()), signature])


def payload_for(ticket, asked):
    """The case's answer, its nonce and time as the case has them beside the question's."""
    case = CASES.get(ticket)
    payload = case["question"]["answers"]["answer"] if case else {**GOOD, "approval": {**GOOD["approval"], "ticket": ticket}}
    question = (case or CASES["hook-101"])["question"]
    if isinstance(payload, dict):
        payload = dict(payload)
        if payload.get("nonce") == CASES["hook-101"]["question"]["context"]["nonce"]:
            payload["nonce"] = asked["context"]["nonce"]
        if isinstance(payload.get("iat"), int):
            # By the asker's clock, and a little less than the limit: time goes by.
            offset = payload["iat"] - question["now"]
            payload["iat"] = asked["time"] + (offset - offset // 20 if abs(offset) == 60 else offset)
    return payload


def approval(request):
    asked = request.json
    if request.headers.get("authorization") != "Bearer webhook-secret" or set(asked) != {"version", "ticket", "host", "time", "context"}:
        return 401, {}, b""
    ticket = asked["ticket"]
    if ticket == "hook-200":
        return 404, {}, b"no such ticket, says who?"
    payload = payload_for(ticket, asked)
    token = FAULTS[ticket](payload) if ticket in FAULTS else KEYS[int(ticket[5:]) % len(KEYS)].sign(payload)
    return 200, {"Content-Type": "application/jose"}, token.encode()


def decision(request):
    asked = request.json
    if request.headers.get("authorization") != "Bearer opa-secret" or set(asked) != {"input"} or "role" not in asked["input"]:
        return 401, {}, b""
    case = POLICY.get(asked["input"]["approval"]["ticket"].lower())
    answer = case["question"]["answers"]["decision"] if case else {"result": True}
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def handle(request):
    if request.method != "POST":
        return None
    if request.path == "/jit/v1/approval":
        return approval(request)
    if request.path == "/jit/v1/event":
        return 200, {}, b""
    if request.path == "/v1/data/jit/login":
        return decision(request)
    if request.path == "/rest/api/2/issue":
        return 201, {"Content-Type": "application/json"}, b'{"id": "10000", "key": "OPS-777"}'
    return None
