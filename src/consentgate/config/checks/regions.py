"""Checks of [regions] and its profiles, of [gpc], and of [[flows]]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from ...core.policy import OPT_IN, OPT_OUT, Flow, Gpc, Policy, Profile, Regions
from ...law import profiles
from ..problems import Fault, Path, did_you_mean
from .categories import name_fault
from .settings import WORDS, choices_for, path_fault

# RFC 9110 5.1: a field name is a token (5.6.2).
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# ISO 3166-1 alpha-2, and 3166-2 for a part of a country.
_PLACE = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ADDRESS = re.compile(r"https://[^\s/]+\S*")


def region_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with how visitors are placed, and with what follows from it."""
    if policy.regions is not None:
        yield from _regions(policy.regions)
        seen: dict[str, Path] = {}
        for number, profile in enumerate(policy.regions.profiles):
            if not profile.built_in:  # those are checked with the package
                yield from _profile(profile, ("regions", "profiles", number))
                yield from _twice(profile, ("regions", "profiles", number), seen)
    yield from _gpc(policy.gpc)
    for number, flow in enumerate(policy.flows):
        yield from _flow(flow, ("flows", number))


def _regions(regions: Regions) -> Iterator[Fault]:
    for field in ("country", "subdivision", "address"):
        name = getattr(regions, field)
        if name and not _FIELD_NAME.fullmatch(name):
            remedy = 'name a header field that your proxy sets, for example "CF-IPCountry"'
            yield _fault("CG104", ("regions", field), f"{name!r} is no header field", remedy)
        elif field == "subdivision" and name and not regions.country:
            message = "a subdivision says nothing without its country"
            remedy = "add country = the header field with the visitor's country, or leave both out"
            yield _fault("CG104", ("regions", field), message, remedy)
    if regions.address and not regions.database:
        message = "an address is only looked up in a database, and there is none"
        remedy = "add database = the path of a MaxMind file, or leave address out"
        yield replace(_fault("CG506", ("regions", "address"), message, remedy), severity="warning")


def _profile(profile: Profile, place: Path) -> Iterator[Fault]:
    if not profile.places:
        remedy = 'add places = ["…"], ISO 3166 codes such as "FR" or "US-CA"'
        yield _fault("CG103", (*place, "places"), "the profile holds nowhere", remedy)
    for number, code in enumerate(profile.places):
        if not _PLACE.fullmatch(code):
            remedy = 'write an ISO 3166 code: "FR", or "US-CA" for a part of a country'
            yield _fault("CG104", (*place, "places", number), f"{code!r} is no place", remedy)
    if profile.regime not in WORDS["regime"]:
        remedy = did_you_mean(profile.regime, WORDS["regime"]) or choices_for("regime")
        message = f"regime cannot be {profile.regime!r}"
        yield _fault("CG104", (*place, "regime"), message, remedy)
    for number, kind in enumerate(profile.exemptions):
        if kind not in WORDS["kind"]:
            remedy = did_you_mean(kind, WORDS["kind"]) or choices_for("kind")
            message = f"there is no exemption {kind!r}"
            yield _fault("CG104", (*place, "exemptions", number), message, remedy)
    yield from _laxer(profile, place)
    yield from _grounds(profile, place)


def _twice(profile: Profile, place: Path, seen: dict[str, Path]) -> Iterator[Fault]:
    """Find places of which something was said before; `seen` fills up."""
    for number, code in enumerate(profile.places):
        at: Path = (*place, "places", number)
        if code in seen:
            remedy = "remove one of the two"
            fault = _fault("CG202", at, f"{code!r} is named twice", remedy)
            yield replace(fault, other=seen[code])
        seen.setdefault(code, at)


def _laxer(profile: Profile, place: Path) -> Iterator[Fault]:
    """Find where a profile allows more than the law that was read for the same place."""
    read = {code: one for one in reversed(profiles()) for code in one.places}
    for number, code in enumerate(profile.places):
        if not _PLACE.fullmatch(code):
            continue
        path: Path = (*place, "places", number)
        here = read.get(code) or read.get(code[:2])
        # What is said of a country is said of its parts.
        parts = {one: law for one, law in read.items() if one.startswith(code + "-")}
        if here is not None:
            yield from _laxer_than(here, code, code, profile, path)
        for part in sorted(parts):
            if parts[part] is not here:
                yield from _laxer_than(parts[part], part, code, profile, path)


