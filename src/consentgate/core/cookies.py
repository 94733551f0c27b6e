"""The wire grammar: Set-Cookie and Cookie read on bytes, as browsers read them. No policy.

Rule 1. A line is judged under *every* name that some browser could store it under.
Rule 2. What a browser may read differently from another is unreadable, and unreadable never leaves.
Rule 3. Only a line that every browser takes for a deletion is one.
Rule 4. Bytes in, bytes out: nothing is decoded, folded, unquoted or split at commas.

The standard is RFC 6265bis, section 5.6 (Set-Cookie) and 5.8.3 (Cookie). Where browsers differ
from it, a comment says how; those facts were measured, see tests/recordings.
"""

from __future__ import annotations

import re
from calendar import isleap, timegm
from collections.abc import Iterator

# 5.6 step 1: "If the set-cookie-string contains a %x00-08 / %x0A-1F / %x7F character: abort".
# HTAB is added: Chromium refuses it inside a name, a value or an attribute, Firefox stores it.
CONTROLS = bytes(range(0x20)) + b"\x7f"
WITHOUT_CONTROLS = bytes.maketrans(CONTROLS, b" " * len(CONTROLS))
# 5.6 step 4: "Remove any leading or trailing WSP characters": SP and HTAB, never NBSP or VT.
WSP = b" \t"
# More than any browser sends (they keep some 180 cookies a host, 4 KiB each) and than servers take.
MAX_COOKIE_BYTES = 64 * 1024
MAX_COOKIE_PAIRS = 512

EPOCH = b"Thu, 01 Jan 1970 00:00:00 GMT"


# Visible ASCII without ";", "=" and quotation marks.
_PLAIN = bytes(byte for byte in range(0x21, 0x7F) if byte not in b';="')


def is_plain(name: bytes) -> bool:
    """Say whether every browser and every server takes this for a name as it stands."""
    return not name.translate(None, _PLAIN)


def has_control(line: bytes) -> bool:
    """Say whether the line holds any control byte, HTAB included."""
    return line.translate(WITHOUT_CONTROLS) != line


def stored_names(line: bytes) -> frozenset[bytes] | None:
    """Return every name under which some browser could store this Set-Cookie value.

    `b""` stands for a nameless cookie. None: unreadable, must not leave.
    """
    if has_control(line):
        return None
    names: set[bytes] = set()
    readings = [line]
    if not line.isascii():
        readings += _non_ascii_readings(line)
    for reading in readings:
        names |= names_of_pair(reading.partition(b";")[0])
        if b'"' in reading:
            # Safari protects a ";" between quotation marks; Chromium and Firefox do not.
            names |= names_of_pair(_before_unquoted_semicolon(reading))
    return frozenset(names)


def names_of_pair(pair: bytes) -> set[bytes]:
    """Return every name under which some browser stores, or some server reads, this pair."""
    # 5.6 step 3: "If the name-value-pair string lacks a %x3D ("=") character, then the name string
    # is empty, and the value string is the value of name-value-pair." Firefox 153 instead stores
    # `_ga` as a cookie NAMED _ga; and servers read a nameless `Cookie: _ga` as that name.
    name, equals, value = pair.partition(b"=")
    name = name.strip(WSP)
    if equals and name:
        return {name}
    if not equals:
        return {b"", name}
    # "=x": nameless. "=_ga=1": WebKit stores it and sends `Cookie: _ga=1`.
    return {b"", value.lstrip(b"= \t").partition(b"=")[0].strip(WSP)}


def _non_ascii_readings(line: bytes) -> Iterator[bytes]:
    text = line.decode("latin-1")
    # Some WSGI servers trim header values as text, NBSP and NEL included.
    yield text.strip().encode("latin-1")
    # granian sends WSGI's latin-1 text as UTF-8.
    yield text.encode("utf-8")
    # WebKitGTK stops at the first byte above 0x7F.
    cut = next((at for at, byte in enumerate(line) if byte > 0x7F), len(line))
    yield line[:cut]


def _before_unquoted_semicolon(line: bytes) -> bytes:
    quoted = False
    for at, byte in enumerate(line):
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x3B and not quoted:
            return line[:at]
    return line


# --- deletions ----------------------------------------------------------------------------------

# Nearly every line that is no deletion shows it here, at a tenth of the cost.
_MAY_DELETE = re.compile(rb";[ \t]*(?:max-age[ \t]*=[ \t]*[-0]|expires)", re.IGNORECASE)
_ZERO_OR_LESS = re.compile(rb"-[0-9]{1,18}|0{1,18}")
# Of the dates that RFC 6265bis 5.1.1 takes, the ones that every browser takes alike.
_DATE = re.compile(
    # No other word may stand first: browsers take the first month they find.
    rb"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?"
    rb"([0-9]{1,2})[ -]([a-z]{3})[ -]([0-9]{4}|[0-9]{2}) "
    rb"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)",
    re.IGNORECASE,
)
_MONTHS = (
    b"jan",
    b"feb",
    b"mar",
    b"apr",
    b"may",
    b"jun",
    b"jul",
    b"aug",
    b"sep",
    b"oct",
    b"nov",
    b"dec",
)
# Days past these are normalised by some browsers and refused by others.
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_date(text: bytes) -> int | None:
    """Return the seconds since 1970 that every browser reads in an Expires value, else None."""
    found = _DATE.fullmatch(text)
    if found is None or found[2].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found[2].lower())
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    # 5.1.1 steps 3 and 4: "70 to 99: plus 1900; 0 to 69: plus 2000".
    if len(found[3]) == 2:
        year += 1900 if year >= 70 else 2000
    days = 29 if month == 1 and isleap(year) else _DAYS[month]
    if year < 1601 or not 1 <= day <= days or hour > 23 or minute > 59 or second > 59:
        return None
    return timegm((year, month + 1, day, hour, minute, second))


