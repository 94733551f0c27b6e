"""A refusal empties real jars: what is optional is gone from them, and nothing else is.

The jar is read from the browser itself, and each test sees first that all it planted lies there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest

from browsers.chromium import OWN_HOSTS, Chromium, find_chromium
from browsers.driving import Browser, StoredCookie, Visitor
from browsers.firefox import Firefox, find_firefox
from browsers.site import (
    HOSTS,
    NECESSARY,
    OPTIONAL,
    SCHEMES,
    SET,
    SHELLS,
    STRAY,
    Kind,
    Scheme,
    Shell,
    Site,
    Variant,
    of_scheme,
    served,
    write_certificate,
)

# The choice and its companion, as they are called over https and in development.
OWN = ("__Host-gate", "__Host-gate-choice", "gate", "gate-choice")
# The most that the gate adds to one answer, and what a line costs beside its value.
LINES, BYTES = 16, 2048
FIELD = len("set-cookie: \r\n")

# What a gate that knows only names does not remove in three answers: no request says which path a
# cookie has, so those above the page are tried when all else has been.
BEYOND_REACH = {"k_acct"}


class Running:
    """Browsers and sites, each started when first asked for and shared by all tests."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._browsers: dict[str, Browser] = {}
        self._sites: dict[tuple[str, ...], Site] = {}

    def browser(self, name: str) -> Browser:
        if name not in self._browsers:
            start = _chromium if name == "chromium" else _firefox
            self._browsers[name] = self._stack.enter_context(start())
        return self._browsers[name]

    def site(self, shell: Shell, scheme: Scheme, variant: Variant, certificate: Path) -> Site:
        which = (shell, scheme, variant)
        if which not in self._sites:
            serving = served(shell, scheme, variant, certificate)
            self._sites[which] = self._stack.enter_context(serving)
        return self._sites[which]


def _chromium() -> Chromium:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    return Chromium(executable, *OWN_HOSTS)


def _firefox() -> Firefox:
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox on the search path and none named in $FIREFOX")
    return Firefox(executable, HOSTS)


class Sites:
    """The site in one shell and over one scheme, its cookies declared in one way or the other."""

    def __init__(self, shell: Shell, scheme: Scheme, certificate: Path, running: Running) -> None:
        self.scheme = scheme
        self._shell = shell
        self._certificate = certificate
        self._running = running

    def __getitem__(self, variant: Variant) -> Site:
        site = self._running.site(self._shell, self.scheme, variant, self._certificate)
        site.exchanges.clear()
        return site

    def stored(self, *kinds: Kind) -> list[StoredCookie]:
        """Return what a browser makes of these kinds, as far as it takes them over this scheme."""
        return sorted(kind.stored for kind in of_scheme(self.scheme, kinds))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(stack)


@pytest.fixture(params=["chromium", "firefox"])
def visitor(request: pytest.FixtureRequest, running: Running) -> Iterator[Visitor]:
    """Somebody with an empty jar."""
    with running.browser(request.param).visitor() as somebody:
        yield somebody


@pytest.fixture(
    params=[(shell, scheme) for shell in SHELLS for scheme in SCHEMES],
    ids=lambda param: "-".join(param),
)
def sites(request: pytest.FixtureRequest, running: Running, certificate: Path) -> Sites:
    return Sites(*request.param, certificate, running)


# --- what visitors do and see --------------------------------------------------------------------


def choose(visitor: Visitor, site: Site, action: str, then: str) -> None:
    """Press a button of the preferences page."""
    visitor.visit(site.url(f"/_gate/?next={then}"))
    visitor.press(f"button[value={action}]")


def plant(visitor: Visitor, site: Site, *what: str) -> list[StoredCookie]:
    """Have cookies set past the gate, and return the jar."""
    for part in what:
        visitor.visit(site.url(f"/plant/{part}"))
    return jar(visitor)


def jar(visitor: Visitor) -> list[StoredCookie]:
    """Return the jar without the gate's own cookies, and without what has expired.

    Of a cookie that is deleted Firefox lists an empty one, which it does not send, for a moment.
    """
    now = time() + 1
    return [one for one in visitor.cookies() if one.name not in OWN and not 0 < one.expires <= now]


def lasting(found: list[StoredCookie]) -> list[StoredCookie]:
    """Return cookies as if each were of a session."""
    return sorted(replace(one, expires=0) for one in found)


def seen_by_the_app(visitor: Visitor) -> list[str]:
    """Return the cookies that the document now open lists, without the gate's own, sorted."""
    pairs = visitor.evaluate("[...document.querySelectorAll('li')].map((one) => one.textContent)")
    return sorted(pair for pair in pairs if pair.partition("=")[0] not in OWN)


def pairs_of(*stored: StoredCookie) -> list[str]:
    return sorted(f"{one.name}={one.value}" for one in stored)


