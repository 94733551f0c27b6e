"""Requests and responses in neutral words: neither ASGI's dialect nor WSGI's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Header = tuple[bytes, bytes]


class Request:
    """What the core may know of one request.

    `path` is decoded and may or may not begin with `root`, the path under which the app is mounted
    (ASGI's `root_path`, WSGI's SCRIPT_NAME): servers disagree, so both forms are understood.
    `client` is the address at the other end of the connection, which may be a proxy's; shells tell
    it only to a gate that `locates`. A shell may subclass this to look headers up where its server
    keeps them.
    """

    __slots__ = ("_headers", "client", "method", "path", "query", "root", "scheme")

    def __init__(
        self,
        method: str,
        path: str,
        root: str = "",
        scheme: str = "http",
        headers: Sequence[Header] = (),
        query: bytes = b"",
    ) -> None:
        self.method = method
        self.path = path
        self.root = root
        self.scheme = scheme
        self.query = query
        self.client = ""  # the connection's address, where a gate has use for it
        self._headers = headers

    def values(self, name: bytes) -> list[bytes]:
        """Return every value of the header `name` (lower case), in the order received."""
        size = len(name)
        found: list[bytes] = []
        for key, value in self._headers:
            # The length is compared first: that costs less than lowering the case of every name.
            if len(key) == size and key.lower() == name:
                found.append(value)
        return found

    def single(self, name: bytes) -> bytes | None:
        """Return the header's value when it was sent exactly once, else None."""
        found = self.values(name)
        return found[0] if len(found) == 1 else None

    def local_path(self) -> str:
        """Return the path inside the mount."""
        root = self.root.rstrip("/")
        if (
            root
            and self.path.startswith(root)
            and self.path[len(root) : len(root) + 1] in ("", "/")
        ):
            return self.path[len(root) :]
        return self.path

    def routed_path(self) -> str:
        """Return the path by which the app finds what answers."""
        return self.local_path()

    def full_path(self) -> str:
        """Return the path as the browser asked for it, the mount included."""
        root = self.root.rstrip("/")
        return self.path if self.local_path() != self.path else root + self.path

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.path!r})"


class Response(NamedTuple):
    """One of the gate's own answers, complete."""

    status: int
    headers: list[Header]
    body: bytes

    def __repr__(self) -> str:  # without the headers: they hold the value of our cookie
        return f"Response({self.status})"
