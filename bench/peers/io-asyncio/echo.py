#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The echo server on asyncio's streams, a task a connection.

It prints "port N", then echoes until it is killed. TCP_NODELAY is asyncio's
default.
"""

import asyncio

SIZE = 65536


async def echo(reader, writer):
    try:
        while data := await reader.read(SIZE):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=4096)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
