"""Keep shared caches from handing one visitor's answer to another (RFC 9110 12.5.5, RFC 9111 5.2).

A response with Set-Cookie is not stored by default nginx; take the line away and the next visitor
is served it. So an answer that depended on the visitor says so: `Vary: Cookie` and `private`.
"""

from __future__ import annotations

from .http import Header

_PRIVATE: Header = (b"cache-control", b"private")


def _names(headers: list[Header]) -> list[bytes]:
    return [name.strip().lower() for name, _ in headers]


def _items(value: bytes) -> list[bytes]:
    """Split a list-valued field at its commas, leaving quoted strings whole."""
    if 0x22 not in value:
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
    return _varying(headers, _names(headers), field)


def _varying(headers: list[Header], names: list[bytes], field: bytes) -> list[Header]:
    if b"vary" not in names:
        return [*headers, (b"vary", field)]
    first: int | None = None
    for at in range(names.index(b"vary"), len(names)):
        if names[at] == b"vary":
            value = headers[at][1]
            present = _items(value.lower())
            if b"*" in present or field.lower() in present:
                return headers
            if first is None and value.strip():
                first = at
    if first is None:
        return [*headers, (b"vary", field)]
    result = headers.copy()
    key, value = result[first]
    result[first] = (key, value + b", " + field)
    return result


def keep_private(headers: list[Header]) -> list[Header]:
    """Make Cache-Control say `private`, without `public` and `s-maxage`; `no-store` is kept."""
    result: list[Header] = []
    seen: set[bytes] = set()
    first: int | None = None
    for name, header in zip(_names(headers), headers, strict=True):
        if name != b"cache-control":
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


def for_one_visitor(headers: list[Header]) -> list[Header]:
    """Mark an answer as made for the visitor whose cookies asked for it."""
    names = _names(headers)
    varying = _varying(headers, names, b"Cookie")
    if b"cache-control" not in names:  # nearly always; it spares a second look at every name
        return [*varying, _PRIVATE]
    return keep_private(varying)
