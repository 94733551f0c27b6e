"""A small cookie jar that keeps and deletes what a browser would (RFC 6265bis 5.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from proxies.client import HOST


class Place(NamedTuple):
    """What tells one cookie from another. A host-only cookie has no domain."""

    name: bytes
    domain: bytes = b""
    path: bytes = b"/"


@dataclass
class Jar:
    """The cookies of one visitor of HOST, who always asks for pages right below the root."""

    secure: bool  # whether the site is asked over TLS
    cookies: dict[Place, bytes] = field(default_factory=dict)

    def header(self) -> bytes:
        """Return the Cookie header, the oldest first."""
        return b"; ".join(b"%b=%b" % (at.name, value) for at, value in self.cookies.items())

    def names(self) -> set[bytes]:
        return {at.name for at in self.cookies}

    def follow(self, lines: Iterable[bytes]) -> None:
        """Take the Set-Cookie lines of an answer, in order."""
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        first, *rest = line.split(b";")
        name, _, value = (part.strip(b" \t") for part in first.partition(b"="))
        said = {
            key.strip(b" \t").lower(): text.strip(b" \t")
            for key, _, text in (part.partition(b"=") for part in rest)
        }
        domain = said.get(b"domain", b"").lstrip(b".").lower()
        path = said.get(b"path", b"/")
        if not path.startswith(b"/"):
            path = b"/"
        lowered = name.lower()
        secure = b"secure" in said
        if secure and not self.secure:
            return
        if lowered.startswith((b"__secure-", b"__host-")) and not secure:
            return
        if lowered.startswith(b"__host-") and (domain or said.get(b"path") != b"/"):
            return
        if b"partitioned" in said:  # another jar
            return
        if domain and not (b"." + HOST.encode()).endswith(b"." + domain):
            return
        place = Place(name, domain, path)
        if said.get(b"max-age") == b"0":
            self.cookies.pop(place, None)
        else:
            self.cookies[place] = value
