"""Keep shared caches from handing one visitor's answer to another (RFC 9110 12.5.5, RFC 9111 5.2).

A response with Set-Cookie is not stored by default nginx; take the line away and the next visitor
is served it. So an answer that depended on the visitor says so: `Vary: Cookie` and `private`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .http import Header

_PRIVATE: Header = (b"cache-control", b"private")
# What only shared caches read, and heed more than Cache-Control: RFC 9213 and its forerunners.
_FOR_SHARED = frozenset(
    {
        b"cdn-cache-control",
        b"cloudflare-cdn-cache-control",
        b"netlify-cdn-cache-control",
        b"vercel-cdn-cache-control",
        b"surrogate-control",
        b"edge-control",
        b"x-accel-expires",
    }
)
FIELDS = _FOR_SHARED | {b"vary", b"cache-control"}


def _items(value: bytes) -> list[bytes]:
    """Split a list-valued field at its commas, leaving quoted strings whole."""
    # A quotation mark without its fellow quotes nothing.
    if 0x22 not in value or value.count(b'"') % 2:
        return [item for part in value.split(b",") if (item := part.strip())]
    items: list[bytes] = []
    open_quote = False
    start = 0
    for at, byte in enumerate(value):
        if byte == 0x22:
            open_quote = not open_quote
        elif byte == 0x2C and not open_quote:
            items.append(value[start:at].strip())
            start = at + 1
    items.append(value[start:].strip())
    return [item for item in items if item]


def vary_on(headers: list[Header], field: bytes) -> list[Header]:
    """Add `field` to Vary unless it, or `*`, is there already."""
    result = headers.copy()
    _vary(result, range(len(headers)), field)
    return result


def _vary(headers: list[Header], places: Iterable[int], field: bytes) -> bool:
    """Add `field` to Vary, in place. Say whether others of FIELDS are at these places too."""
    field_there = others = False
    first: int | None = None
    for at in places:
        name, value = headers[at]
        if name != b"vary":
            name = name.strip().lower()
        if name == b"vary":
            field_there = field_there or _lists(value, field)
            if first is None and value.strip():
                first = at
        elif name in FIELDS:
            others = True
    if first is not None and not field_there:
        name, value = headers[first]
        headers[first] = (name, value + b", " + field)
    elif not field_there:
        headers.append((b"vary", field))
    return others


def _lists(value: bytes, field: bytes) -> bool:
    value, field = value.lower(), field.lower()
    if 0x2A not in value and value.find(field) < 0:
        return False  # nearly always: there is no need to split it
    items = _items(value)
    return b"*" in items or field in items


def keep_private(headers: list[Header]) -> list[Header]:
    """Make Cache-Control say `private`, without `public` and `s-maxage`; `no-store` is kept.

    Fields that bid shared caches otherwise are left out.
    """
    result: list[Header] = []
    seen: set[bytes] = set()
    first: int | None = None
    for header in headers:
        name = header[0].strip().lower()
        if name != b"cache-control":
            if name not in _FOR_SHARED:
                result.append(header)
            continue
        items = _items(header[1])
        kept = [
            item
            for item in items
            if item.partition(b"=")[0].strip().lower() not in (b"public", b"s-maxage")
        ]
        seen.update(item.lower() for item in kept)
        if kept:
            first = len(result) if first is None else first
            result.append(header if kept == items else (header[0], b", ".join(kept)))
    if b"private" in seen or b"no-store" in seen:
        return result
    if first is None:
        return [*result, _PRIVATE]
    key, value = result[first]
    result[first] = (key, value + b", private")
    return result


def for_one_visitor(headers: list[Header], places: list[int] | None = None) -> list[Header]:
    """Mark an answer as made for the visitor whose cookies asked for it.

    `places` are those of every one of FIELDS, and maybe of others, where they are known.
    """
    result = headers.copy()
    if _vary(result, range(len(headers)) if places is None else places, b"Cookie"):
        return keep_private(result)
    result.append(_PRIVATE)
    return result