def is_deletion(line: bytes, now: float) -> bool:
    """Say whether every browser takes this Set-Cookie value for a deletion.

    Every Max-Age and every Expires in the line must say so: browsers let Max-Age win, libsoup
    the later of the two, and a later invalid duplicate makes Chromium and Firefox store the cookie.
    `now` is in seconds since 1970.
    """
    if _MAY_DELETE.search(line) is None or not line.isascii() or has_control(line):
        return False
    pair, *attributes = line.split(b";")
    name, equals, value = pair.partition(b"=")
    if not equals or not name.strip(WSP) or b'"' in name or value.count(b'"') % 2:
        return False
    deletes = False
    for attribute in attributes:
        key, _, text = attribute.partition(b"=")
        key = key.strip(WSP).lower()
        if attribute.count(b'"') % 2:
            return False
        if key == b"max-age":
            if _ZERO_OR_LESS.fullmatch(text.strip(WSP)) is None:
                return False
            deletes = True
        elif key == b"expires":
            moment = parse_date(text.strip(WSP))
            # Frameworks write "now": a second of grace for clocks read a moment apart.
            if moment is None or moment > now + 1:
                return False
            deletes = True
    return deletes


def canonical_deletion(line: bytes) -> bytes:
    """Write the deletion that `line` is in the one form that works in every browser.

    Name bytes, Path, Domain, Secure, HttpOnly, SameSite and Partitioned are kept; what a name
    prefix demands of a deletion (5.7 steps 20 to 23) is added, since frameworks forget it.
    """
    pair, *attributes = line.split(b";")
    name = pair.partition(b"=")[0].strip(WSP)
    found: dict[bytes, bytes] = {}
    for attribute in attributes:
        key, _, text = attribute.partition(b"=")
        text = text.strip(WSP)
        if len(text) <= 1024:  # 5.6: "more than 1024 octets: ignore the cookie-av"
            found[key.strip(WSP).lower()] = text  # the last one wins
    path = found.get(b"path", b"")
    domain = found.get(b"domain", b"")
    return deletion(
        name,
        path=path if path.startswith(b"/") else b"",
        domain=domain,
        secure=b"secure" in found,
        http_only=b"httponly" in found,
        same_site=found.get(b"samesite", b""),
        partitioned=b"partitioned" in found,
    )


def deletion(
    name: bytes,
    *,
    path: bytes = b"/",
    domain: bytes = b"",
    secure: bool = False,
    http_only: bool = False,
    same_site: bytes = b"",
    partitioned: bool = False,
    brief: bool = False,
) -> bytes:
    """Write a Set-Cookie value that deletes the cookie of this name, domain, path and partition.

    `brief`: without the Expires that only Internet Explorer needs.
    """
    prefix = name[:12].lower()
    host_only = prefix.startswith(b"__host-")
    secure = secure or partitioned or host_only or prefix.startswith((b"__secure-", b"__http-"))
    parts = [name + b"=", b"Max-Age=0"]
    if not brief:
        parts.append(b"Expires=" + EPOCH)
    if host_only:
        path, domain = b"/", b""
    if path:
        parts.append(b"Path=" + path)
    if domain:
        parts.append(b"Domain=" + domain)
    if secure:
        parts.append(b"Secure")
    if http_only or prefix.startswith((b"__http-", b"__host-http-")):
        parts.append(b"HttpOnly")
    # "SameSite=None without Secure is refused" holds for deletions too.
    same_site = same_site.lower()
    if same_site in (b"lax", b"strict") or (same_site == b"none" and secure):
        parts.append(b"SameSite=" + same_site.capitalize())
    if partitioned:
        parts.append(b"Partitioned")
    return b"; ".join(parts)


# --- the Cookie header --------------------------------------------------------------------------


def join_fields(fields: list[bytes]) -> bytes:
    """Join several Cookie fields into one, as RFC 9113 section 8.2.3 asks of HTTP/2."""
    return b"; ".join(fields)


def within_caps(header: bytes) -> bool:
    """Say whether a Cookie header is of a size that a browser could have sent."""
    size = len(header)
    # A shorter one has no room for so many pairs: nearly always there is nothing to count.
    return size < MAX_COOKIE_PAIRS or (
        size <= MAX_COOKIE_BYTES and header.count(b";") < MAX_COOKIE_PAIRS
    )


def names_as_text(name: bytes) -> set[bytes]:
    """Return the names that servers may read in this one, which is not plain.

    Starlette and Django decode it before they trim it, NBSP, NEL and control characters included;
    WebOb and aiohttp take the last of several words.
    """
    names: set[bytes] = set()
    for encoding in ("latin-1", "utf-8"):
        words = name.decode(encoding, "replace").split()
        if words and (len(words) > 1 or words[0].encode(encoding, "replace") != name):
            names.add(words[-1].encode(encoding, "replace"))
            names.add(name.decode(encoding, "replace").strip().encode(encoding, "replace"))
    return names
