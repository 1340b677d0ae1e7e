"""The client that loads a server of the fan-out, and how both are run beside each other.

Run as a script it is the client: ``fanout_load.py PORT 100 2400 0``. Server and client are separate processes, so that
only the server's CPU is counted.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATH = "/api/v1/ws/coindcx"
MARK = b'"mono_ns":'
TWENTY_DIGITS = 10**19
QUIET_S = 30
KEPT: list[socket.socket] = []


def connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    return sock


def load(port: int, clients: int, events: int, stalled: int) -> dict[str, Any]:
    """Read until every client has every event; tell how many came and how old they were, in microseconds.

    ``stalled`` clients more are connected and never read. ``connect_s`` is the time until all were upgraded.
    """
    poll, sockets, began = select.epoll(), {}, time.monotonic()
    opened = [connected(port) for _ in range(clients)]
    silent = [connected(port) for _ in range(stalled)]
    tails = {sock.fileno(): _after_upgrade(sock) for sock in opened}
    connect_s = time.monotonic() - began
    for sock in opened:
        sockets[sock.fileno()] = sock
        poll.register(sock, select.EPOLLIN)
    ages, seen = [], 0
    while seen < clients * events:
        ready = poll.poll(QUIET_S)
        if not ready:
            break
        for fileno, _ in ready:
            data = tails[fileno] + sockets[fileno].recv(262_144)
            now = time.monotonic_ns()
            end = data.rfind(MARK)
            if end >= 0 and len(data) - end >= len(MARK) + 20:
                seen += data.count(MARK)
                at = end + len(MARK)
                ages.append((now + TWENTY_DIGITS - int(data[at : at + 20])) / 1000)
                tails[fileno] = data[at:]
            else:
                seen += data.count(MARK, 0, max(end, 0))
                tails[fileno] = data[end:] if end >= 0 else data[-len(MARK) :]
    KEPT.extend([*opened, *silent])
    return {"deliveries": seen, "ages_us": ages, "connect_s": connect_s}


def _after_upgrade(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65_536)
    return data.partition(b"\r\n\r\n")[2]


def measure(name: str, mode: str, clients: int, events: int, stalled: int = 0) -> dict[str, Any]:
    """Run one server and one load client, each on its own core where there are two."""

    def start(core: int, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "ignore", *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {core})
        return process

    server = start(0, HERE / "fanout_servers.py", name, mode, clients + stalled, events)
    client = None
    try:
        assert server.stdout is not None
        client = start(1, __file__, server.stdout.readline().strip(), clients, events, stalled)
        assert client.stdout is not None
        result: dict[str, Any] = json.loads(client.stdout.readline())
        result |= json.loads(server.communicate("\n", timeout=60)[0])
    finally:
        for process in (server, client):
            if process is not None:
                process.kill()
                process.wait()
    assert result["deliveries"] == clients * events
    deliveries = result["deliveries"] or 1
    result |= {"us": result["cpu_us"] / deliveries, "user": result["user_us"] / deliveries}
    return result


if __name__ == "__main__":
    print(json.dumps(load(*map(int, sys.argv[1:]))), flush=True)
    sys.stdin.readline()  # stay connected until the server has been measured
