#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A name server for the tests. It answers by UDP and TCP on a port of 127.0.0.1, which it prints.

one.test, two.test     are 192.0.2.1 and 192.0.2.2
long.test              has 100 addresses, which it returns by TCP only
late.test              is answered only at the second query
silent.test            is never answered
all others             do not exist
"""

import socket
import struct
import threading

asked = {}


def answer(query, by_tcp):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += query[at] + 1
    name, question = ".".join(labels).lower(), query[12 : at + 5]
    asked[name] = asked.get(name, 0) + 1
    if name == "silent.test" or (name == "late.test" and asked[name] == 1):
        return None
    addresses = {
        "one.test": ["192.0.2.1"],
        "two.test": ["192.0.2.2"],
        "late.test": ["192.0.2.3"],
        "long.test": [f"198.51.100.{i}" for i in range(1, 101)],
    }.get(name, [])
    cut = len(addresses) > 20 and not by_tcp
    if cut:
        addresses = []
    flags = 0x8580 | (0x0200 if cut else 0) | (0 if addresses or cut else 3)
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(a)
                       for a in addresses)
    return query[:2] + struct.pack(">HHHHH", flags, 1, len(addresses), 0, 0) + question + records


def serve(connection):
    with connection:
        while True:
            head = connection.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                return
            reply = answer(connection.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL), True)
            if reply:
                connection.sendall(struct.pack(">H", len(reply)) + reply)


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def both():
    """A UDP and a TCP socket with the same port."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket()
        try:
            tcp.bind(udp.getsockname())
            return udp, tcp
        except OSError:
            udp.close()


udp, tcp = both()
tcp.listen()
threading.Thread(target=accept, args=(tcp,), daemon=True).start()
print(udp.getsockname()[1], flush=True)
while True:
    query, peer = udp.recvfrom(4096)
    reply = answer(query, False)
    if reply:
        udp.sendto(reply, peer)
