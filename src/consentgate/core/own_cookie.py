"""The gate's own cookie: its name, its attributes, and where the development form is in force."""

from __future__ import annotations

import re

from .cookies import EPOCH, deletion
from .http import Request
from .policy import Policy

# RFC 6265bis 5.5: browsers keep no cookie for longer.
LONGEST = 400 * 86_400

# Any of these says that a proxy stands between, so that what looks local need not be.
_FORWARDING = (
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-forwarded-port",
    b"x-forwarded-server",
    b"x-real-ip",
    b"cf-connecting-ip",
    b"true-client-ip",
)


class OwnCookie:
    """One form of the consent cookie. `readable`: by the site's own scripts."""

    __slots__ = ("_attributes", "_domain", "_secure", "name")

    def __init__(
        self,
        policy: Policy,
        *,
        secure: bool,
        domain: str,
        suffix: str = "",
        readable: bool = False,
    ) -> None:
        # RFC 6265bis 4.1.3.2: `__Host-` binds a cookie to this very host, which no sub-domain can
        # forge; it demands Secure and Path=/ and forbids Domain.
        prefix = "__Host-" if secure and not domain else ""
        self.name = (prefix + policy.cookie + suffix).encode()
        self._domain = domain.lower().encode()
        self._secure = secure
        same_site = policy.same_site.capitalize()
        if same_site == "None" and not secure:
            same_site = "Lax"  # browsers refuse SameSite=None without Secure
        self._attributes = b"; Path=/"
        if domain:
            self._attributes += b"; Domain=" + self._domain
        if secure:
            self._attributes += b"; Secure"
        if not readable:
            self._attributes += b"; HttpOnly"
        self._attributes += b"; SameSite=" + same_site.encode()

    @property
    def has_forms(self) -> bool:
        """Whether a browser may hold it in other forms as well: `__Host-` leaves one alone."""
        return not self.name.startswith(b"__Host-")

    def line(self, token: bytes, seconds: int) -> bytes:
        """Return the Set-Cookie value that stores `token` for so many seconds."""
        return b"%b=%b; Max-Age=%d%b" % (self.name, token, seconds, self._attributes)

    def removal(self) -> bytes:
        """Return the Set-Cookie value that deletes this cookie."""
        return b"%b=; Max-Age=0; Expires=%b%b" % (self.name, EPOCH, self._attributes)

    def removals_elsewhere(self, host: str) -> list[bytes]:
        """Return deletions of cookies of this name stored in any other form than ours."""
        if self.name.startswith(b"__Host-"):
            return [deletion(self.name, partitioned=True, http_only=True)]
        lines = []
        if self._domain:
            lines.append(deletion(self.name, secure=self._secure, http_only=True))
        for domain in parent_domains(host):
            if domain.encode() != self._domain.lstrip(b"."):
                lines.append(
                    deletion(self.name, domain=domain.encode(), secure=self._secure, http_only=True)
                )
        return lines


def parent_domains(host: str) -> list[str]:
    """Return the host and its parents down to two labels: what a Domain attribute could name.

    Browsers refuse public suffixes themselves. An IP address has no parents.
    """
    name = host_name(host)
    labels = name.split(".")
    if (
        len(name) > 253
        or ":" in name
        or labels[-1].isdigit()
        or not re.fullmatch("[a-z0-9._-]+", name)
        or "" in labels
    ):
        return []
    # The highest five: that is where most cookies are.
    first = max(0, len(labels) - 6)
    return [".".join(labels[at:]) for at in range(first, len(labels) - 1)]


def host_name(host: str) -> str:
    """Return a Host header's name without its port, in lower case."""
    if host.startswith("["):
        return host.partition("]")[0][1:].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def is_loopback(host: str) -> bool:
    """Say whether a Host header names this machine (RFC 6761 6.3), or httpx's "testserver"."""
    name = host_name(host).removesuffix(".")
    if name in ("localhost", "testserver", "::1") or name.endswith(".localhost"):
        return True
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)


def host_of(request: Request) -> str:
    """Return the Host header, or "" where it is missing, repeated or not ASCII."""
    value = request.single(b"host")
    return value.decode("ascii", "ignore") if value is not None and value.isascii() else ""


def is_forwarded(request: Request) -> bool:
    """Say whether a proxy has left its mark on the request."""
    return any(request.values(name) for name in _FORWARDING)


def in_development(request: Request) -> bool:
    """Say whether this is plain http from this very machine, where `Secure` would lose the cookie.

    Browsers take Secure cookies from http://localhost, but test clients do not.
    """
    return (
        request.scheme in ("http", "ws")
        and is_loopback(host_of(request))
        and not is_forwarded(request)
    )
