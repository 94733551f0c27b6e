"""Response headers: which are Set-Cookie once a server has trimmed them, which are unsafe to send.

Rule 1. A name is compared after removing everything that some server removes later.
Rule 2. CR, LF or NUL in any name or value could become a second header: that header never leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .caching import FIELDS
from .http import Header
from .memo import Memo

# CACHING: plain too, but of the fields (Vary, Cache-Control, Content-Type) that say whom an answer
# is for.
PLAIN, SET_COOKIE, UNSAFE, CACHING = 0, 1, 2, 3

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def kind_of(name: bytes) -> int:
    """Classify a header name as PLAIN, SET_COOKIE, UNSAFE or CACHING."""
    text = name.decode("latin-1")
    if "\r" in text or "\n" in text or "\0" in text:
        return UNSAFE
    # Hypercorn strips names; others strip text, where NEL, NBSP and 0x1C to 0x1F are white space.
    trimmed = text.strip().lower()
    if trimmed == "set-cookie":
        return SET_COOKIE
    # `Set-Cookie: _ga=1; x` as a *name* reaches the wire verbatim on several WSGI servers.
    if trimmed.startswith("set-cookie") and trimmed[10] not in _TOKEN:
        return UNSAFE
    known = trimmed.encode("latin-1")
    return CACHING if known in FIELDS or known == b"content-type" else PLAIN


def with_cookie(
    headers: list[Header], cookie: bytes, dropped: tuple[bytes, ...] = ()
) -> list[Header]:
    """Return request headers in which this Cookie field, unless empty, stands for all there are.

    Fields with the names `dropped`, in small letters, are left out.
    """
    result: list[Header] = []
    left = cookie
    for header in headers:
        name = header[0]
        if len(name) != 6 or name.lower() != b"cookie":
            if not dropped or name.lower() not in dropped:
                result.append(header)
        elif left:
            result.append((name, left))
            left = b""
    return result


def size_of(headers: list[Header]) -> int:
    """Return the bytes that headers take on the wire."""
    return len(b"".join(chain.from_iterable(headers))) + 4 * len(headers)


def is_unsafe(value: bytes) -> bool:
    """Say whether a header value could end its own line."""
    # Asked for as numbers, for which there is a short way: CPython first takes any needle for one.
    return 10 in value or 13 in value or 0 in value


class HeaderKinds:
    """`kind_of`, remembering the names an app uses."""

    __slots__ = ("harmless", "memo")

    def __init__(self) -> None:
        self.memo: Memo[bytes, int] = Memo(512)
        self.harmless: Memo[bytes, int] = Memo(512)  # of these, the PLAIN and CACHING ones

    def __call__(self, name: bytes) -> int:
        kind = self.memo.get(name)
        if kind is None:
            kind = kind_of(name)
            if len(name) <= 64:
                self.memo.put(name, kind)
        if kind in (PLAIN, CACHING) and len(name) <= 64:
            self.harmless.put(name, kind)
        return kind


def as_bytes(headers: Iterable[tuple[object, object]]) -> list[Header]:
    """Return the headers as pairs of bytes; pairs that cannot be are left out.

    ASGI demands bytes, but some servers quietly take text, bytearrays and memoryviews.
    """
    result: list[Header] = []
    for header in headers:
        try:
            name, value = header
            result.append((_bytes(name), _bytes(value)))
        except (TypeError, ValueError):  # UnicodeEncodeError is a ValueError
            continue
    return result


def _bytes(text: object) -> bytes:
    if type(text) is bytes:
        return text
    if isinstance(text, str):
        return text.encode("latin-1")
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError("a header is bytes")
