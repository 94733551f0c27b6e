"""Consent modes: what stand-ins for other makers' tags see when they start, and are told later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from consentgate import RequestConsent
from consentgate.core.modes import SIGNALS
from consentgate.core.policy import ConsentMode
from tags.conftest import Tab
from tags.site import POLICY, Log, Site, gated

# What each tag finds in its queue as it starts; Meta's makes its own, and hears from then on.
SEES = """seen.push(structuredClone([
  dataLayer.map((one) => [...one]), uetq, clarity.q.map((one) => [...one]), _paq]));"""
START = """<script>var seen = [], pixel = [];</script>"""
META = """<script>window.fbq = (...call) => pixel.push(call);</script>"""
PLAIN = f"<script>{SEES}</script>"
HELD = f'<script type="text/plain" data-category="marketing">{SEES}</script>'
QUEUES = (
    """[dataLayer.map((one) => [...one]), uetq, clarity.q.map((one) => [...one]), _paq, pixel]"""
)


def state(*granted: str) -> dict[str, str]:
    """All of Google's keys; security is always granted."""
    return {
        key: "granted" if key.partition("_")[0] in (*granted, "security") else "denied"
        for key in SIGNALS
    }


def expected(*states: dict[str, str]) -> list[Any]:
    """What lies in the queues after these: Google's, Microsoft's, Clarity's and Matomo's."""
    google, uet, clarity, matomo = [], [], [], [["requireCookieConsent"]]
    for at, one in enumerate(states):
        kind = "update" if at else "default"
        ads, analytics = one["ad_storage"], one["analytics_storage"]
        google.append(["consent", kind, one])
        uet += ["consent", kind, {"ad_storage": ads}]
        clarity.append(["consentv2", {"ad_Storage": ads, "analytics_Storage": analytics}])
        word = "set" if analytics == "granted" else "forget"
        matomo.append([f"{word}CookieConsentGiven"])
    return [google, uet, clarity, matomo]


NOTHING = state()
ADS = state("ad")
ALL = state("ad", "analytics", "functionality", "personalization")


def head(consent: RequestConsent) -> str:
    return START + str(consent.head()) + PLAIN


@pytest.fixture
def pages(site: Site) -> Site:
    """Pages as the documentation has them: the first script, right after it a plain tag, and one
    that is held back."""
    site.head, site.body = head, META + HELD
    return site


def test_every_tag_finds_the_default_and_nothing_else(tab: Tab, pages: Site) -> None:
    """All denied for a newcomer, before the first tag of the page; held back, none starts."""
    tab.go()
    assert tab.run("seen") == [expected(NOTHING)]
    assert tab.run(QUEUES) == [*expected(NOTHING), []]


def test_a_yes_is_an_update_that_stands_before_the_tag_that_it_starts(
    tab: Tab, pages: Site
) -> None:
    """With all seven keys, in each maker's own words; there is never a second default."""
    tab.go()
    tab.grant("marketing")
    tab.wait("seen.length === 2")
    assert tab.run("seen") == [expected(NOTHING), expected(NOTHING, ADS)]
    assert tab.run("pixel") == [["consent", "grant"]]
    tab.choose(action="accept")
    tab.wait("dataLayer.length === 3")
    tab.choose(action="withdraw")
    tab.wait("dataLayer.length === 4")
    assert tab.run(QUEUES) == [
        *expected(NOTHING, ADS, ALL, NOTHING),
        [["consent", "grant"], ["consent", "grant"], ["consent", "revoke"]],
    ]


def test_who_has_chosen_is_announced_as_it_is(tab: Tab, pages: Site) -> None:
    """By the server's word: no update follows, and no tag waits for one."""
    tab.go()
    tab.choose(action="accept")
    tab.go("/next")
    tab.wait("seen.length === 2")
    assert tab.run("seen") == [expected(ALL), expected(ALL)]
    assert tab.run(QUEUES) == [*expected(ALL), []]


