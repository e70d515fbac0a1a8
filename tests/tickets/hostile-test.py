#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile-test.py SOCKET PID BATCH NAME=CODE[ CODE...]...: asks jit-approverd (PID) as jit-reaperd does about the tickets NAME, all at once;
meanwhile, one after the other, about tickets good1, good2 ... See hostile.sh."""
import json
import os
import socket
import statistics
import sys
import threading
import time

LIMIT_SEC = 2 + 2.0  # TimeoutSec= of hostile.sh, and what a loaded machine adds
MEMORY_KB = 64 * 1024


def evaluate(path, ticket):
    """The verdict's reason, and how long it took."""
    call = {"method": "io.pamjit.Approver.Evaluate", "parameters": {"account": "jit-" + ticket, "context": {"phase": "name"}}}
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(path)
        s.sendall(json.dumps(call).encode() + b"\0")
        data = b""
        while not data.endswith(b"\0"):
            part = s.recv(65536)
            if not part:
                raise OSError("jit-approverd has closed the connection")
            data += part
    answer = json.loads(data[:-1])
    if "error" in answer:
        raise OSError(answer["error"])
    return answer["parameters"]["verdict"], time.monotonic() - start


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def wait_until_it_listens(path):
    end = time.monotonic() + 30
    while True:
        try:
            return evaluate(path, "good0")
        except OSError as e:
            if time.monotonic() > end:
                sys.exit(f"not ok start: {e}")
            time.sleep(0.05)


class Good:
    """Tickets of the provider that is well, each a new one, so that no cache can answer."""

    def __init__(self, path):
        self.path, self.number, self.wrong = path, 0, []

    def ask(self):
        self.number += 1
        verdict, took = evaluate(self.path, f"good{self.number}")
        # The answer was understood, and the policy had its say: the window of open.jq is long over.
        if verdict["reason"] != "too-late":
            self.wrong.append(verdict["reason"])
        return took


def ask_hostile(path, ticket, results):
    try:
        verdict, took = evaluate(path, ticket)
        results[ticket] = (verdict["reason"], verdict["decision"], took)
    except OSError as e:
        results[ticket] = (str(e), "none", 0.0)


def report(ok, name, why):
    print(f"ok {name}" if ok else f"not ok {name}: {why}", flush=True)
    return ok


def main():
    path, pid, batch = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    expected = {name: codes.split() for name, codes in (a.split("=", 1) for a in sys.argv[4:])}
    wait_until_it_listens(path)
    good = Good(path)
    usual = [good.ask() for _ in range(40)]

    results, meanwhile = {}, []
    threads = [threading.Thread(target=ask_hostile, args=(path, name, results)) for name in expected]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile.append(good.ask())
        time.sleep(0.01)

    all_ok = True
    for name, codes in expected.items():
        reason, decision, took = results[name]
        fine = reason in codes and decision != "allow" and took < LIMIT_SEC
        all_ok &= report(fine, name[2:], f"{decision}, {reason} after {took * 1000:.0f} ms, not {' or '.join(codes)}")
    a, b = statistics.median(usual) * 1000, statistics.median(meanwhile) * 1000
    print(f"# another provider's tickets: {b:.1f} ms meanwhile ({len(meanwhile)}), {a:.1f} ms before")
    all_ok &= report(not good.wrong, f"{batch}_good_answers", f"{len(good.wrong)} wrong, {good.wrong[:1]}")
    # All the servers' work is done on the same processors.
    all_ok &= report(b < 3 * a + 50, f"{batch}_good_speed", f"{b:.1f} ms, not {a:.1f} ms")
    memory = memory_kb(pid)
    print(f"# jit-approverd took {memory} KiB at most")
    all_ok &= report(memory < MEMORY_KB, f"{batch}_memory", f"{memory} KiB")
    all_ok &= report(os.path.exists(f"/proc/{pid}"), f"{batch}_alive", "the daemon is gone")
    return 0 if all_ok else 1


sys.exit(main())
