# SPDX-License-Identifier: Apache-2.0
"""The cases of tests/tickets/cases as what a server answers (server.py): a case's answers to the requests that its provider's
file makes. Every case has a ticket of its own. Times are moved so that a case's "now" is $CASES_NOW, in seconds since 1970."""
import json
import os
import re
from datetime import datetime, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
PROVIDERS = ["servicenow", "jira", "jira-service-management", "gitlab-deployment", "pagerduty", "webhook"]


def moved(value, seconds):
    if isinstance(value, dict):
        return {k: moved(v, seconds) for k, v in value.items()}
    if isinstance(value, list):
        return [moved(v, seconds) for v in value]
    if not isinstance(value, str):
        return value

    def move(match):
        old = datetime.fromisoformat(match[0])
        return (old + timedelta(seconds=seconds)).isoformat(match[0][10])
    return TIME.sub(move, value)


def cases(provider):
    start = int(os.environ["CASES_NOW"])  # the same moment in all processes of a test
    folder = os.path.join(HERE, "cases", provider)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            case = json.load(f)
        case["file"] = name[:-len(".json")]
        yield moved(case, start - case["question"]["now"])


def route(path, answer, query=None, **headers):
    return {"method": "GET", "path": path, "query": query or {}, "json": answer,
            "require": {"headers": {k.replace("_", "-"): v for k, v in headers.items()}}}


def servicenow(match, answers):
    sys_id = f"{int(match[0][3:]):032x}"
    tables = {"change": ("change_request", f"number={match[0]}"), "approvals": ("sysapproval_approver", f"sysapproval={sys_id}"),
              "history": ("sys_audit", f"tablename=change_request^documentkey={sys_id}")}
    for name, (table, query) in tables.items():
        if answers[name] is not None:
            yield {"method": "GET", "path": f"/api/now/table/{table}", "json": answers[name], "require": {"oauth": True},
                   "query": {"sysparm_query": query, "sysparm_display_value": "all"}}
    yield {"method": "PATCH", "path": f"/api/now/table/change_request/{sys_id}", "json": {"result": {}}, "require": {"oauth": True}}


def jira(match, answers):
    bearer = "Bearer jira-secret"
    if answers["issue"] is not None:
        yield route(f"/rest/api/2/issue/{match[0]}", answers["issue"], {"expand": "changelog"}, authorization=bearer)
    if answers.get("approvals") is not None:
        yield route(f"/rest/servicedeskapi/request/{match[0]}/approval", answers["approvals"], authorization=bearer)
    for path in (f"/rest/api/2/issue/{match[0]}/comment", f"/rest/servicedeskapi/request/{match[0]}/comment"):
        yield {"method": "POST", "path": path, "status": 201, "json": {"id": "1"}, "require": {"headers": {"authorization": bearer}}}


def gitlab(match, answers):
    if answers["deployment"] is None:
        return
    yield route(f"/api/v4/projects/{match[1]}/deployments/{match[2]}", answers["deployment"], private_token="gitlab-secret")
    yield {"method": "POST", "path": f"/api/v4/projects/{match[1]}/repository/commits/{answers['deployment']['sha']}/comments",
           "status": 201, "json": {}, "require": {"headers": {"private-token": "gitlab-secret"}}}


def pagerduty(match, answers):
    headers = {"authorization": "Token token=pagerduty-secret", "accept": "application/vnd.pagerduty+json;version=2"}
    if answers["incident"] is None:
        return
    policy = answers["incident"]["incident"]["escalation_policy"]["id"]
    yield route(f"/incidents/{match[1]}", answers["incident"], **headers)
    yield route("/oncalls", answers["oncalls"], {"escalation_policy_ids[]": policy, "include[]": "users"}, **headers)
    yield {"method": "POST", "path": f"/incidents/{match[1]}/notes", "status": 201, "json": {},
           "require": {"headers": {**headers, "from": "jit@example.com"}}}


BY_PROVIDER = {"servicenow": servicenow, "jira": jira, "jira-service-management": jira, "gitlab-deployment": gitlab,
               "pagerduty": pagerduty}


def write(folder):
    """One file for each provider, and what webhook.py needs."""
    for provider, make in BY_PROVIDER.items():
        routes = [r for c in cases(provider) for r in make(c["question"]["match"], c["question"]["answers"])]
        with open(os.path.join(folder, provider + ".json"), "w", encoding="utf-8") as f:
            json.dump({"routes": routes}, f)
    with open(os.path.join(folder, "webhook.json"), "w", encoding="utf-8") as f:
        json.dump({"module": os.path.join(HERE, "webhook.py")}, f)
