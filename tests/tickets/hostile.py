# SPDX-License-Identifier: Apache-2.0
"""/hostile/NAME: a server that is broken, or means harm. Each returns whether the connection is still good."""

import asyncio
import gzip

MEGABYTE = 1024 * 1024


async def send(writer, data):
    if writer.transport.is_closing():
        raise ConnectionResetError
    writer.write(data)
    await writer.drain()


def head(status, *headers):
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers, "", ""]).encode()


def plain(status, body, *headers, kind="application/json"):
    return head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers) + body


async def never(request, writer):
    await asyncio.sleep(600)
    return False


async def slow(request, writer):
    """One byte a second: never silent for long, never done."""
    body = b'{"slow": "' + b"x" * 600 + b'"}'
    writer.write(head(200, "Content-Type: application/json", f"Content-Length: {len(body)}"))
    for i in range(len(body)):
        await send(writer, body[i:i + 1])
        await asyncio.sleep(1)
    return False


async def huge(request, writer):
    writer.write(head(200, "Content-Type: application/json", f"Content-Length: {100 * MEGABYTE}"))
    for _ in range(100):
        await send(writer, b" " * MEGABYTE)
    return False


async def huge_chunked(request, writer):
    """As huge, but says nothing of its length before."""
    writer.write(head(200, "Content-Type: application/json", "Transfer-Encoding: chunked"))
    for _ in range(1600):
        await send(writer, b"10000\r\n" + b" " * 65536 + b"\r\n")
    await send(writer, b"0\r\n\r\n")
    return True


async def gzip_bomb(request, writer):
    body = gzip.compress(b" " * 64 * MEGABYTE)
    await send(writer, plain(200, body, "Content-Encoding: gzip"))
    return True


async def truncated(request, writer):
    """Ends in the middle, by its own account complete."""
    await send(writer, plain(200, b'{"ticket": "CHG1", "state": "appro'))
    return True


async def cut(request, writer):
    """Ends in the middle of what it promised."""
    await send(writer, head(200, "Content-Type: application/json", "Content-Length: 1000") + b'{"ticket": "CHG1"}')
    return False


async def reset(request, writer):
    await send(writer, head(200, "Content-Type: application/json", "Content-Length: 1000") + b'{"ticket": ')
    await asyncio.sleep(0.05)
    writer.transport.abort()
    return False


async def drop(request, writer):
    """No answer at all."""
    writer.transport.abort()
    return False


async def headers_endless(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(100000):
        await send(writer, f"X-Header-{i}: {'y' * 100}\r\n".encode())
    return False


async def header_long(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(1000):
        await send(writer, b"y" * 10000)
    return False


async def garbage(request, writer):
    await send(writer, b"\x00\x01SSH-2.0-dropbear\r\n" * 4)
    return False


async def redirect_loop(request, writer):
    await send(writer, plain(302, b"", f"Location: /hostile/redirect-loop?n={int(request.query.get('n', '0')) + 1}"))
    return True


async def redirect_port(request, writer):
    """The same host, another port."""
    await send(writer, plain(302, b"", "Location: https://localhost:1/"))
    return True


async def later(request, writer):
    """429 and 503 with Retry-After."""
    status = int(request.path.rsplit("/", 1)[1])
    after = [f"Retry-After: {request.query['after']}"] if "after" in request.query else []
    await send(writer, plain(status, b'{"error": "later"}', *after))
    return True


def fixed(*answer, **options):
    async def write(request, writer):
        await send(writer, plain(*answer, **options))
        return True

    return write


HOSTILE = {
    "never": never, "slow": slow, "huge": huge, "huge-chunked": huge_chunked, "gzip-bomb": gzip_bomb,
    "truncated": truncated, "cut": cut, "reset": reset, "drop": drop, "headers-endless": headers_endless,
    "header-long": header_long, "garbage": garbage, "redirect-loop": redirect_loop, "redirect-port": redirect_port,
    "429": later, "503": later,
    "redirect-metadata": fixed(302, b"", "Location: http://169.254.169.254/latest/meta-data/"),
    "redirect-plain": fixed(302, b"", "Location: http://localhost/echo"),
    "redirect-same": fixed(302, b"", "Location: /echo?from=redirect"),
    "redirect-nowhere": fixed(302, b""),
    "duplicate-keys": fixed(200, b'{"ticket": "CHG1", "state": "denied", "state": "approved"}'),
    "html": fixed(200, b"<!DOCTYPE html><title>Sign in</title><p>Please sign in", kind="text/html"),
    "empty": fixed(200, b""),
    "deep": fixed(200, b"[" * 100000 + b"]" * 100000),
    "many": fixed(200, b"[" + b"0," * 300000 + b"0]"),
    "escapes": fixed(200, b'{"title": "\\u001b]0;gone\\u0007", "state": "approved"}'),
    "401": fixed(401, b'{"error": "login"}', "WWW-Authenticate: Basic realm=x"),
    "403": fixed(403, b'{"error": "forbidden"}'),
    "404": fixed(404, b'{"error": "no such ticket"}'),
    "400": fixed(400, b'{"error": "bad"}'),
    "500": fixed(500, b'{"error": "broken"}'),
}


async def serve(request, writer):
    act = HOSTILE.get(request.path[len("/hostile/"):], HOSTILE["404"])
    return await act(request, writer)
