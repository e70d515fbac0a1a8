#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A ticket system for tests: HTTPS on 127.0.0.1 with the answers that files describe, and the ways in which servers go
wrong. One event loop serves a thousand requests at once.

server.py --cert FILE --key FILE [--shapes DIR]... prints "listening PORT control PORT" when it is ready, and ends on
SIGTERM or, with --stdin, when its standard input ends.

DIR/*.json: {"routes": [ROUTE...], "module": "NAME.py"}. ROUTE: method, path (or path_re, which matches the whole), query
(values that must be there; with exact_query no others), require (headers, body: a subset of the JSON body, oauth), uses
(passed over after so many answers), delay (seconds), status, headers, and json, text or file. The first that matches
answers; then module's handle(request), which returns (status, headers, bytes) or None; then what hostile.py and this file
have; then 404.

The control port speaks plain HTTP: POST and DELETE /routes, GET and DELETE /log, GET /stats, POST /hold, /release, /close,
/events, /token, /revoke-tokens."""

import argparse
import asyncio
import base64
import collections
import importlib.util
import json
import logging
import os
import re
import secrets
import signal
import ssl
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True  # the source folder stays as it is
import hostile  # noqa: E402  (behind that)

HEAD_MAX = 64 * 1024
BODY_MAX = 4 * 1024 * 1024
LOG_MAX = 5000
REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 307: "Temporary Redirect", 400: "Bad Request",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}


class Request:
    def __init__(self, method, target, headers, body, connection):
        self.method, self.headers, self.body, self.connection = method, headers, body, connection
        self.target = target
        parts = urllib.parse.urlsplit(target)
        self.path = urllib.parse.unquote(parts.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def record(self, status):
        return {"method": self.method, "path": self.path, "target": self.target, "query": self.query,
                "headers": self.headers, "body": self.body.decode("utf-8", "replace"), "status": status,
                "connection": self.connection}


def contains(whole, part):
    """Whether part's members are in whole, at every depth."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and contains(whole[k], v) for k, v in part.items())
    return whole == part


def answer_json(status, value, headers=None):
    return status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode()


class Route:
    def __init__(self, spec, folder="."):
        self.spec, self.left = spec, spec.get("uses", -1)
        self.pattern = re.compile(spec["path_re"]) if "path_re" in spec else None
        self.headers = dict(spec.get("headers", {}))
        if "json" in spec:
            self.body, kind = json.dumps(spec["json"]).encode(), "application/json"
        elif "file" in spec:
            with open(os.path.join(folder, spec["file"]), "rb") as f:
                self.body, kind = f.read(), "application/json"
        else:
            self.body, kind = spec.get("text", "").encode(), "text/plain; charset=utf-8"
        self.headers.setdefault("Content-Type", kind)

    def matches(self, request):
        if self.left == 0 or request.method != self.spec.get("method", "GET"):
            return False
        if not (self.pattern.fullmatch(request.path) if self.pattern else request.path == self.spec["path"]):
            return False
        wanted = self.spec.get("query", {})
        if self.spec.get("exact_query") and set(wanted) != set(request.query):
            return False
        return all(request.query.get(k) == v for k, v in wanted.items())

    def unmet(self, request, server):
        """What stands against it, as a whole answer; None: nothing."""
        require = self.spec.get("require", {})
        if require.get("oauth") and not server.tokens.is_good(request.headers.get("authorization", "")):
            return answer_json(401, {"error": "invalid_token"}, {"WWW-Authenticate": "Bearer"})
        for name, value in require.get("headers", {}).items():
            if request.headers.get(name.lower()) != value:
                return answer_json(401 if name.lower() == "authorization" else 400, {"error": "header " + name})
        if "body" in require and not contains(request.json, require["body"]):
            return answer_json(400, {"error": "body"})
        return None

    async def answer(self, request, server):
        if self.left > 0:
            self.left -= 1
        refusal = self.unmet(request, server)
        if refusal:
            return refusal
        if "delay" in self.spec:
            await asyncio.sleep(self.spec["delay"])
        return self.spec.get("status", 200), self.headers, self.body


class Tokens:
    """RFC 6749 section 4.4, client credentials."""

    def __init__(self, client):
        self.client, self.good, self.answer, self.fetched = client, {}, {}, 0

    def is_good(self, header):
        kind, _, token = header.partition(" ")
        return kind == "Bearer" and self.good.get(token, 0) > time.monotonic()

    def issue(self, request):
        self.fetched += 1
        form = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace")))
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            return answer_json(400, {"error": "unsupported_grant_type"})
        if request.headers.get("authorization") != "Basic " + base64.b64encode(self.client.encode()).decode():
            return answer_json(401, {"error": "invalid_client"})
        if "status" in self.answer:
            return answer_json(self.answer["status"], self.answer.get("json", {"error": "server_error"}))
        token, life = "t-" + secrets.token_urlsafe(24), self.answer.get("expires_in", 3600)
        self.good[token] = time.monotonic() + (life if isinstance(life, (int, float)) else 3600)
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": life}
        granted.update(self.answer.get("json", {}))
        return answer_json(200, {k: v for k, v in granted.items() if v is not None})


class Server:
    def __init__(self, options):
        self.routes, self.modules, self.put = [], [], []
        self.tokens = Tokens(options.oauth_client)
        self.log = collections.deque(maxlen=LOG_MAX)
        self.counts = {"requests": 0, "connections": 0, "open": 0, "in_flight": 0, "in_flight_max": 0}
        self.held, self.streams, self.writers = {}, set(), set()
        for folder in options.shapes:
            self.load(folder)

    def load(self, folder):
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".json")):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                shape = json.load(f)
            if not isinstance(shape, dict) or not ("routes" in shape or "module" in shape):
                continue  # a body that a route names
            self.routes += [Route(r, folder) for r in shape.get("routes", [])]
            if "module" in shape:
                spec = importlib.util.spec_from_file_location("shape_" + name[:-5].replace("-", "_"),
                                                              os.path.join(folder, shape["module"]))
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                self.modules.append(module)

    # ---- one connection ----

    async def serve(self, reader, writer, handler):
        try:
            while await handler(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError, ValueError,
                TimeoutError):
            pass
        finally:
            writer.close()

    async def accept(self, reader, writer):
        self.counts["connections"] += 1
        self.counts["open"] += 1
        number = self.counts["connections"]
        self.writers.add(writer)

        async def handler(r, w):
            request = await self.read(r, number)
            return request is not None and await self.respond(request, w)

        try:
            await self.serve(reader, writer, handler)
        finally:
            self.counts["open"] -= 1
            self.writers.discard(writer)

    async def read(self, reader, connection):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        method, target, _ = head[0].split(" ")
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if length > BODY_MAX:
            raise ValueError("too long")
        return Request(method, target, headers, await reader.readexactly(length), connection)

    async def respond(self, request, writer):
        counts = self.counts
        counts["requests"] += 1
        counts["in_flight"] += 1
        counts["in_flight_max"] = max(counts["in_flight_max"], counts["in_flight"])
        entry = request.record(0)
        self.log.append(entry)
        try:
            if request.path in self.held:
                await self.held[request.path].wait()
            if request.path == "/events":
                return await self.stream(writer)
            answer = await self.answer(request)
            if answer is None:
                return await hostile.serve(request, writer)
            entry["status"] = answer[0]
            await self.write(writer, *answer)
            return request.headers.get("connection", "").lower() != "close"
        finally:
            counts["in_flight"] -= 1

    async def answer(self, request):
        for route in self.put + self.routes:
            if route.matches(request):
                return await route.answer(request, self)
        for module in self.modules:
            answer = module.handle(request)
            if answer:
                return answer
        if request.path == "/oauth/token":
            return self.tokens.issue(request)
        if request.path == "/echo":
            return answer_json(200, request.record(200))
        if request.path.startswith("/hostile/"):
            return None
        return answer_json(404, {"error": "not found"})

    async def write(self, writer, status, headers, body):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if status != 204:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        await writer.drain()

    # ---- server-sent events ----

    async def stream(self, writer):
        queue = asyncio.Queue()
        self.streams.add(queue)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\n")
        await writer.drain()
        try:
            while True:
                event = await queue.get()
                if event is None:
                    return False
                data = event["data"] if isinstance(event["data"], str) else json.dumps(event["data"])
                text = f"event: {event['event']}\n" if "event" in event else ""
                text += "".join(f"data: {line}\n" for line in data.split("\n"))
                writer.write(text.encode() + b"\n")
                await writer.drain()
        finally:
            self.streams.discard(queue)

    # ---- control ----

    async def control(self, reader, writer):
        async def handler(r, w):
            request = await self.read(r, 0)
            if request is None:
                return False
            await self.write(w, *self.command(request))
            return False

        await self.serve(reader, writer, handler)

    def command(self, request):
        body = request.json or {}
        do = {
            "POST /routes": lambda: self.put.__setitem__(slice(0, 0), [Route(r) for r in body["routes"]]),
            "DELETE /routes": self.put.clear,
            "DELETE /log": self.clear,
            "POST /hold": lambda: self.held.setdefault(body["path"], asyncio.Event()),
            "POST /release": lambda: self.held.pop(body["path"]).set(),
            "POST /close": lambda: [w.transport.abort() for w in list(self.writers)],
            "POST /events": lambda: [q.put_nowait(body) for q in self.streams],
            "POST /end-events": lambda: [q.put_nowait(None) for q in self.streams],
            "POST /token": lambda: setattr(self.tokens, "answer", body),
            "POST /revoke-tokens": self.tokens.good.clear,
        }
        ask = {"GET /log": lambda: list(self.log),
               "GET /stats": lambda: {**self.counts, "streams": len(self.streams), "tokens": self.tokens.fetched}}
        name = f"{request.method} {request.path}"
        if name in ask:
            return answer_json(200, ask[name]())
        if name not in do:
            return answer_json(404, {"error": name})
        try:
            do[name]()
        except (KeyError, TypeError, re.error, OSError) as error:
            return answer_json(400, {"error": repr(error)})
        return answer_json(200, {})

    def clear(self):
        self.log.clear()
        self.tokens.fetched = 0
        self.counts.update(requests=0, connections=0, in_flight_max=self.counts["in_flight"])


def tls_context(options):
    if options.plain:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    if options.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.client_ca)
    return context


async def main(options):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # aborted handshakes are what is tested
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    server, end = Server(options), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if options.stdin:
        loop.add_reader(0, lambda: os.read(0, 4096) or end.set())
    tls = await asyncio.start_server(server.accept, "127.0.0.1", options.port, ssl=tls_context(options), limit=HEAD_MAX,
                                     backlog=2048)
    control = await asyncio.start_server(server.control, "127.0.0.1", options.control, limit=HEAD_MAX)
    print("listening", tls.sockets[0].getsockname()[1], "control", control.sockets[0].getsockname()[1], flush=True)
    await end.wait()
    os._exit(0)  # open connections are not waited for


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    parser.add_argument("--shapes", action="append", default=[])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--stdin", action="store_true")
    parser.add_argument("--client-ca")
    parser.add_argument("--oauth-client", default="jit:s3cret")
    chosen = parser.parse_args()
    if not chosen.plain and not (chosen.cert and chosen.key):
        sys.exit("--cert and --key, or --plain")
    asyncio.run(main(chosen))