def state(visitor: Visitor, site: Site) -> dict[str, Any]:
    visitor.visit(site.url("/_gate/state"))
    found = json.loads(visitor.evaluate("document.body.innerText"))
    return {key: found[key] for key in ("decided", "needs_choice", "allowed", "categories")}


def too_much(site: Site) -> list[str]:
    """Return what was asked for where the gate added more than it may."""
    return [
        request
        for request, lines in site.exchanges
        if not request.startswith("GET /plant")
        and (len(lines) > LINES or sum(len(line) + FIELD for line in lines) > BYTES)
    ]


NEWCOMER = {
    "decided": False,
    "needs_choice": True,
    "allowed": ["necessary"],
    "categories": {"necessary": "granted", "analytics": "unset"},
}


# --- a refusal -----------------------------------------------------------------------------------


def test_one_answer_removes_every_declared_cookie(visitor: Visitor, sites: Sites) -> None:
    """The answer to "Reject all" leaves of the jar what is necessary and what no rule names."""
    site = sites["declared"]
    choose(visitor, site, "accept", "/plant/nothing")
    plant(visitor, site, "optional", "necessary", "stray")
    visitor.visit(site.url("/_gate/?next=/plant/nothing"))
    before = jar(visitor)
    assert lasting(before) == sites.stored(*OPTIONAL, *NECESSARY, STRAY)
    site.exchanges.clear()
    visitor.press("button[value=reject]")
    after = jar(visitor)
    assert site.requests == ["POST /_gate/choice", "GET /plant/nothing"]
    assert after == [one for one in before if one.name.endswith(("sessionid", "stray"))]
    assert lasting(after) == sites.stored(*NECESSARY, STRAY)
    assert too_much(site) == []


def test_three_answers_remove_what_is_known_by_name_alone(visitor: Visitor, sites: Sites) -> None:
    """Of cookies whose attributes no rule tells, only one of another path than "/" is left."""
    site = sites["undeclared"]
    choose(visitor, site, "accept", "/plant/nothing")
    plant(visitor, site, "optional", "necessary", "stray")
    visitor.visit(site.url("/_gate/?next=/acct/x"))
    before = jar(visitor)
    assert lasting(before) == sites.stored(*OPTIONAL, *NECESSARY, STRAY)
    site.exchanges.clear()
    visitor.press("button[value=reject]")
    visitor.visit(site.url("/acct/x"))
    assert seen_by_the_app(visitor) == pairs_of(*sites.stored(*NECESSARY))
    after = jar(visitor)
    assert site.requests == ["POST /_gate/choice", "GET /acct/x", "GET /acct/x"]
    assert {one.name for one in after if "k_" in one.name} == BEYOND_REACH
    left = [one for one in before if "k_" not in one.name or one.name in BEYOND_REACH]
    assert after == left
    for _ in range(2):
        visitor.visit(site.url("/acct/x"))
    assert jar(visitor) == [one for one in before if "k_" not in one.name]
    assert too_much(site) == []


@pytest.mark.parametrize("variant", ["declared", "undeclared"])
def test_the_app_sees_what_is_necessary_and_nothing_refused(
    visitor: Visitor, sites: Sites, variant: Variant
) -> None:
    """Before any choice the app is shown the necessary cookies, byte for byte, and no others."""
    site = sites[variant]
    before = plant(visitor, site, "optional", "necessary", "stray")
    assert lasting(before) == sites.stored(*OPTIONAL, *NECESSARY, STRAY)
    visitor.visit(site.url("/acct/x"))
    assert seen_by_the_app(visitor) == pairs_of(*sites.stored(*NECESSARY))
    left = [one for one in before if one.name.endswith(("sessionid", "stray"))]
    assert [one for one in jar(visitor) if one.name.endswith(("sessionid", "stray"))] == left


def test_what_was_set_after_a_yes_is_gone_after_its_withdrawal(
    visitor: Visitor, sites: Sites
) -> None:
    """Accept, use, withdraw: the jar is as before, and there is something to choose again."""
    site = sites["declared"]
    visitor.visit(site.url("/set"))
    assert jar(visitor) == []
    choose(visitor, site, "accept", "/set")
    assert jar(visitor) == [SET.stored]
    visitor.visit(site.url("/"))
    assert seen_by_the_app(visitor) == pairs_of(SET.stored)
    choose(visitor, site, "withdraw", "/plant/nothing")
    assert visitor.cookies() == []
    assert state(visitor, site) == NEWCOMER


def test_who_deletes_all_cookies_is_a_newcomer(visitor: Visitor, sites: Sites) -> None:
    """Nothing of a choice outlives the jar."""
    site = sites["declared"]
    choose(visitor, site, "reject", "/")
    assert state(visitor, site) == {
        "decided": True,
        "needs_choice": False,
        "allowed": ["necessary"],
        "categories": {"necessary": "granted", "analytics": "denied"},
    }
    visitor.forget()
    assert visitor.cookies() == []
    assert state(visitor, site) == NEWCOMER
