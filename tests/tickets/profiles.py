#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""profiles.py BUILD: see profiles.sh."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shapes  # noqa: E402
from signer import KINDS, Key  # noqa: E402

TOP = os.path.dirname(os.path.dirname(shapes.HERE))
EXAMPLES = os.path.join(TOP, "examples", "providers")
ORIGIN = re.compile(r"https://(?:[a-z-]+\.example\.com|example\.service-now\.com|api\.pagerduty\.com)(?::\d+)?")
SECRETS = {"servicenow-secret": "s3cret", "jira-token": "jira-secret", "gitlab-token": "gitlab-secret",
           "pagerduty-token": "Token token=pagerduty-secret", "webhook-token": "webhook-secret", "opa-token": "opa-secret"}
START_SEC = 60  # a loaded machine's


class Failure(Exception):
    pass


class Stand:
    """The server and jit-approverd, in a folder that goes away with them."""

    def __init__(self, build):
        self.build, self.processes = build, []
        self.folder = tempfile.mkdtemp(prefix="profiles-")
        for name in ("etc/jit/providers.d", "etc/jit/roles.d", "state", "credentials", "shapes", "keys", "tls"):
            os.makedirs(self.path(name))
        self.socket = self.path("approver")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def certificate(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        commands = [["req", "-x509", *key, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem"],
                    ["req", *key, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.csr"],
                    ["x509", "-req", "-in", "cert.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                     "-out", "cert.pem", "-extfile", "names"]]
        self.write("tls/names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for command in commands:
            subprocess.run(["openssl", *command], cwd=self.path("tls"), check=True, capture_output=True)

    def start_server(self):
        shapes.write(self.path("shapes"))
        with open(self.path("server.log"), "w", encoding="utf-8") as log:
            server = subprocess.Popen(
                [sys.executable, os.path.join(shapes.HERE, "server.py"), "--stdin", "--cert", self.path("tls/cert.pem"),
                 "--key", self.path("tls/key.pem"), "--shapes", self.path("shapes")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, "KEYS": self.path("keys"), "PYTHONDONTWRITEBYTECODE": "1"})
        self.processes.append(server)
        words = server.stdout.readline().split()
        if words[:1] != ["listening"]:
            raise Failure("the server does not start: " + open(self.path("server.log"), encoding="utf-8").read()[-500:])
        self.port, self.control = words[1], words[3]

    def configure(self):
        """The files as they are shipped, but for the server's address and the paths."""
        for name in sorted(os.listdir(EXAMPLES)):
            if name.startswith("request-tracker"):
                continue  # has a real one: request-tracker.sh
            with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
                text = f.read()
            if name.endswith(".conf"):
                text = ORIGIN.sub("https://localhost:" + self.port, text).replace("/oauth_token.do", "/oauth/token")
                text = text.replace("/etc/jit/webhook-keys.json", self.path("etc/jit/webhook-keys.json"))
                text += f"\n[Server]\nCAFile={self.path('tls/ca.pem')}\n"
            self.write("etc/jit/providers.d/" + name, text)
        self.write("etc/jit/webhook-keys.json", json.dumps({"keys": [Key(self.path("keys"), a).jwk() for a in KINDS]}))
        self.write("etc/jit/jit.conf", "[Host]\nName=db1 web1.prod.example.com db1.prod.example.com\n")
        for role in ("dba", "web-operator", "emergency-dba"):
            self.write(f"etc/jit/roles.d/{role}.conf", "[Role]\nTTLSec=1h\nCommand=/usr/bin/id\n")
        for name, secret in SECRETS.items():
            self.write("credentials/" + name, secret + "\n")
            os.chmod(self.path("credentials", name), 0o400)
        shutil.copy(os.path.join(TOP, "jit-reaperd", "approverd", "policy.jq"), self.path("etc/jit/policy.jq"))

    def start_approver(self):
        with open(self.path("approver.log"), "w", encoding="utf-8") as log:
            self.processes.append(subprocess.Popen(
                [os.path.join(self.build, "jit-approverd"), "--socket", self.socket, "--state", self.path("state"), "--etc",
                 self.path("etc/jit")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "CREDENTIALS_DIRECTORY": self.path("credentials")}))
        end = time.monotonic() + START_SEC
        while True:
            try:
                return self.ask("ListProviders")["providers"]
            except OSError:
                if time.monotonic() > end or self.processes[-1].poll() is not None:
                    raise Failure("jit-approverd does not start: " + self.log()[-500:]) from None
                time.sleep(0.05)

    def log(self):
        with open(self.path("approver.log"), encoding="utf-8") as f:
            return f.read()

    def ask(self, method, **parameters):
        call = {"method": "io.pamjit.Approver." + method, "parameters": parameters}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.socket)
            s.sendall(json.dumps(call).encode() + b"\0")
            data = b""
            while not data.endswith(b"\0"):
                part = s.recv(65536)
                if not part:
                    raise OSError("jit-approverd has closed the connection")
                data += part
        answer = json.loads(data[:-1])
        if "error" in answer:
            raise Failure(answer["error"] + " " + json.dumps(answer.get("parameters")))
        return answer["parameters"]

    def seen(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/log", timeout=60) as f:
            return json.load(f)

    def close(self):
        """The daemon's journal goes to standard error."""
        if os.path.exists(self.path("approver.log")):
            sys.stderr.write(self.log())
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)


def demand(condition, why):
    if not condition:
        raise Failure(why)


def counts(expect):
    """Whether the shipped policy is content: one approver besides the requesters."""
    others = [a for a in expect["approvers"] if a["name"] not in expect["requesters"]]
    return expect["state"] == "approved" and len(others) > 0


def is_same(judged, expect):
    """But for the order and number of people, which do not matter."""
    def plain(value):
        if isinstance(value, list):
            return sorted({json.dumps(plain(v), sort_keys=True) for v in value})
        return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value
    return plain(judged) == plain(expect)


def check_case(stand, provider, case):
    """What the program gave, and what the daemon makes of it."""
    expect = case["expect"]
    answer = stand.ask("TestProvider", provider=provider, ticket=case["question"]["ticket"])
    verdict, trace = answer["verdict"], answer["trace"]
    said = json.dumps({**verdict, "error": trace.get("error")})
    if expect is None:
        demand(verdict["reason"] == "ticket-unknown", said)
    elif set(expect) == {"error"}:
        # What is no JSON object is refused with the signature's code, before any program sees it.
        unread = provider == "webhook" and not isinstance(case["question"]["answers"]["answer"], dict)
        code = "provider-answer" if unread else "ticket-invalid"
        demand(verdict["reason"] == code and verdict["decision"] != "allow", said)
        demand(code != "ticket-invalid" or case["file"] == "plain-values" or expect["error"] in trace["error"], said)
    elif "foreign" in case["file"] and provider == "jira":
        demand(verdict["reason"] == "ticket-invalid", said)
    else:
        demand(is_same(trace["approval"], expect), json.dumps(trace.get("approval")) + " " + said)
        demand((verdict["decision"] == "allow") == counts(expect), said)


def check_signature(stand, ticket):
    answer = stand.ask("TestProvider", provider="webhook", ticket=ticket)
    demand(answer["verdict"]["reason"] == "provider-answer" and answer["verdict"]["decision"] != "allow", json.dumps(answer["verdict"]))


def check_policy(stand, ticket, case):
    verdict, expect = stand.ask("TestProvider", provider="webhook", ticket=ticket)["verdict"], case["expect"]
    if "error" in expect or case["question"]["answers"]["decision"] is None:  # null is no answer over HTTP
        demand(verdict["reason"] == "provider-answer" and verdict["decision"] != "allow", json.dumps(verdict))
    else:
        demand((verdict["decision"] == "allow") == expect["allow"] and verdict["reason"] == expect["reasons"][0], json.dumps(verdict))
        demand("ttl_usec" not in expect or verdict["ttlUSec"] == expect["ttl_usec"], json.dumps(verdict))


def check_comment(stand, provider, ticket, method, path, number):
    event = {"ticket": ticket, "account": "jit-" + ticket, "person": "alice", "role": "dba", "host": "db1",
             "since": "2026-11-22T07:00:00Z", "until": "2026-11-22T11:00:00Z", "service": "sshd", "rhost": "192.0.2.7"}
    end = {**event, "ended": "2026-11-22T08:00:00Z", "reason": "ticket-closed", "sessions": 1, "killed": 3, "receipt": "c0ffee"}
    for kind, what in (("start", event), ("end", end), ("end", end)):
        stand.ask("Notice", provider=provider, grant=f"{number:016x}", kind=kind, event=what)
    limit = time.monotonic() + START_SEC
    while True:
        found = [r for r in stand.seen() if r["method"] == method and re.fullmatch(path, r["path"])]
        if len(found) >= 2 and all(r["status"] for r in found):
            break
        demand(time.monotonic() < limit, f"{len(found)} comments came")
        time.sleep(0.05)
    demand([r["status"] // 100 for r in found] == [2, 2], json.dumps(found))
    demand("alice" in found[0]["body"] and "c0ffee" not in found[0]["body"] and "c0ffee" in found[1]["body"], json.dumps(found))


def check_create(stand):
    ticket = {"title": "restart postgres", "reason": "a stuck replica", "role": "dba", "hosts": ["db1"],
              "not_before": "2026-11-22T07:00:00Z", "not_after": "2026-11-22T11:00:00Z"}
    answer = stand.ask("NewTicket", provider="jira", ticket=ticket)
    demand(answer["id"].lower() == "ops-777", json.dumps(answer))
    made = [r for r in stand.seen() if r["method"] == "POST" and r["path"] == "/rest/api/2/issue"]
    demand(len(made) == 1 and json.loads(made[0]["body"])["fields"]["summary"] == "restart postgres", json.dumps(made))


def check_jitctl(stand):
    """What people see: requests, answers, the verdict, and no secret."""
    for provider, ticket, status in (("servicenow", "chg0000101", 0), ("gitlab-deployment", "gl-42-101", 0), ("jira", "ops-111", 1)):
        ran = subprocess.run([os.path.join(stand.build, "jitctl"), "--approver-socket", stand.socket, "provider", "test", provider,
                              ticket, "--json"], capture_output=True, text=True, check=False, timeout=60)
        demand(ran.returncode == status, f"{provider}: exit status {ran.returncode}: {ran.stdout[-300:]} {ran.stderr[-300:]}")
        shown = json.loads(ran.stdout)
        demand(len(shown["trace"]["requests"]) >= 1 and "verdict" in shown, ran.stdout[:300])
        for secret in ("s3cret", "gitlab-secret", "jira-secret", "Bearer t-"):
            demand(secret not in ran.stdout + ran.stderr, f"{provider}: {secret} is shown")


def check_emergency(stand):
    """With examples/policy/emergency.jq in the place of the shipped policy, evidence opens a role of emergencies."""
    def decision(provider, ticket):
        return stand.ask("TestProvider", provider=provider, ticket=ticket)["verdict"]
    before = decision("pagerduty", "pd-pt4k101")
    demand(before["decision"] != "allow" and before["reason"] == "ticket-pending", json.dumps(before))
    shutil.copy(os.path.join(TOP, "examples", "policy", "emergency.jq"), stand.path("etc/jit/policy.jq"))
    stand.processes[-1].send_signal(signal.SIGHUP)
    limit = time.monotonic() + START_SEC
    while (verdict := decision("pagerduty", "pd-pt4k101"))["decision"] != "allow":
        demand(time.monotonic() < limit, json.dumps(verdict))
        time.sleep(0.05)
    demand(decision("pagerduty", "pd-pt4k105")["reason"] == "no-emergency", "of low urgency")
    demand(decision("pagerduty", "pd-pt4k104")["reason"] == "ticket-closed", "resolved")
    demand(decision("servicenow", "chg0000112")["reason"] == "ticket-pending", "another system's")


COMMENTS = [("servicenow", "chg0000101", "PATCH", r"/api/now/table/change_request/0{30}65"),
            ("jira", "ops-101", "POST", "/rest/api/2/issue/OPS-101/comment"),
            ("jira-service-management", "sd-101", "POST", "/rest/servicedeskapi/request/SD-101/comment"),
            ("gitlab-deployment", "gl-42-101", "POST", "/api/v4/projects/42/repository/commits/[0-9a-f]+/comments"),
            ("pagerduty", "pd-pt4k101", "POST", "/incidents/PT4K101/notes"),
            ("webhook", "hook-101", "POST", "/jit/v1/event")]


def tests(stand, providers):
    def check_all_taken():
        taken = {p["name"] for p in providers if not p.get("error")}
        demand(set(shapes.PROVIDERS) | {"opa"} <= taken, json.dumps(providers) + stand.log()[-2000:])
    yield "all files are taken", check_all_taken
    for provider in shapes.PROVIDERS:
        for case in shapes.cases(provider):
            yield f"{provider} {case['file']}", lambda p=provider, c=case: check_case(stand, p, c)
    for number in range(200, 213):
        yield f"webhook signature {number}", lambda t=f"hook-{number}": check_signature(stand, t)
    for i, case in enumerate(shapes.cases("opa")):
        yield f"opa {case['file']}", lambda t=f"hook-{301 + i}", c=case: check_policy(stand, t, c)
    for i, (provider, ticket, method, path) in enumerate(COMMENTS):
        yield f"{provider} comment", lambda a=(provider, ticket, method, path, i + 1): check_comment(stand, *a)
    yield "jitctl", lambda: check_jitctl(stand)
    yield "jira create", lambda: check_create(stand)
    yield "emergency", lambda: check_emergency(stand)


def main(build):
    os.environ["CASES_NOW"] = str(int(time.time()))
    stand, failed = Stand(build), 0
    try:
        stand.certificate()
        stand.start_server()
        stand.configure()
        for name, test in tests(stand, stand.start_approver()):
            try:
                test()
                print("ok", name, flush=True)
            except (Failure, OSError, KeyError, TypeError, ValueError) as e:
                failed += 1
                print(f"not ok {name}: {type(e).__name__} {str(e)[:600]}", flush=True)
                if stand.processes[-1].poll() is not None:
                    raise Failure("jit-approverd has died: " + stand.log()[-500:]) from e
    except Failure as e:
        failed += 1
        print(f"not ok stand: {e}")
    finally:
        stand.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
