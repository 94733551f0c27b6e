"""How long a kept cookie may live, and what it must at least ask of browsers.

Rule 1. A longer life is shortened to the published one; none is ever made longer.
Rule 2. A floor is only ever raised: Secure, HttpOnly, and SameSite from None to Lax to Strict.
Rule 3. A line that needs no change is the very line that came; of another, what is not about its
        life or its floors leaves byte for byte.
Rule 4. What some browser may read as longer than it may be is taken for longer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .cookies import WSP, parse_date
from .memo import Memo
from .policy import Category, Rule

# RFC 6265bis 5.6.2: an optional "-" and digits. Chromium takes a "+" too.
_AGE = re.compile(rb"[-+]?[0-9]+")
# Time zones are ignored by browsers (5.1.1), if by all of them: a day more or less is let pass.
_ZONE = re.compile(rb"(.*[0-9]{2}:[0-9]{2}:[0-9]{2})(?: (?:[+-][0-9]{4}|[A-Z]{1,4}))?")
_DAY = 86_400
# What C's asctime writes: not read alike by all browsers, but with one year for all.
_ASCTIME = re.compile(rb"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-3][0-9] [0-9:]{8} ([0-9]{4})(?: GMT)?")
_YEAR_SECONDS = 31_556_952
# 5.6: "If the attribute-value is longer than 1024 octets, ignore the cookie-av"; not all do.
_MAX_VALUE = 1024
_NEVER = -1
_FOR_EVER = 1 << 62
# RFC 6265bis 5.6.7: anything else than these three is as good as nothing.
_STRICTNESS = {b"none": 0, b"lax": 1, b"strict": 2}
# Frameworks and we read the clock a moment apart.
_GRACE = 1


class _Attributes(NamedTuple):
    """What the attributes of one Set-Cookie value say, whoever reads them."""

    # The longest that any Max-Age and any Expires says: libsoup lets the last one of either win,
    # Chromium and Firefox Max-Age.
    longest: int
    latest: int
    odd: int  # by when what browsers may read differently from each other is over
    # What Chromium makes of them: the last Max-Age, else the last Expires.
    age: int | None
    moment: int | None
    secure: bool
    http_only: bool
    strictness: int


def _read(tail: bytes) -> _Attributes:
    longest = latest = odd = _NEVER
    age: int | None = None
    moment: int | None = None
    secure = http_only = False
    strictness = 0
    for attribute in tail.split(b";"):
        key, _, text = attribute.partition(b"=")
        key, text = key.strip(WSP).lower(), text.strip(WSP)
        if len(text) > _MAX_VALUE:
            if key in (b"max-age", b"expires"):
                odd = _FOR_EVER
        elif key == b"max-age":
            # Too many digits are as many as can be: browsers take them for that.
            age = int(text[:19]) if _AGE.fullmatch(text) else None
            if age is None:
                odd = _FOR_EVER
            else:
                longest = max(longest, age)
        elif key == b"expires":
            moment = _moment(text)
            if moment is None:
                odd = max(odd, _odd_end(text))
            else:
                latest = max(latest, moment)
        elif key == b"secure":
            secure = True
        elif key == b"httponly":
            http_only = True
        elif key == b"samesite":
            strictness = _STRICTNESS.get(text.lower(), 0)  # the last one wins
    return _Attributes(longest, latest, odd, age, moment, secure, http_only, strictness)


def _moment(text: bytes) -> int | None:
    """Return the latest moment that a browser reads in an Expires value, or None."""
    moment = parse_date(text)
    if moment is None and (zoned := _ZONE.fullmatch(text)):
        moment = parse_date(zoned[1] + b" GMT")
        moment = None if moment is None else moment + _DAY
    return moment


def _odd_end(text: bytes) -> int:
    """Return by when an odd date is over whoever reads it, else a time that never comes."""
    found = _ASCTIME.fullmatch(text)
    return _FOR_EVER if found is None else (int(found[1]) - 1969) * _YEAR_SECONDS


class Limits:
    """What the policy demands of the attributes of the cookies that one rule names.

    `seconds`: the longest life (0: with the session; None: any). `demands` is how a decision says
    what the floors are.
    """

    __slots__ = ("_http_only", "_remembered", "_same_site", "_secure", "demands", "seconds")

    def __init__(
        self, *, seconds: int | None, secure: bool, http_only: bool, same_site: str
    ) -> None:
        self.seconds = seconds
        self._secure = secure
        self._http_only = http_only
        self._same_site = same_site
        floors = ["Secure"] * secure + ["HttpOnly"] * http_only
        floors += [f"SameSite={same_site.capitalize()}"] if same_site else []
        self.demands = " and ".join(floors)
        # By all that follows the first ";": a cookie's value is not in it.
        self._remembered: Memo[bytes, _Attributes] = Memo(256)

    def apply(self, line: bytes, now: float, *, plain: bool = False) -> tuple[bytes, bool]:
        """Return the Set-Cookie value within the limits, and whether it was shortened.

        `now` is in seconds since 1970. `plain`: a developer's own machine without https, where
        Secure would lose the cookie.
        """
        start = line.find(b";")
        tail = line[start + 1 :] if start >= 0 else b""
        found = self._remembered.young.get(tail) or self._remembered.get(tail)
        if found is None:
            found = _read(tail)
            if len(tail) <= 512 and b'"' not in tail:  # after which some of the value may stand
                self._remembered.put(tail, found)
        gone: set[bytes] = set()
        added = b""
        shortened = False
        most = self.seconds
        if most is not None and (
            found.longest > most or found.latest > now + most + _GRACE or found.odd > now
        ):
            shortened = True
            gone = {b"max-age", b"expires"}
            left = found.age
            if left is None and found.moment is not None:
                left = found.moment - int(now)
            # Where browsers differ, or it may live with the session only, nothing is said of it.
            if left is not None and (most or left <= 0):
                added = b"; Max-Age=%d" % max(0, min(left, most))
        if self.demands:
            if self._secure and not found.secure and not plain:
                added += b"; Secure"
            if self._http_only and not found.http_only:
                added += b"; HttpOnly"
            if self._same_site and found.strictness < _STRICTNESS[self._same_site.encode()]:
                gone.add(b"samesite")
                added += b"; SameSite=" + self._same_site.capitalize().encode()
        if not gone and not added:
            return line, False
        pair, *attributes = line.split(b";")
        kept = [one for one in attributes if one.partition(b"=")[0].strip(WSP).lower() not in gone]
        return b";".join([pair, *kept]) + added, shortened


def limits_of(rule: Rule, category: Category | None) -> Limits | None:
    """Return what is demanded of the cookies of this rule, or None where nothing is."""
    seconds = None if rule.published_only else rule.seconds
    if category is None:
        return None
    limits = Limits(
        seconds=seconds,
        secure=category.secure,
        http_only=category.http_only,
        same_site=category.same_site,
    )
    return limits if limits.demands or seconds is not None else None