def _laxer_than(
    law: Profile, where: str, code: str, profile: Profile, path: Path
) -> Iterator[Fault]:
    because = f"{law.article}, {law.source}"
    if profile.regime == OPT_OUT and law.regime == OPT_IN and law.rests_on == "statute":
        message = f"the law of {where} asks for a yes beforehand ({because})"
        remedy = f'take {code} out of this profile, or write regime = "{OPT_IN}"'
        yield _fault("CG406", path, message, remedy)
        return
    more = [
        kind for kind in WORDS["kind"] if kind in profile.exemptions and kind not in law.exemptions
    ]
    if more and law.regime == OPT_IN:
        message = f"no exemption {', '.join(map(repr, more))} was found in the law of {where}"
        remedy = f"take {code} out of this profile, or the exemption"
        yield _fault("CG406", path, f"{message} ({because})", remedy)


def _grounds(profile: Profile, place: Path) -> Iterator[Fault]:
    def fault(field: str, wrong: str, remedy: str) -> Fault:
        message = f"the profile does not say on what it rests: {wrong}"
        return _fault("CG407", (*place, field), message, remedy)

    if not profile.rests_on.strip():
        remedy = choices_for("rests_on").replace("write", "add rests_on =")
        yield fault("rests_on", "rests_on is missing", remedy)
    elif profile.rests_on not in WORDS["rests_on"]:
        remedy = did_you_mean(profile.rests_on, WORDS["rests_on"]) or choices_for("rests_on")
        yield fault("rests_on", f"rests_on cannot be {profile.rests_on!r}", remedy)
    if not profile.article.strip():
        yield fault("article", "article is missing", 'add article = "…": the law and its article')
    if not _ADDRESS.fullmatch(profile.source):
        wrong = "no address where others can read it" if profile.source.strip() else "missing"
        yield fault("source", f"source is {wrong}", 'write source = "https://…"')
    if not is_day(profile.read):
        wrong = f"cannot be {profile.read!r}" if profile.read.strip() else "is missing"
        yield fault("read", f"read {wrong}", "write read = 2026-11-24, the day you read it")


def _gpc(gpc: Gpc) -> Iterator[Fault]:
    if gpc.opt_in not in WORDS["opt_in"]:
        message = f"opt_in cannot be {gpc.opt_in!r}"
        yield _fault("CG104", ("gpc", "opt_in"), message, choices_for("opt_in"))
    if gpc.updated and not is_day(gpc.updated):
        remedy = "write updated = 2026-11-24, a day like this, or leave it out: no statement then"
        yield _fault("CG104", ("gpc", "updated"), f"{gpc.updated!r} is no day", remedy)


def _flow(flow: Flow, place: Path) -> Iterator[Fault]:
    if not flow.paths:
        remedy = 'add paths = ["/checkout*"]'
        yield _fault("CG103", (*place, "paths"), "the flow has no paths", remedy)
    if not flow.cookies and not flow.sources:
        message = "the flow names neither cookies nor sources, so it changes nothing"
        remedy = 'add cookies = ["…"], or sources = ["https://…"], or remove the flow'
        yield _fault("CG103", place, message, remedy)
    for number, path in enumerate(flow.paths):
        everywhere = "takes in every page, so that its cookies need consent nowhere"
        fault = path_fault(path, everywhere, "name the paths of the flow", "/checkout*")
        if fault:
            yield replace(fault, path=(*place, "paths", number))
    for number, name in enumerate(flow.cookies):
        at: Path = (*place, "cookies", number)
        if name == "*":
            message = "a lone * makes every cookie necessary in this flow"
            yield _fault("CG203", at, message, "name the cookies")
        elif fault := name_fault(name, at, "cookie"):
            yield fault


def is_day(text: str) -> bool:
    """Say whether a text is a day of the calendar, as 2026-11-01."""
    try:
        return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
