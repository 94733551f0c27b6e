"""Keep shared caches from handing one visitor's answer to another (RFC 9110 12.5.5, RFC 9111 5.2).

A response with Set-Cookie is not stored by default nginx; take the line away and the next visitor
is served it. So an answer that depended on the visitor says so: `Vary: Cookie` and `private`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .http import Header

COOKIE = (b"Cookie",)
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
        b"x-litespeed-cache-control",
    }
)
FIELDS = _FOR_SHARED | {b"vary", b"cache-control"}
_SHARED = frozenset({b"public", b"s-maxage", b"immutable"})
_OWN = frozenset({b"private", b"no-store"})
DOCUMENTS = (b"text/html", b"application/xhtml+xml")


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
    _vary(result, range(len(headers)), (field,))
    return result


def _vary(headers: list[Header], places: Iterable[int], fields: tuple[bytes, ...]) -> bool:
    """Add `fields` to Vary, in place. Say whether others of FIELDS are at these places too."""
    missing = fields
    others = False
    first = -1
    more: list[int] | None = None
    for at in places:
        name, value = headers[at]
        if name != b"vary":
            if name == b"content-type":
                continue
            name = name.strip().lower()
        if name == b"vary":
            if len(missing) == 1:  # nearly always
                missing = () if _lists(value, missing[0]) else missing
            else:
                missing = tuple([field for field in missing if not _lists(value, field)])
            if value.strip():
                if first < 0:
                    first = at
                elif b'"' not in value + headers[first][1]:  # which no field name has: it is odd
                    more = [*(more or ()), at]
        elif name in FIELDS:
            others = True
    if first < 0:
        headers.append((b"vary", b", ".join(fields)))
        return others
    name, value = headers[first]
    if more is not None:  # nginx heeds the last one alone, so they become one
        value = b", ".join([value, *(headers[at][1] for at in more)])
    if missing:
        value = b", ".join((value, *missing))
    headers[first] = (name, value)
    for at in reversed(more or ()):
        del headers[at]
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


def for_one_visitor(
    headers: list[Header],
    places: list[int] | None = None,
    fields: tuple[bytes, ...] = COOKIE,
) -> list[Header]:
    """Mark an answer as made for the visitor whose cookies, and other `fields`, asked for it.

    `places` are those of every one of FIELDS, and maybe of others, where they are known.
    """
    result = headers.copy()
    if _vary(result, range(len(headers)) if places is None else places, fields):
        return keep_private(result)
    result.append(_PRIVATE)
    return result


def is_for_one(headers: list[Header], places: Iterable[int] | None, private: bool) -> bool:
    """Say whether an answer may remove its visitor's cookies: a document, or a private answer.

    Never one that is marked for shared caches: with `proxy_ignore_headers Set-Cookie` nginx keeps
    the deletion along with it, and hands it to visitors who said yes. `places` are those of
    FIELDS and of Content-Type, and maybe of others, where they are known. `private`: it is known
    to be made for this visitor.
    """
    for at in range(len(headers)) if places is None else places:
        name, value = headers[at]
        if name == b"vary":
            continue
        if name != b"content-type":
            name = name.strip().lower()
        if name == b"content-type":
            private = private or value.strip().lower().startswith(DOCUMENTS)
        elif name == b"cache-control":
            said = {item.partition(b"=")[0].strip().lower() for item in _items(value)}
            if said & _SHARED:
                return False
            private = private or bool(said & _OWN)
        elif name in _FOR_SHARED and not (value.strip() == b"0" or b"no-store" in value.lower()):
            return False
    return private
