"""Checks of what laws say of a choice: no dark patterns, and no exemption that is only claimed.

The keys by which other tools allow dark patterns are unknown here: see `dark_patterns`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...core.own_cookie import host_name
from ...core.policy import STORAGE, Category, Exemption, Policy, Rule
from ...presets import trackers_named
from ..duration import seconds_of
from ..problems import Fault, Path, did_you_mean
from .settings import WORDS, choices_for

BUTTONS = ("accept", "reject", "settings")

# CNIL, audience measurement without consent: cookies live for 13 months at the most, what was
# measured is kept for 25 (https://www.cnil.fr/fr/node/167364, 4 July 2025).
_COOKIE_LIFE = seconds_of("13 months") or 0
_DATA_LIFE = seconds_of("25 months") or 0
_RULES = {
    "audience-measurement": "CNIL, audience measurement without consent, 4 July 2025",
    "statistical": "PECR Schedule A1, statistical purposes",
    "appearance": "PECR Schedule A1, appearance",
}
# A page of the site, or an address of somebody else's.
_OBJECTION = re.compile(r"(?:/(?!/)|https://[^\s/]+)\S*")


def law_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is against the law whichever it is, and exemptions without their conditions."""
    yield from _buttons(policy.banner.buttons)
    if 0 < policy.refused_for < policy.accepted_for:
        yield Fault(
            code="CG403",
            path=("refused_for",),
            message=(
                f"a no is asked about again after {_time(policy.refused_for)}, a yes only after "
                f"{_time(policy.accepted_for)}: that presses for a yes (CNIL 2020-092, where both "
                "are kept alike)"
            ),
            remedy="write refused_for at least as long as accepted_for, or leave both out",
            other=("accepted_for",),
        )
    for number, category in enumerate(policy.categories):
        if category.exemption is not None:
            place: Path = ("categories", number)
            yield from _exemption(category, category.exemption, place, policy.site)


def _buttons(buttons: tuple[str, ...]) -> Iterator[Fault]:
    place: Path = ("banner", "buttons")
    remedy = 'write buttons = ["accept", "reject", "settings"], in any order, or leave it out'
    for number, button in enumerate(buttons):
        if button not in BUTTONS:
            hint = did_you_mean(button, BUTTONS) or 'write "accept", "reject" or "settings"'
            yield _fault("CG104", (*place, number), f"there is no button {button!r}", hint)
        elif button in buttons[:number]:
            message = f"the button {button!r} is there twice"
            yield _fault("CG104", (*place, number), message, "remove one of the two")
    if not buttons:
        message = "the banner has no button, so nobody can refuse (GDPR article 7(3))"
        yield _fault("CG402", place, message, remedy)
    elif "accept" in buttons and "reject" not in buttons:
        message = (
            "accepting takes one click and refusing takes more: refusing must be as easy "
            "(GDPR article 7(3); CNIL 2020-092)"
        )
        yield _fault("CG402", place, message, remedy)


# --- exemptions -----------------------------------------------------------------------------------


def _exemption(category: Category, exemption: Exemption, place: Path, site: str) -> Iterator[Fault]:
    at: Path = (*place, "exemption")
    kind = exemption.kind
    if kind not in _RULES:
        if not kind:
            message = "the exemption does not say of which kind it is"
            remedy = choices_for("kind").replace("write", "add kind =")
            yield _fault("CG103", (*at, "kind"), message, remedy)
        else:
            remedy = did_you_mean(kind, WORDS["kind"]) or choices_for("kind")
            yield _fault("CG104", (*at, "kind"), f"there is no exemption {kind!r}", remedy)
        return
    for path, condition, remedy in (
        *_common(category, exemption, place),
        *(_measuring(category, exemption, place) if kind == "audience-measurement" else ()),
    ):
        yield _fault("CG405", path, f"{_claimed(category)}, but {condition}{_by(kind)}", remedy)
    for where in STORAGE:
        for position, rule in enumerate(category.kept_in(where)):
            if rule.recipients:
                message = f"{_claimed(category)}, but {rule.name!r} {_SHARED[0]}{_by(kind)}"
                yield _fault("CG405", (*place, where, position), message, _SHARED[1])
    for position, rule in enumerate(category.rules):
        found = list(_broken_by(rule, kind, site))
        if found:
            conditions, remedies = zip(*found, strict=True)
            message = f"{_claimed(category)}, but {rule.name!r} {_and(conditions)}{_by(kind)}"
            yield _fault("CG405", (*place, "rules", position), message, "; ".join(remedies))


