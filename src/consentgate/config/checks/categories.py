"""Checks of the categories, their rules and their storage keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...core.consent import NO_OTHER_TAG
from ...core.policy import NECESSARY, Category, Rule
from ...core.ties import ties
from ...core.token import category_tag
from ..duration import seconds_of
from ..problems import Fault, Path, did_you_mean
from .settings import DOMAIN, WORDS, choices_for

MAX_NAME = 256
# Four bytes each in a token, which is not read when it has more than 1 KiB: some 180 would fit.
MAX_CATEGORIES = 100
# RFC 6265bis 5.6: browsers keep no more than 4,096 bytes of a name and its value.
MAX_IDS = 3_800
_BESIDE_ID = 6  # "&", "=" and a revision

# What a category's same_site may be; "none" would be no floor.
FLOORS = ("", "lax", "strict")

# RFC 6265bis 4.1.1: any CHAR except CTLs or ";"; longer ones are ignored by browsers (5.6).
_COOKIE_PATH = re.compile(r"/[ -:<-~]{0,1023}")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_REVISION = re.compile(r"[0-9a-f]{4}", re.IGNORECASE | re.ASCII)
# Where scripts store, and what is named there.
STORAGE = {
    "local_storage": "storage key",
    "session_storage": "storage key",
    "indexed_db": "database",
    "cache_storage": "cache",
}

_Named = list[tuple[Rule, Path]]


def category_faults(categories: Sequence[Category]) -> Iterator[Fault]:
    """Yield what is wrong with the categories and everything in them."""
    cookies: _Named = []
    storage: dict[str, _Named] = {kind: [] for kind in STORAGE}
    for number, category in enumerate(categories):
        place: Path = ("categories", number)
        yield from _category(category, place)
        for position, rule in enumerate(category.rules):
            at: Path = (*place, "rules", position)
            yield from _membership(rule, category, at)
            if faults := rule_faults(rule, at):
                yield from faults
            else:
                cookies.append((rule, at))
        for kind, what in STORAGE.items():
            for position, rule in enumerate(category.kept_in(kind)):
                at = (*place, kind, position)
                if fault := name_fault(rule.name, at, what) or _party_fault(rule, at):
                    yield fault
                else:
                    storage[kind].append((rule, at))
    yield from _likenesses(categories)
    yield from _size(categories)
    # Only among those that are right in themselves: one mistake is not reported as two.
    for named in (cookies, *storage.values()):
        yield from _ties(named)


def rule_faults(rule: Rule, place: Path) -> list[Fault]:
    """Return what is wrong with a rule in itself."""
    found = (
        name_fault(rule.name, (*place, "name"), "cookie"),
        _duration_fault(rule, place),
        _domain_fault(rule, place),
        _path_fault(rule, place),
        _party_fault(rule, place),
    )
    return [fault for fault in found if fault is not None]


def _party_fault(rule: Rule, place: Path) -> Fault | None:
    if rule.party in ("", *WORDS["party"]):
        return None
    remedy = did_you_mean(rule.party, WORDS["party"]) or choices_for("party")
    return _fault("CG104", (*place, "party"), f"party cannot be {rule.party!r}", remedy)


def _category(category: Category, place: Path) -> Iterator[Fault]:
    if not _ID.fullmatch(category.id):
        remedy = "use letters, digits, - and _, beginning with a letter; 64 at the most"
        message = f"{category.id!r} is not a category id"
        yield _fault("CG104", (*place, "id"), message, remedy)
    if category.id == NECESSARY and not category.always:
        message = "the necessary category asks for consent"
        remedy = "write always = true, or give the category another name"
        yield _fault("CG105", (*place, "always"), message, remedy)

    if category.always and category.sale_or_sharing:
        message = "what is always on cannot be opted out of, so it is not to be sold or shared"
        remedy = "leave sale_or_sharing out, or move those cookies to an optional category"
        yield _fault("CG104", (*place, "sale_or_sharing"), message, remedy)
    if category.same_site not in FLOORS:
        message = f"same_site cannot be {category.same_site!r}"
        remedy = 'write "lax" or "strict"; cookies that ask for less are raised to it'
        yield _fault("CG104", (*place, "same_site"), message, remedy)
    for number, revision in enumerate(category.honours):
        if not _REVISION.fullmatch(revision):
            message = f"{revision!r} is not a revision"
            remedy = 'write its four hexadecimal digits, for example "3f0a"'
            yield _fault("CG104", (*place, "honours", number), message, remedy)


def _likenesses(categories: Sequence[Category]) -> Iterator[Fault]:
    """Find ids that the consent cookie could not tell apart."""
    ids: dict[int, str] = {}
    for number, category in enumerate(categories):
        if not _ID.fullmatch(category.id):
            continue
        tag = category_tag(category.id)
        if tag == NO_OTHER_TAG:
            message = f"{category.id!r} cannot be told from all others in the consent cookie"
            yield _fault("CG206", ("categories", number, "id"), message, "rename it")
        if tag in ids:
            message = f"{category.id!r} looks like {ids[tag]!r} in the consent cookie"
            if category.id == ids[tag]:
                message = f"there are two categories {category.id!r}"
            yield _fault("CG206", ("categories", number, "id"), message, "rename one of them")
        ids.setdefault(tag, category.id)
    if len(categories) > MAX_CATEGORIES:
        message = f"{len(categories)} categories are more than a consent cookie can carry"
        remedy = f"put together what serves one purpose: {MAX_CATEGORIES} at the most"
        yield _fault("CG207", ("categories", MAX_CATEGORIES), message, remedy)


def _size(categories: Sequence[Category]) -> Iterator[Fault]:
    """Find ids that together are too long for the cookie that tells scripts of the choice."""
    size = sum(len(one.id) + _BESIDE_ID for one in categories if not one.always)
    if size > MAX_IDS and len(categories) <= MAX_CATEGORIES:
        message = f"the ids make {size} bytes, which is more than a cookie for scripts can carry"
        remedy = f"shorten them: {MAX_IDS} bytes at the most, {_BESIDE_ID} beside each id included"
        yield _fault("CG207", ("categories",), message, remedy)


def _membership(rule: Rule, category: Category, place: Path) -> Iterator[Fault]:
    if rule.category != category.id:
        message = f"a cookie of category {rule.category!r} stands among those of {category.id!r}"
        yield _fault("CG204", (*place, "category"), message, "give it the id of its category")
    if category.always and rule.name == "*":
        message = "a lone * in a category that is always on lets every cookie out"
        yield _fault("CG203", (*place, "name"), message, "name the cookies")


def name_fault(name: str, place: Path, what: str) -> Fault | None:
    """Return what is wrong with the name, or pattern of names, of a cookie or of other storage."""
    if not name:
        return _fault("CG201", place, "the name is empty", f"name the {what}")
    if not name.isprintable():
        message = f"no {what} can be named {name!r}"
        return _fault("CG201", place, message, "leave out control characters and odd spaces")
    if what == "cookie" and (";" in name or "=" in name):
        return _fault("CG201", place, f"no cookie can be named {name!r}", "leave out ; and =")
    if name[0] == " " or name[-1] == " ":
        return _fault("CG201", place, f"{name!r} has a space at its edge", "remove it")
    if "**" in name:
        return _fault("CG201", place, f"{name!r} has two asterisks in a row", "one is enough")
    if len(name) > MAX_NAME:
        remedy = f"shorten it to {MAX_NAME}, if need be with a * at its end"
        return _fault("CG201", place, f"the name has {len(name)} characters", remedy)
    return None


def _duration_fault(rule: Rule, place: Path) -> Fault | None:
    seconds = seconds_of(rule.duration) if rule.duration else rule.seconds
    if rule.duration and seconds is None:
        message = f"{rule.duration!r} is not a duration"
        remedy = 'write "session", or a number and a unit: "13 months", "90 days"'
        return _fault("CG205", (*place, "duration"), message, remedy)
    if seconds != rule.seconds:
        message = f"{rule.duration!r} is {seconds} seconds, but the rule says {rule.seconds}"
        return _fault("CG205", (*place, "seconds"), message, f"write seconds={seconds}")
    if seconds is not None and seconds < 0:
        message = f"a cookie cannot live for {seconds} seconds"
        return _fault("CG205", (*place, "seconds"), message, "0 means: until the session ends")
    return None


def _domain_fault(rule: Rule, place: Path) -> Fault | None:
    if not rule.domain:
        return None
    if rule.name.lower().startswith(("__host-", "__host-http-")):
        message = "a __Host- cookie has no domain"
        return _fault("CG104", (*place, "domain"), message, "leave domain out")
    if not DOMAIN.fullmatch(rule.domain):
        remedy = 'write the Domain that the cookie is set with, for example "shop.example"'
        message = f"domain cannot be {rule.domain!r}"
        return _fault("CG104", (*place, "domain"), message, remedy)
    return None


def _path_fault(rule: Rule, place: Path) -> Fault | None:
    if not rule.path or _COOKIE_PATH.fullmatch(rule.path):
        return None
    remedy = 'write the Path that the cookie is set with, for example "/account"'
    return _fault("CG104", (*place, "path"), f"path cannot be {rule.path!r}", remedy)


def _ties(named: _Named) -> Iterator[Fault]:
    places = {id(rule): place for rule, place in named}
    for one, two, name in ties(rule for rule, _ in named):
        if one.name == two.name:
            message, remedy = f"{two.name!r} is named twice", "remove one of the two"
        else:
            message = (
                f"{two.name!r} and {one.name!r} both match {name!r}, and neither is more specific"
            )
            remedy = "make one of them longer, name the cookies exactly, or merge the two"
        yield Fault(
            code="CG202",
            path=places[id(two)],
            message=message,
            remedy=remedy,
            other=places[id(one)],
        )


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