def test_on_a_page_from_a_cache_the_companion_says_it(tab: Tab, pages: Site) -> None:
    """The line without any visitor's state: denied for a newcomer, as it is for all others."""
    pages.head = START + '<script src="/_gate/first.js"></script>' + PLAIN
    tab.go()
    assert tab.run("seen") == [expected(NOTHING)]
    tab.choose(action="accept")
    tab.go("/next")
    tab.wait("seen.length === 2")
    assert tab.run("seen") == [expected(ALL), expected(ALL)]


@pytest.mark.parametrize("cached", [False, True])
def test_global_privacy_control_denies_what_is_about_advertising(
    let_in: Callable[..., Tab], pages: Site, cached: bool
) -> None:
    """Also to who has accepted everything: all but that."""
    if cached:
        pages.head = START + '<script src="/_gate/first.js"></script>' + PLAIN
    tab = let_in(gpc=True)
    tab.go()
    tab.choose(action="accept")
    tab.go("/next")
    rest = state("analytics", "functionality", "personalization")
    assert tab.run("seen") == [expected(rest)]


def test_a_yes_over_the_signal_is_a_yes(let_in: Callable[..., Tab], pages: Site) -> None:
    """Where the visitor was shown what it goes against."""
    tab = let_in(gpc=True)
    tab.go()
    tab.choose(action="accept", over_gpc=True)
    tab.go("/next")
    tab.wait("seen.length === 2")
    assert tab.run("seen") == [expected(ALL), expected(ALL)]


def test_what_is_there_already_is_used(tab: Tab, pages: Site) -> None:
    """Queues and functions that stand before the first script stay the site's; a broken one is no
    other's trouble."""
    before = """<script>
      var called = [], dataLayer = [{site: 1}], uetq = {push() { throw new Error("broken"); }};
      function gtag() { called.push([...arguments]); }
      function fbq() { pixel.push([...arguments]); }
    </script>"""
    pages.head = lambda consent: START + before + str(consent.head())
    pages.body = ""
    tab.go()
    assert tab.run("[called, dataLayer, _paq, pixel]") == [
        [["consent", "default", NOTHING]],
        [{"site": 1}],
        expected(NOTHING)[3],
        [["consent", "revoke"]],
    ]


def other(third: Log, **changes: Any) -> Iterator[Site]:
    with gated(third, replace(POLICY, **changes)) as site:
        yield site


@pytest.fixture(scope="module")
def google_only(third: Log) -> Iterator[Site]:
    """A policy without preferences, and with another name for what is necessary."""
    necessary, _, analytics, marketing = POLICY.categories
    yield from other(
        third,
        consent_mode=ConsentMode(mode="advanced"),
        categories=(replace(necessary, id="essential"), analytics, marketing),
    )


def test_only_the_vendors_named_are_told_and_what_a_policy_lacks_is_denied(
    let_in: Callable[..., Tab], google_only: Site
) -> None:
    """Security needs no consent, whatever the category is called."""
    google_only.head = lambda consent: str(consent.head())
    tab = let_in()
    tab.site = google_only
    tab.go()
    tab.choose(action="accept")
    tab.go("/next")
    assert tab.run("dataLayer.map((one) => [...one])") == [
        ["consent", "default", state("ad", "analytics")]
    ]
    names = ["uetq", "clarity", "_paq", "fbq"]
    assert tab.run(f"{names}.filter((name) => name in window)") == []


def test_a_policy_without_a_mode_announces_nothing(let_in: Callable[..., Tab], third: Log) -> None:
    """Neither does its first script exist, where nothing else needs one."""
    with gated(third, replace(POLICY, consent_mode=None)) as site:
        site.head = lambda consent: str(consent.head())
        tab = let_in()
        tab.site = site
        tab.go()
        assert tab.run("[typeof dataLayer, document.head.innerHTML.includes('first.')]") == [
            "undefined",
            False,
        ]
