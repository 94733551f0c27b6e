"""Names known without being listed: strictly necessary cookies, and those of known trackers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..core.matcher import Matcher, Pattern, bare
from ..core.policy import NECESSARY, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """A cookie under a name, or a pattern of names, that one vendor alone uses.

    `purpose` is "analytics" or "advertising"; `cross_site`: the vendor can follow a visitor over
    several sites with it. `source` is the vendor's own page about it.
    """

    name: str
    vendor: str
    purpose: str
    source: str
    cross_site: bool = False


@cache
def necessary_rules() -> tuple[Rule, ...]:
    """Return one rule for each preset name; a name of several frameworks goes to the first."""
    rules: dict[str, Rule] = {}
    for preset in _read("necessary.toml")["preset"]:
        origin = f"{preset['framework']} {preset['version']}"
        for name in preset["cookies"]:
            rules.setdefault(name, Rule(name=name, category=NECESSARY, origin=origin))
    return tuple(rules.values())


@cache
def known_trackers() -> tuple[Tracker, ...]:
    """Return the cookies of known vendors of analytics and advertising."""
    return tuple(
        Tracker(
            name=name,
            vendor=vendor["name"],
            purpose=vendor["purpose"],
            source=vendor["source"],
            cross_site=vendor.get("cross_site", False),
        )
        for vendor in _read("vendors.toml")["vendor"]
        for name in vendor["cookies"]
    )


def trackers_named(name: str) -> tuple[Tracker, ...]:
    """Return the known trackers of which a name or pattern certainly names a cookie.

    The one must take in all that the other names: "_pk_*" takes in "_pk_id*", and "_ga_*" takes in
    "_ga_SHOP1"; of "*_id" and "_pk_*" neither does.
    """
    if not name.isprintable() or not name.strip("*"):
        return ()
    if "*" not in name:
        found = _matcher().find(name.encode())
        return () if found is None else (_by_name()[found.name],)
    plain = bare(name.encode())
    pattern = Pattern(Rule(name=plain.decode(), category=""))
    return tuple(
        tracker
        for tracker in known_trackers()
        if pattern.matches(_any_of(tracker.name.encode()))
        or ("*" in tracker.name and _pattern(tracker.name).matches(_any_of(plain)))
    )


def _any_of(name: bytes) -> bytes:
    """Return a name that stands for all that a pattern names: no pattern has this letter."""
    return name.replace(b"*", b"\0")


@cache
def _pattern(name: str) -> Pattern:
    return Pattern(Rule(name=name, category=""))


@cache
def _by_name() -> dict[str, Tracker]:
    return {tracker.name: tracker for tracker in known_trackers()}


@cache
def _matcher() -> Matcher:
    return Matcher(Rule(name=tracker.name, category="") for tracker in known_trackers())


def _read(file: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(file).read_text("utf-8"))
