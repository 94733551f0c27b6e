"""Exemptions from consent: their conditions are checked, not believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consentgate import Category, Policy, Rule
from consentgate.config.checks import law_faults
from consentgate.config.duration import seconds_of
from consentgate.core.policy import STORAGE, Exemption

MEASURED = Exemption(kind="audience-measurement", objection="/privacy", data_kept="25 months")
CNIL = " (CNIL, audience measurement without consent, 4 July 2025)"


def visit(**changes: Any) -> Rule:
    """Return a cookie that meets every condition, but for the changes."""
    rule = Rule(name="visit", category="visits", duration="13 months", sliding=False)
    rule = replace(rule, **changes)
    return replace(rule, seconds=seconds_of(rule.duration) if rule.duration else None)


def failing(
    *rules: Rule, exemption: Exemption = MEASURED, site: str = "", **changes: Any
) -> list[str]:
    """Return which conditions a category does not meet, without what is said every time."""
    category = Category(
        id="visits", description="Counts visits", rules=rules, exemption=exemption, **changes
    )
    found = list(law_faults(Policy(version="1", site=site, categories=(category,))))
    assert {fault.code for fault in found} <= {"CG405"}
    start = "'visits' is exempt from consent, but "
    assert all(fault.message.startswith(start) for fault in found)
    return [fault.message.removeprefix(start).split(" (")[0] for fault in found]


def test_whoever_meets_the_conditions_is_exempt() -> None:
    """First-party cookies of 13 months that visits do not prolong, and a page for objections."""
    rules = (
        visit(),
        visit(name="visit_day", duration="session"),
        visit(name="visit_www", domain=".shop.example"),
        visit(name="_pk_id*"),
    )
    assert failing(*rules, site="https://www.shop.example", session_storage=("visit_*",)) == []


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({"duration": ""}, "'visit' has no duration"),
        ({"duration": "14 months"}, "'visit' lives for '14 months'"),
        ({"duration": "400 days"}, "'visit' lives for '400 days'"),
        ({"sliding": True}, "'visit' may be prolonged by every visit"),
        ({"recipients": ("Statistics Ltd",)}, "'visit' has recipients"),
        ({"partitioned": True}, "'visit' is partitioned, for other sites to embed"),
        ({"domain": "cdn.example"}, "'visit' is for 'cdn.example', which is not of this site"),
        (
            {"name": "_ga_*"},
            "'_ga_*' is a cookie of Google Analytics, with which visitors can be followed over "
            "several sites",
        ),
        (
            {"duration": "2 years", "sliding": True},
            "'visit' lives for '2 years' and may be prolonged by every visit",
        ),
    ],
)
def test_each_cookie_that_measures_meets_each_condition(
    changes: dict[str, Any], condition: str
) -> None:
    """CNIL, 4 July 2025: what one cookie does not meet is said at once, of that cookie."""
    assert failing(visit(**changes), site="https://shop.example") == [condition]


@pytest.mark.parametrize(
    ("domain", "site", "taken"),
    [
        ("shop.example", "https://shop.example", True),
        (".SHOP.example", "https://www.shop.example:8443", True),
        ("stats.shop.example", "https://shop.example", True),
        ("myshop.example", "https://shop.example", False),
        ("op.example", "https://shop.example", False),
        ("anything.example", "", True),
    ],
)
def test_what_is_of_the_site_is_known_where_the_site_is(
    domain: str, site: str, taken: bool
) -> None:
    """Its own host, what is above it and what is below it."""
    assert (failing(visit(domain=domain), site=site) == []) is taken


@pytest.mark.parametrize(
    ("category", "exemption", "condition"),
    [
        ({"always": True}, {}, "it is always on, so nobody can object"),
        ({"sale_or_sharing": True}, {}, "what it collects is sold or shared"),
        (
            {"local_storage": ("v",)},
            {},
            "it uses local storage, which does not end after 13 months",
        ),
        ({"indexed_db": ("v",)}, {}, "it uses IndexedDB, which does not end after 13 months"),
        (
            {"cache_storage": ("v",)},
            {},
            "it uses cache storage, which does not end after 13 months",
        ),
        ({}, {"objection": ""}, "visitors are not shown where they can object"),
        ({}, {"objection": "privacy"}, "visitors are not shown where they can object"),
        ({}, {"objection": "//other.example"}, "visitors are not shown where they can object"),
        ({}, {"objection": "http://a.example"}, "visitors are not shown where they can object"),
        ({}, {"data_kept": ""}, "it is not said how long what was measured is kept"),
        ({}, {"data_kept": "for ever"}, "it is not said how long what was measured is kept"),
        ({}, {"data_kept": "26 months"}, "what was measured is kept for '26 months'"),
    ],
)
def test_the_category_meets_each_condition(
    category: dict[str, Any], exemption: dict[str, Any], condition: str
) -> None:
    """What holds of all its cookies is said once."""
    assert failing(exemption=replace(MEASURED, **exemption), **category) == [condition]


def test_visitors_are_told_what_is_done_without_their_consent() -> None:
    """A description is asked for by every exemption."""
    for kind in ("audience-measurement", "statistical", "appearance"):
        category = Category(id="visits", exemption=replace(MEASURED, kind=kind))
        (found,) = law_faults(Policy(version="1", categories=(category,)))
        assert (found.code, found.path) == ("CG405", ("categories", 0, "description"))


@pytest.mark.parametrize("kind", ["statistical", "appearance"])
def test_the_exceptions_of_the_united_kingdom_have_fewer_conditions(kind: str) -> None:
    """PECR Schedule A1: told, free to object, and not handed on; how long is not said there."""
    exemption = Exemption(kind=kind, objection="https://shop.example/privacy")
    assert failing(visit(sliding=True, duration=""), exemption=exemption) == []
    assert failing(visit(recipients=("Ltd",)), exemption=exemption, sale_or_sharing=True) == [
        "what it collects is sold or shared",
        "'visit' has recipients",
    ]
    stored = Rule(name="seen", category="visits", recipients=("Ltd",))
    for where in STORAGE:
        found = failing(exemption=exemption, **{where: ("mine", stored)})
        assert found == ["'seen' has recipients"]
    assert failing(exemption=replace(exemption, objection="")) == [
        "visitors are not shown where they can object"
    ]


def test_the_rule_is_named() -> None:
    """Each message ends with the rule that sets the condition."""
    category = Category(
        id="visits", description="Counts", exemption=replace(MEASURED, data_kept="")
    )
    (found,) = law_faults(Policy(version="1", categories=(category,)))
    assert found.message.endswith(CNIL)


@pytest.mark.parametrize(("kind", "code"), [("", "CG103"), ("statistics", "CG104")])
def test_an_exemption_is_of_a_known_kind(kind: str, code: str) -> None:
    """Of an unknown kind no condition is known, so nothing more is said of it."""
    category = Category(id="a", always=True, exemption=Exemption(kind=kind))
    found = list(law_faults(Policy(version="1", categories=(category,))))
    place = ("categories", 0, "exemption", "kind")
    assert [(fault.code, fault.path) for fault in found] == [(code, place)]
