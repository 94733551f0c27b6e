"""Where Firefox does otherwise than Chromium: pages of another time, and who has the focus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from browsers.firefox import Firefox, FirefoxVisitor, find_firefox
from consentgate import RequestConsent
from consentgate.core.policy import Csp
from tags.site import POLICY, Log, Site, gated
from tags.test_another_time import WORKER
from tags.test_modes import NOTHING, PLAIN, START, expected

FILM = '<iframe data-category="marketing" data-src="THIRD/film" title="A film"></iframe>'
EDITOR = (
    '<iframe src="/editor" title="Editor" style="position: fixed; inset: 0 auto auto 0"></iframe>'
)
ACCEPT = '[data-gate=banner] button[value="accept"]'


@pytest.fixture(scope="module")
def running(third: Log) -> Iterator[Site]:
    """A site whose pages' own policy keeps out what is not allowed."""
    sources = {"necessary": ("'self'",), "marketing": (third.address,)}
    categories = tuple(replace(one, sources=sources.get(one.id, ())) for one in POLICY.categories)
    with gated(third, replace(POLICY, categories=categories, csp=Csp(mode="enforce"))) as site:
        yield site


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox on the search path and none named in $FIREFOX")
    with Firefox(executable) as browser:
        yield browser


@pytest.fixture
def visitor(firefox: Firefox) -> Iterator[FirefoxVisitor]:
    with firefox.visitor() as somebody:
        yield somebody


def head(consent: RequestConsent) -> str:
    return START + str(consent.head()) + PLAIN + str(consent.banner())


def choose(visitor: FirefoxVisitor, **wish: Any) -> None:
    answer = visitor.evaluate(
        f"""fetch("/_gate/choice", {{method: "POST", body: {json.dumps(json.dumps(wish))},
          headers: {{"content-type": "application/json"}}}}).then((one) => one.status)"""
    )
    assert answer == 200


def test_a_page_kept_by_a_worker_says_no(visitor: FirefoxVisitor, site: Site) -> None:
    """It does not say that there was a worker."""
    site.head = head
    site.files["/worker.js"] = WORKER
    visitor.visit(site.address + "/")
    choose(visitor, action="accept")
    visitor.evaluate("void navigator.serviceWorker.register('/worker.js')")
    visitor.until("navigator.serviceWorker.controller !== null")
    visitor.visit(site.address + "/next")
    visitor.visit(site.address + "/next")
    choose(visitor, action="reject")
    visitor.visit(site.address + "/next")
    allowed = visitor.evaluate("document.querySelector('script[data-allowed]').dataset.allowed")
    entry = visitor.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    seen = visitor.evaluate("seen")
    visitor.evaluate(
        "navigator.serviceWorker.getRegistrations()"
        ".then((all) => Promise.all(all.map((one) => one.unregister()))).then(() => null)"
    )
    assert (allowed, entry["workerStart"]) == ("analytics marketing preferences", 0)
    assert seen == [expected(NOTHING)]


@pytest.mark.parametrize("typed", [True, False])
def test_what_may_have_been_typed_in_a_frame_is_not_lost(
    visitor: FirefoxVisitor, site: Site, typed: bool
) -> None:
    """What has the focus it says a moment after the page has lost it."""
    site.head, site.body = head, FILM + EDITOR
    site.files["/editor"] = "<textarea style='width: 100%; height: 100%'></textarea>"
    visitor.visit(site.address + "/")
    visitor.evaluate("gate.ready.then(() => null)")
    if typed:
        visitor.click("iframe[src]")
        visitor.until("document.activeElement.localName === 'iframe'")
        visitor.key("Tab")
    visitor.evaluate("window.mark = 1")
    visitor.click(ACCEPT)
    visitor.until("window.gate?.choices.marketing === 'granted'")
    time.sleep(0.5)
    assert visitor.evaluate("window.mark === 1") is typed
