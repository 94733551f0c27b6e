"""Start each server as its own process, and speak to it over a raw socket."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
KEY = "a key of more than thirty-two bytes for tests"


@dataclass(frozen=True)
class Server:
    """How to start one: `{port}` stands for the port. `needs` must be importable."""

    name: str
    needs: tuple[str, ...]
    command: str
    is_asgi: bool

    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]


def _asgi(name: str, needs: str, command: str) -> Server:
    return Server(name, tuple(needs.split()), command, True)


def _wsgi(name: str, needs: str, command: str) -> Server:
    return Server(name, tuple(needs.split()), command, False)


_UVICORN = "-m uvicorn emitting:asgi --port {port} --no-access-log"
_HYPERCORN = "-m hypercorn emitting:asgi -b 127.0.0.1:{port}"
_GRANIAN = "-m granian --host 127.0.0.1 --port {port} --no-access-log"
SERVERS = [
    _asgi("uvicorn-h11", "uvicorn h11 wsproto", _UVICORN + " --http h11 --ws wsproto"),
    _asgi("uvicorn-httptools", "uvicorn httptools wsproto", _UVICORN + " --http httptools"),
    _asgi("hypercorn-asyncio", "hypercorn", _HYPERCORN + " -k asyncio"),
    _asgi("hypercorn-trio", "hypercorn trio", _HYPERCORN + " -k trio"),
    _asgi("daphne", "daphne", "-m daphne -b 127.0.0.1 -p {port} emitting:asgi"),
    _asgi("granian-asgi", "granian", _GRANIAN + " --interface asgi emitting:asgi"),
    _wsgi("granian-wsgi", "granian", _GRANIAN + " --interface wsgi emitting:wsgi"),
    _wsgi("gunicorn", "gunicorn", "-m gunicorn -b 127.0.0.1:{port} emitting:wsgi"),
    _wsgi("waitress", "waitress", "-m waitress --listen=127.0.0.1:{port} emitting:wsgi"),
    _wsgi("wsgiref", "wsgiref", "emitting.py wsgiref {port}"),
    _wsgi("werkzeug", "werkzeug", "emitting.py werkzeug {port}"),
]


@contextmanager
def running(server: Server, log: Path) -> Iterator[int]:
    """Run the server, yield its port, and end it with all of its workers."""
    port = _free_port()
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "CONSENTGATE_SECRET": KEY, "PYTHONPATH": path}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *server.command.format(port=port).split()],
            cwd=HERE,
            env=environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield port
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended already
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server does not listen:\n{log.read_text()}")


def exchange(port: int, target: str, *headers: str, body: str = "") -> bytes:
    """Send one request and return all that comes back, byte for byte."""
    lines = [
        f"{'POST' if body else 'GET'} {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    if not any(header.startswith("Connection:") for header in headers):
        lines.append("Connection: close")
    received = b""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        try:
            while chunk := connection.recv(65536):
                received += chunk
                if b"upgrade: websocket" in headers_of(received).lower():
                    break
        except ConnectionResetError:
            pass  # a server that gives up on an answer
    return received


def headers_of(received: bytes) -> bytes:
    """Return the head of an answer, or nothing while it is not complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    return head if end else b""


def cookies_in(received: bytes) -> list[bytes]:
    """Return the value of every Set-Cookie line that any browser could make out in an answer."""
    # Chromium ends a line at a lone CR too, and accepts white space before the colon.
    found = []
    for line in re.split(rb"\r\n|\n|\r", received):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"set-cookie":
            found.append(value.strip(b" \t"))
    return found
