"""Keep shared caches from handing one visitor's answer to another (RFC 9110 12.5.5, RFC 9111 5.2).

A response with Set-Cookie is not stored by default nginx; take the line away and the next visitor
is served it. So an answer that depended on the visitor says so: `Vary: Cookie` and `private`.
"""

from __future__ import annotations

from .http import Header


def _name(header: Header) -> bytes:
    return header[0].strip().lower()


def _items(value: bytes) -> list[bytes]:
    """Split a list-valued field at its commas, leaving quoted strings whole."""
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
    present = [
        item.lower()
        for key, value in headers
        if _name((key, b"")) == b"vary"
        for item in _items(value)
    ]
    if b"*" in present or field.lower() in present:
        return headers
    for at, (key, value) in enumerate(headers):
        if _name((key, b"")) == b"vary" and value.strip():
            return [*headers[:at], (key, value + b", " + field), *headers[at + 1 :]]
    return [*headers, (b"vary", field)]


def keep_private(headers: list[Header]) -> list[Header]:
    """Make Cache-Control say `private`, without `public` and `s-maxage`; `no-store` is kept."""
    result: list[Header] = []
    seen: set[bytes] = set()
    first: int | None = None
    for header in headers:
        if _name(header) != b"cache-control":
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
        return [*result, (b"cache-control", b"private")]
    key, value = result[first]
    result[first] = (key, value + b", private")
    return result


def for_one_visitor(headers: list[Header]) -> list[Header]:
    """Mark an answer as made for the visitor whose cookies asked for it."""
    return keep_private(vary_on(headers, b"Cookie"))
