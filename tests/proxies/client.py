"""Ask a proxy on 127.0.0.1 under another host's name, and see every header it answers."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import NamedTuple

HOST = "www.app.shop.test"
_TIMEOUT = 20.0


class Answer(NamedTuple):
    """What came back; `lines` are the values of Set-Cookie, byte for byte and in order."""

    status: int
    headers: list[tuple[str, str]]
    lines: list[bytes]
    body: str

    def header(self, name: str) -> str:
        """Return a header's values, joined by commas."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())


class Client:
    """One connection, kept open. `tls` trusts the certificate of HOST."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self,
        path: str,
        *,
        cookies: Mapping[str, str] | Iterable[bytes] = (),
        headers: Mapping[str, str] | None = None,
        form: str | None = None,
    ) -> Answer:
        """GET a path, or POST a form. `cookies` are pairs, or whole Cookie lines."""
        if isinstance(cookies, Mapping):
            pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
            cookies = [pairs.encode("latin-1")] if pairs else []
        connection = self._connected()
        connection.putrequest(
            "GET" if form is None else "POST", path, skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", HOST)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        for line in cookies:
            connection.putheader("Cookie", line)
        if form is not None:
            connection.putheader("Content-Type", "application/x-www-form-urlencoded")
            connection.putheader("Content-Length", str(len(form)))
        connection.endheaders(form.encode() if form is not None else None)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        found = response.getheaders()
        if response.will_close:
            self.close()
        lines = [value.encode("latin-1") for name, value in found if name.lower() == "set-cookie"]
        return Answer(response.status, found, lines, body)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, _TIMEOUT)
            plain = socket.create_connection(("127.0.0.1", self._port), _TIMEOUT)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sock = (
                self._tls.wrap_socket(plain, server_hostname=HOST) if self._tls else plain
            )
        return self._connection


def pair(line: bytes) -> tuple[str, str]:
    """Return the name and the value of a Set-Cookie line."""
    name, _, value = line.partition(b";")[0].partition(b"=")
    return name.strip().decode("latin-1"), value.strip().decode("latin-1")


def deletes(line: bytes) -> bool:
    """Say whether this line is a deletion as the gate writes them."""
    return any(part.strip().lower() == b"max-age=0" for part in line.split(b";")[1:])