_SHARED = "has recipients", "remove recipients if nobody else gets to read it"


def _claimed(category: Category) -> str:
    return f"{category.id!r} is exempt from consent"


def _by(kind: str) -> str:
    return f" ({_RULES[kind]})"


def _common(
    category: Category, exemption: Exemption, place: Path
) -> Iterator[tuple[Path, str, str]]:
    """Find the conditions of every exemption that are not met, each with its place and remedy."""
    if category.always:
        remedy = "remove the exemption: what is strictly necessary needs none"
        yield (*place, "always"), "it is always on, so nobody can object", remedy
    if category.sale_or_sharing:
        remedy = "remove sale_or_sharing if nothing is sold or shared, else the exemption"
        yield (*place, "sale_or_sharing"), "what it collects is sold or shared", remedy
    if not category.description.strip():
        remedy = 'add description = "…": what is collected, and what for'
        yield (*place, "description"), "visitors are not told what it is for", remedy
    if not _OBJECTION.fullmatch(exemption.objection):
        remedy = 'add objection = "/…", the page of the site where visitors can object'
        if exemption.objection:
            remedy = 'write objection = "/…", a page of the site, or an https:// address'
        yield (
            (*place, "exemption", "objection"),
            "visitors are not shown where they can object",
            remedy,
        )


def _measuring(
    category: Category, exemption: Exemption, place: Path
) -> Iterator[tuple[Path, str, str]]:
    kept = seconds_of(exemption.data_kept) if exemption.data_kept else None
    at: Path = (*place, "exemption", "data_kept")
    if kept is None:
        condition = "it is not said how long what was measured is kept"
        yield at, condition, 'write data_kept = "25 months" at the most'
    elif kept > _DATA_LIFE:
        condition = f"what was measured is kept for {exemption.data_kept!r}"
        yield at, condition, 'keep it for 25 months at the most, and write data_kept = "25 months"'
    for kind in ("local_storage", "indexed_db", "cache_storage"):
        if getattr(category, kind):
            what = kind.replace("_", " ").replace("indexed db", "IndexedDB")
            yield (
                (*place, kind),
                f"it uses {what}, which does not end after 13 months",
                f"remove {kind}: measure with cookies, or within a session",
            )


def _broken_by(rule: Rule, kind: str, site: str) -> Iterator[tuple[str, str]]:
    """Find the conditions that a cookie does not meet, each with its remedy."""
    if rule.recipients:
        yield _SHARED
    if kind != "audience-measurement":
        return
    if rule.seconds is None:
        yield "has no duration", 'write a duration of "13 months" at the most'
    elif rule.seconds > _COOKIE_LIFE:
        said = repr(rule.duration) if rule.duration else f"{rule.seconds} seconds"
        yield f"lives for {said}", 'write a duration of "13 months" at the most'
    if rule.sliding:
        yield "may be prolonged by every visit", "write sliding = false"
    if rule.partitioned:
        yield "is partitioned, for other sites to embed", "remove partitioned"
    if rule.domain and site and not _is_of_site(rule.domain, site):
        yield f"is for {rule.domain!r}, which is not of this site", "remove domain"
    vendors = {one.vendor: None for one in trackers_named(rule.name) if one.cross_site}
    if vendors:
        yield (
            f"is a cookie of {_and(tuple(vendors))}, with which visitors can be followed over "
            "several sites",
            "ask for consent: remove the exemption",
        )


def _is_of_site(domain: str, site: str) -> bool:
    host = host_name(site.lower().partition("://")[2])
    domain = domain.lower().removeprefix(".")
    return f".{host}".endswith(f".{domain}") or domain.endswith(f".{host}")


def _and(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _time(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    count, unit = (seconds, "second") if rest else (days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
