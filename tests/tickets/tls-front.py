#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS in front of a plain HTTP server: tls-front.py --cert C.pem --key K.pem [--port 8443] [--to 8080], both on 127.0.0.1.

Hands bytes on as they are. Prints "listening PORT" when it does; ends on SIGTERM.
"""
import argparse
import asyncio
import signal
import ssl


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError, OSError):
        pass  # the other direction notices as well
    finally:
        writer.close()


async def relay(client_reader, client_writer, to):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", to)
    except OSError:
        client_writer.transport.abort()  # as if nobody listened
        return
    await asyncio.gather(pump(client_reader, writer), pump(reader, client_writer))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--to", type=int, default=8080)
    args = parser.parse_args()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(args.cert, args.key)
    server = await asyncio.start_server(lambda r, w: relay(r, w, args.to), "127.0.0.1", args.port, ssl=tls, backlog=256)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()


asyncio.run(main())
