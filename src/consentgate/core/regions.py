"""Where a visitor is, as far as the policy trusts anybody to say so, and what the law asks there.

Rule 1. Who is nowhere is where the law is strictest: opt-in, without any exemption.
Rule 2. In a country whose parts differ, who is in no known part is where the strictest is.
Rule 3. A header counts only if the policy names it, and only if it was sent once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .http import Request
from .policy import OPT_IN, Profile, Regions

# Given the request, a code such as "FR" or "US-CA", or None. What it raises is its caller's.
Locate = Callable[[Request], str | None]

_CODE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
# What CDNs say of an address they cannot place (ISO 3166-1 leaves both to users); Tor is "T1".
_NOWHERE = frozenset({"XX", "ZZ"})
# Parts of the United States that have a country code of their own too (ISO 3166-2:US).
_ALSO_US = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})


class Law(NamedTuple):
    """What of a profile the gate heeds: `exemptions` are kinds that need no consent there."""

    opt_in: bool
    exemptions: frozenset[str]


STRICTEST = Law(True, frozenset())


def strictest(laws: Iterable[Law]) -> Law:
    """Return a law that allows only what each of these, at least one, allows."""
    laws = tuple(laws)
    exemptions = frozenset.intersection(*(law.exemptions for law in laws))
    return Law(any(law.opt_in for law in laws), exemptions)


class Atlas:
    """Profiles by place, the site's own before those built in; of several the strictest counts."""

    __slots__ = ("_laws", "_profiles", "_whole", "lenient")

    def __init__(self, profiles: Iterable[Profile]) -> None:
        own: dict[str, list[Profile]] = {}
        ours: dict[str, list[Profile]] = {}
        for profile in profiles:
            for place in {code_of(place) or place for place in profile.places}:
                (ours if profile.built_in else own).setdefault(place, []).append(profile)
        # A site's own word on a country is one on its parts, and on those its word on a part.
        known = own | {
            place: found
            for place, found in ours.items()
            if place not in own and place[:2] not in own
        }
        self._profiles = {place: found[0] for place, found in known.items()}
        self._laws = {
            place: strictest(Law(one.regime == OPT_IN, frozenset(one.exemptions)) for one in found)
            for place, found in known.items()
        }
        divided: dict[str, list[Law]] = {}
        for place, law in self._laws.items():
            divided.setdefault(place[:2], []).append(law)
        # Countries of which there is more than one thing to say.
        self._whole = {
            country: strictest(laws)
            for country, laws in divided.items()
            if any(place[:3] == country + "-" for place in self._laws)
        }
        # What is allowed anywhere at all without consent.
        self.lenient = Law(
            all(law.opt_in for law in self._laws.values()),
            frozenset().union(*(law.exemptions for law in self._laws.values())),
        )

    def law(self, code: str | None) -> Law:
        """Return the law at a place."""
        if code is None:
            return STRICTEST
        country = code[:2]
        if country in self._whole:
            return (
                self._laws.get(code, self._whole[country])
                if len(code) > 2
                else (self._whole[country])
            )
        return self._laws.get(country, STRICTEST)

    def profile(self, code: str | None) -> Profile | None:
        """Return the one profile that says what the law is at a place, if it is one."""
        if code is None or (len(code) == 2 and code in self._whole):
            return None
        return self._profiles.get(code) or (
            None if code[:2] in self._whole else self._profiles.get(code[:2])
        )


def code_of(country: str, subdivision: str = "") -> str | None:
    """Return the code of a place ("FR", "US-CA"), or None where these words name none.

    `country` may hold the subdivision already, and `subdivision` the country ("US-CA").
    """
    country, subdivision = country.strip().upper(), subdivision.strip().upper()
    found = _CODE.fullmatch(country)
    if found is None or found[1] in _NOWHERE:
        return None
    if found[1] in _ALSO_US:
        return f"US-{found[1]}"
    part = found[2] or subdivision.removeprefix(found[1] + "-")
    whole = _CODE.fullmatch(f"{found[1]}-{part}")
    return whole[0] if whole else found[1]


class Locator:
    """Finds the place of a request: by a callable, else by the headers that the policy names."""

    __slots__ = ("_country", "_find", "_subdivision", "fields")

    def __init__(self, regions: Regions | None, find: Locate | None) -> None:
        self._find = find
        names = (regions.country, regions.subdivision) if regions else ("", "")
        self._country, self._subdivision = (name.lower().encode() for name in names)
        # The header fields that matter, for Vary.
        self.fields = tuple(name.encode() for name in names if name)

    def __call__(self, request: Request) -> str | None:
        if self._find is not None and (found := code_of(self._find(request) or "")):
            return found
        if not self._country:
            return None
        country = request.single(self._country)
        part = request.single(self._subdivision) if self._subdivision else None
        return code_of(_text(country), _text(part))


def _text(value: bytes | None) -> str:
    return value.decode("ascii", "replace") if value is not None else ""
